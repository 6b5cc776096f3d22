# SPDX-License-Identifier: MIT
"""The agent's worker is killed: another one goes on, and no key ever leaves etcd."""
import os
import signal
import subprocess
import time

import pytest
from harness import product
from harness.agents import kill_worker, worker_of
from harness.process import free_port, is_running, parent
from harness.registry import document
from harness.servers import NGINX_DAEMON
from harness.wait import wait_until

DAEMONISER = product.BUILD / "hosts" / "daemoniser"
TTL_S = 3
KILLS = 2
GONE_S = 0.1
END_S = 5


def quick(registry):
    """Returns the registry's connection string with a short TTL, so that a test can wait for it."""
    return f"{registry.url}{'&' if '?' in registry.url else '?'}ttl={TTL_S}"


def lease(registry, key):
    return registry.store.rows()[key][1]


@pytest.fixture
def launch_daemon(launch):
    def start(env):
        port = free_port()
        host = launch([DAEMONISER, port, "_exit"], env, port)
        assert host.process.wait(END_S) == 0
        return host

    return start


NGINX_BEHIND = "nginx that has gone into the background"


@pytest.fixture(params=["a host that beats", pytest.param(NGINX_BEHIND, marks=pytest.mark.slow)])
def host(request, registry, launch_listener, launch_server):
    env = registry.preloaded("web", URL=quick(registry))
    if "beats" in request.param:
        return launch_listener(env)
    return launch_server(NGINX_DAEMON, env)


def test_a_killed_worker_costs_no_registration(registry, host):
    web = document("web", host.port)
    key = registry.key(web)
    registry.expect(web)
    first_lease = lease(registry, key)
    with registry.watch() as watch:
        keepers = {kill_worker(registry) for _ in range(KILLS)}
        time.sleep(3 * TTL_S)
        assert not watch.times("delete", key)
        assert registry.documents() == {key: web}
        if registry.api == "v3":
            assert not watch.times("put", key)
            assert lease(registry, key) == first_lease
        killed = host.kill()
        assert watch.wait("delete", key, END_S) - killed <= GONE_S
    wait_until(lambda: not any(map(is_running, keepers)), END_S, "the keeper has ended")
    assert len(keepers) == 1


def test_gone_as_soon_as_the_next_worker_runs_if_it_ended_meanwhile(
    registry, launch_listener, launch_daemon
):
    """A service must not stay under a lease that lives on for another service."""
    env = registry.preloaded("web", URL=quick(registry))
    host, other = launch_daemon(env), launch_listener(env)
    web, stays = document("web", host.port), document("web", other.port)
    registry.expect(web, stays)
    worker = worker_of(registry)
    with registry.watch() as watch:
        os.kill(worker, signal.SIGKILL)
        killed = host.kill()
        assert watch.wait("delete", registry.key(web), END_S) - killed <= TTL_S / 2
        wait_until(lambda: worker not in registry.agents(), END_S, "another worker runs")
        assert not watch.times("delete", registry.key(stays))
    registry.expect(stays)
    other.stop()


def test_a_worker_outlives_its_keeper(v3_registry, launch_daemon):
    registry = v3_registry
    host = launch_daemon(registry.preloaded("web", URL=quick(registry)))
    web = document("web", host.port)
    registry.expect(web)
    worker = worker_of(registry)
    with registry.watch() as watch:
        os.kill(parent(worker), signal.SIGKILL)
        time.sleep(2 * TTL_S)
        assert not watch.times("delete", registry.key(web))
        killed = host.kill()
        assert watch.wait("delete", registry.key(web), END_S) - killed <= GONE_S
    wait_until(lambda: not is_running(worker), END_S, "the worker has ended")


def test_a_host_starts_another_agent_if_both_are_killed(v3_registry, launch_listener):
    registry = v3_registry
    host = launch_listener(registry.preloaded("web", URL=quick(registry)))
    web = document("web", host.port)
    registry.expect(web)
    worker = worker_of(registry)
    keeper = parent(worker)
    with registry.watch() as watch:
        os.kill(keeper, signal.SIGKILL)
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: registry.agents() not in ([], [worker]), END_S, "another agent runs")
        assert parent(worker_of(registry)) != keeper
        time.sleep(2 * TTL_S)
        assert not watch.times("delete", registry.key(web))
    host.stop()


def test_a_signal_to_the_keeper_is_one_to_the_worker(v3_registry, launch_listener):
    registry = v3_registry
    host = launch_listener(registry.preloaded("web"))
    web = document("web", host.port)
    registry.expect(web)
    worker = worker_of(registry)
    keeper = parent(worker)
    os.kill(keeper, signal.SIGTERM)
    wait_until(lambda: "ignored while" in registry.log.read_text(), END_S, "the worker reports it")
    assert registry.agents() == [worker] and is_running(keeper)
    registry.expect(web)
    host.stop()
    wait_until(lambda: not is_running(keeper), END_S, "the keeper has ended")


@pytest.mark.parametrize("to", ["keeper", "worker"])
def test_an_operators_agent_ends_at_once(v3_registry, launch_listener, tmp_path, to):
    registry = v3_registry
    path = tmp_path / "agent.sock"
    agent = subprocess.Popen([product.COMMAND, "agent", "--socket", path], env=registry.settings())
    try:
        wait_until(path.exists, END_S, "the agent listens")
        web = launch_listener(registry.preloaded("web", AGENT=path))
        registry.expect(document("web", web.port))
        assert kill_worker(registry) == agent.pid
        os.kill(agent.pid if to == "keeper" else worker_of(registry), signal.SIGTERM)
        assert agent.wait(END_S) == 0
        assert not path.exists() and registry.agents() == []
        registry.expect()
    finally:
        agent.kill()
        agent.wait()
