# SPDX-License-Identifier: MIT
"""Hosts whose sockets come and go, and hosts that become other programs, with
tests/hosts/relistener."""
import os
import signal
import time

import pytest
from harness import product
from harness.process import free_port
from harness.registry import document

RELISTENER = product.HOSTS / "relistener"
KILLED_GONE_S = 0.1
CLOSED_GONE_S = 1.5
PATIENCE_S = 3
TTL_S = 3
INTERVAL_S = TTL_S / 2
LOOKS_EVERY_S = 1  # an agent checks its processes this often if nothing else happens
SLACK_S = 0.5


@pytest.mark.parametrize("end", ["close", "shutdown"])
def test_out_while_nothing_listens_and_back_on_any_port(v3_registry, launch_listener, end):
    steps = (end, "same", end, "other")
    host = launch_listener(v3_registry.preloaded("web"), *steps, program=RELISTENER)
    for count, step in enumerate(steps, start=2):
        before = document("web", host.read_ports(count - 1)[-1])
        v3_registry.expect(*([before] if before["port"] else []))
        with v3_registry.watch() as watch:
            told = host.tell()
            if step == end:
                gone = watch.wait("delete", v3_registry.key(before), PATIENCE_S)
                assert gone - told <= CLOSED_GONE_S
    ports = host.read_ports(len(steps) + 1)
    assert ports[0] == ports[2] != ports[4]
    assert ports[1] == ports[3] == 0
    v3_registry.expect(document("web", ports[4]))


def test_dup_goes_on_where_the_original_is_closed(v3_registry, launch_listener):
    host = launch_listener(v3_registry.preloaded("web"), "dup", program=RELISTENER)
    web = document("web", host.port)
    v3_registry.expect(web)
    with v3_registry.watch() as watch:
        host.tell()
        assert host.read_ports(2) == [host.port, host.port]
        time.sleep(CLOSED_GONE_S)
        assert not watch.events
        killed = host.kill()
        assert watch.wait("delete", v3_registry.key(web), PATIENCE_S) - killed <= KILLED_GONE_S


def test_program_that_inherits_the_socket_stays_registered(v3_registry, launch_listener):
    settings = v3_registry.preloaded("web", TTL=str(TTL_S))
    host = launch_listener(settings, "exec", program=RELISTENER)
    web = document("web", host.port)
    v3_registry.expect(web)
    with v3_registry.watch() as watch:
        host.tell()
        time.sleep(TTL_S + SLACK_S)
        assert not watch.events
        killed = host.kill()
        assert watch.wait("delete", v3_registry.key(web), PATIENCE_S) - killed <= KILLED_GONE_S


def test_program_that_does_not_inherit_the_socket_is_out(v3_registry, launch_listener):
    host = launch_listener(v3_registry.preloaded("web"), "exec-cloexec", program=RELISTENER)
    web = document("web", host.port)
    v3_registry.expect(web)
    with v3_registry.watch() as watch:
        told = host.tell()
        assert watch.wait("delete", v3_registry.key(web), PATIENCE_S) - told <= KILLED_GONE_S
    assert host.process.poll() is None


def test_program_that_listens_again_on_the_inherited_socket_stays_registered(
    v3_registry, launch_listener
):
    settings = v3_registry.preloaded("web", TTL=str(TTL_S))
    host = launch_listener(settings, "again", program=RELISTENER)
    web = document("web", host.port)
    v3_registry.expect(web)
    with v3_registry.watch() as watch:
        host.tell()
        assert host.read_ports(2) == [host.port, host.port]
        time.sleep(TTL_S + SLACK_S)
        assert not watch.times("delete", v3_registry.key(web))
        killed = host.kill()
        assert watch.wait("delete", v3_registry.key(web), PATIENCE_S) - killed <= KILLED_GONE_S


def test_program_that_listens_anew_is_registered_in_place_of_the_one_before(
    v3_registry, launch_listener
):
    host = launch_listener(v3_registry.preloaded("web"), "again-cloexec", program=RELISTENER)
    before = document("web", host.port)
    v3_registry.expect(before)
    with v3_registry.watch() as watch:
        told = host.tell()
        gone = watch.wait("delete", v3_registry.key(before), PATIENCE_S)
        assert gone - told <= KILLED_GONE_S
        _, host.port = host.read_ports(2)
        web = document("web", host.port)
        v3_registry.expect(web)
        killed = host.kill()
        assert watch.wait("delete", v3_registry.key(web), PATIENCE_S) - killed <= KILLED_GONE_S


@pytest.mark.parametrize("closed", ["named", "other"])
def test_of_two_listeners_the_named_one_decides(v3_registry, launch_listener, closed):
    named, other = free_port(), free_port()
    ports = [named, other] if closed == "named" else [other, named]
    host = launch_listener(v3_registry.preloaded(f"web:{named}"), *map(str, ports), count=2)
    web = document("web", named)
    v3_registry.expect(web)
    with v3_registry.watch() as watch:
        told = time.monotonic()
        host.close_first()
        if closed == "named":
            gone = watch.wait("delete", v3_registry.key(web), PATIENCE_S)
            assert gone - told <= CLOSED_GONE_S
            assert v3_registry.documents() == {}
        else:
            time.sleep(CLOSED_GONE_S)
            assert not watch.events


def test_stopped_host_leaves_after_the_ttl_and_comes_back(v3_registry, launch_listener):
    host = launch_listener(v3_registry.preloaded("web", TTL=str(TTL_S)))
    web = document("web", host.port)
    v3_registry.expect(web)
    with v3_registry.watch() as watch:
        os.kill(host.process.pid, signal.SIGSTOP)
        stopped = time.monotonic()
        gone = watch.wait("delete", v3_registry.key(web), 2 * TTL_S)
        os.kill(host.process.pid, signal.SIGCONT)
        back = watch.wait("put", v3_registry.key(web), 2 * TTL_S)
    assert TTL_S - INTERVAL_S - SLACK_S <= gone - stopped <= TTL_S + LOOKS_EVERY_S + SLACK_S
    assert back - gone <= INTERVAL_S + LOOKS_EVERY_S
