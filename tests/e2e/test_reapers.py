# SPDX-License-Identifier: MIT
"""Hosts that inherit orphans, with tests/hosts/reaper.  The agent must not be one of those
orphans."""
import os
import signal
import time

import pytest
from harness import product
from harness.registry import document
from harness.wait import wait_until

REAPER = product.HOSTS / "reaper"
AS_PID_1 = ["unshare", "--pid", "--fork", "--mount-proc", REAPER]
GONE_S = 0.1
PATIENCE_S = 5
TTL_S = 3
SLACK_S = 1

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")


def launch_reaper(launch, registry, command):
    host = launch(command, registry.preloaded("web", TTL=str(TTL_S)))
    host.read_ports()
    registry.expect(document("web", host.port))
    return host


def saw_nothing(registry, host):
    """Ends the host.  Returns whether it got no SIGCHLD and had no children.  The service leaves at
    once."""
    with registry.watch() as watch:
        told = time.monotonic()
        os.kill(host.holders()[0], signal.SIGUSR1)
        gone = watch.wait("delete", registry.key(document("web", host.port)), PATIENCE_S)
    assert host.process.wait(PATIENCE_S) == 0
    assert gone - told <= GONE_S
    return host.stdout.split()[1:] == ["0", "0"]


def test_subreaper_never_sees_the_agent(v3_registry, launch):
    assert saw_nothing(v3_registry, launch_reaper(launch, v3_registry, [REAPER]))


def test_subreaper_never_sees_the_end_of_an_agent_either(v3_registry, launch):
    host = launch_reaper(launch, v3_registry, [REAPER])
    (first,) = v3_registry.agents()
    with v3_registry.watch() as watch:
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: v3_registry.agents() not in ([], [first]), PATIENCE_S, "another agent")
        time.sleep(TTL_S + SLACK_S)
        assert not watch.times("delete", v3_registry.key(document("web", host.port)))
    assert saw_nothing(v3_registry, host)


@needs_root
def test_pid_1_never_sees_the_agent(v3_registry, launch):
    assert saw_nothing(v3_registry, launch_reaper(launch, v3_registry, AS_PID_1))


@needs_root
def test_container_that_is_killed_is_out_after_the_ttl(v3_registry, launch):
    host = launch_reaper(launch, v3_registry, AS_PID_1)
    with v3_registry.watch() as watch:
        killed = host.kill()
        gone = watch.wait("delete", v3_registry.key(document("web", host.port)), 2 * TTL_S)
    assert gone - killed <= TTL_S + SLACK_S
