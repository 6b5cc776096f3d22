# SPDX-License-Identifier: MIT
"""Many hosts at once, and several hosts on one port."""
import itertools
import signal
import time

import pytest
from harness import product
from harness.process import free_port
from harness.registry import document

RESIDENT = product.HOSTS / "resident"
HOSTS = 200
ALL_REGISTERED_S = 20
KILLED_GONE_S = 0.1
PATIENCE_S = 5
RESTARTS = 30
ENDS = (signal.SIGKILL, signal.SIGTERM)

# The hosts that run after each step, of four.  At least one always runs.
COMINGS_AND_GOINGS = ("0", "01", "012", "0123", "123", "13", "3", "03", "0", "02", "2", "12", "1")


@pytest.mark.parametrize("agent", ["that they all need", "that runs"])
def test_hosts_that_start_at_once_share_an_agent(v3_registry, launch, launch_listener, agent):
    settings = v3_registry.preloaded("web")
    others = []
    if agent == "that runs":
        others.append(document("web", launch_listener(settings).port))
        v3_registry.expect(*others)
    hosts = [launch([RESIDENT, "plain"], settings) for _ in range(HOSTS)]
    services = [document("web", host.read_ports()[0]) for host in hosts]
    v3_registry.expect(*others, *services, timeout_s=ALL_REGISTERED_S)
    assert len(v3_registry.agents()) == 1
    for host in hosts:
        host.process.kill()
    v3_registry.expect(*others, timeout_s=PATIENCE_S)
    assert not any(host.stderr for host in hosts)


def test_four_processes_on_one_port_come_and_go_in_any_order(v3_registry, launch_listener):
    port = free_port()
    web = document("web", port)
    ends = itertools.cycle(ENDS)
    up = {}
    with v3_registry.watch() as watch:
        for wanted in COMINGS_AND_GOINGS:
            for name in set(wanted) - set(up):
                up[name] = launch_listener(v3_registry.preloaded("web"), "-r", str(port))
            for name in set(up) - set(wanted):
                host = up.pop(name)
                host.process.send_signal(next(ends))
                host.process.wait(PATIENCE_S)
            v3_registry.expect(web)
        (last,) = up.values()
        assert not watch.times("delete", v3_registry.key(web))
        last.process.kill()
        killed = time.monotonic()
        gone = watch.wait("delete", v3_registry.key(web), PATIENCE_S)
    assert gone - killed <= KILLED_GONE_S


@pytest.mark.parametrize("end", ["-k", "-t"], ids=["kill -9", "SIGTERM"])
def test_rolling_restart_on_one_port(v3_registry, launch_listener, end):
    """Each host ends its predecessor right after its own listen()."""
    port = free_port()
    web = document("web", port)
    settings = v3_registry.preloaded("web")
    host = launch_listener(settings, "-r", str(port))
    v3_registry.expect(web)
    with v3_registry.watch() as watch:
        for _ in range(RESTARTS):
            pid = str(host.process.pid)
            successor = launch_listener(settings, "-r", end, pid, str(port))
            host.process.wait(PATIENCE_S)
            host = successor
        v3_registry.expect(web)
        assert not watch.events
        killed = host.kill()
        assert watch.wait("delete", v3_registry.key(web), PATIENCE_S) - killed <= KILLED_GONE_S
