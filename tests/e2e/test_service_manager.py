# SPDX-License-Identifier: MIT
"""A service manager signals every process of a service, the agent included, with
tests/hosts/drainer."""
import os
import signal
import time

import pytest
from harness import product
from harness.agents import worker_of
from harness.process import is_running, parent
from harness.registry import document
from harness.wait import wait_until

DRAINER = product.HOSTS / "drainer"
RESIDENT = product.HOSTS / "resident"
TTL_S = 3
DRAINS_S = 5
DRAINS_SHORTLY_S = 1
GONE_S = 0.1
AGENT_GONE_S = 2
SLACK_S = 0.5
PATIENCE_S = 5


def signal_all(pids, how):
    for pid in pids:
        os.kill(pid, how)
    return time.monotonic()


@pytest.fixture
def launch_service(launch_listener):
    """launch_service(registry, *command) returns a registered host, its service, and the pids of
    its agent."""

    def start(registry, program, *arguments):
        settings = registry.preloaded("web", TTL=str(TTL_S))
        host = launch_listener(settings, *map(str, arguments), program=program)
        web = document("web", host.port)
        registry.expect(web)
        worker = worker_of(registry)
        return host, web, [parent(worker), worker]

    return start


def test_registered_until_a_host_that_drains_ends(v3_registry, launch_service):
    host, web, agent = launch_service(v3_registry, DRAINER, DRAINS_S)
    with v3_registry.watch() as watch:
        told = signal_all([host.process.pid, *agent], signal.SIGTERM)
        assert host.process.wait(DRAINS_S + PATIENCE_S) == 0
        ended = signal_all(agent, signal.SIGKILL)
        assert v3_registry.documents() == {}
        gone = watch.wait("delete", v3_registry.key(web), PATIENCE_S)
    assert told + DRAINS_S <= gone <= ended + GONE_S
    assert len(watch.events) == 1


def test_out_at_once_where_the_host_does_not_drain(v3_registry, launch_service):
    host, web, agent = launch_service(v3_registry, RESIDENT, "plain")
    with v3_registry.watch() as watch:
        told = signal_all([*agent, host.process.pid], signal.SIGTERM)
        gone = watch.wait("delete", v3_registry.key(web), PATIENCE_S)
    assert host.process.wait(PATIENCE_S) == -signal.SIGTERM
    assert gone - told <= GONE_S
    wait_until(lambda: not any(map(is_running, agent)), PATIENCE_S, "the agent has ended")


def test_agent_is_gone_2_s_later_where_etcd_is_down(absent_etcd, make_registry, launch_service):
    registry = make_registry(absent_etcd.start(), "v3")
    host, _, agent = launch_service(registry, DRAINER, DRAINS_SHORTLY_S)
    absent_etcd.kill()
    told = signal_all([host.process.pid, *agent], signal.SIGTERM)
    assert host.process.wait(PATIENCE_S) == 0
    ended = time.monotonic()
    assert ended - told >= DRAINS_SHORTLY_S
    wait_until(lambda: not any(map(is_running, agent)), PATIENCE_S, "the agent has ended")
    assert time.monotonic() - ended <= AGENT_GONE_S + SLACK_S


def test_out_after_the_ttl_where_all_are_killed(v3_registry, launch_service):
    """The kernel does this to a cgroup that is out of memory."""
    host, web, agent = launch_service(v3_registry, RESIDENT, "plain")
    with v3_registry.watch() as watch:
        killed = signal_all([*agent, host.process.pid], signal.SIGKILL)
        gone = watch.wait("delete", v3_registry.key(web), 2 * TTL_S)
    assert gone - killed <= TTL_S + SLACK_S
