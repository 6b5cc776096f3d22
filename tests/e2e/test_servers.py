# SPDX-License-Identifier: MIT
"""Real, unmodified servers: registered while they listen, gone when they stop, and otherwise
unchanged."""
import pytest
from harness import facts
from harness.process import free_port
from harness.registry import document
from harness.servers import SERVERS
from harness.wait import settled, wait_until_equal

KILLED_GONE_S = 0.1
STOPPED_GONE_S = 2
SETTLED_S = 5

all_servers = pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)


@all_servers
def test_registered_while_it_runs_and_gone_after_a_clean_stop(registry, launch_server, server):
    host = launch_server(server, registry.preloaded("web"))
    web = document("web", host.port)
    registry.expect(web)
    with registry.watch() as watch:
        assert server.ask(host)
        assert host.stop(server.stop_signal) == 0
        watch.wait("delete", registry.key(web), STOPPED_GONE_S)
    assert registry.documents() == {}


@all_servers
def test_gone_within_100_ms_of_kill_9(registry, launch_server, server):
    host = launch_server(server, registry.preloaded("web"))
    web = document("web", host.port)
    registry.expect(web)
    with registry.watch() as watch:
        killed = host.kill()
        gone = watch.wait("delete", registry.key(web), STOPPED_GONE_S)
    assert gone - killed <= KILLED_GONE_S


@all_servers
def test_nothing_else_of_the_host_changes(registry, launch_server, server):
    port = free_port()
    plain = launch_server(server, registry.settings("web"), port)
    answer = server.ask(plain)
    expected = settled(lambda: facts.while_running(plain), SETTLED_S)
    plain.stop(server.stop_signal)

    host = launch_server(server, registry.preloaded("web"), port)
    registry.expect(document("web", port))
    assert server.ask(host) == answer
    wait_until_equal(lambda: facts.while_running(host), expected, SETTLED_S)
    host.stop(server.stop_signal)
    assert facts.after_the_end(host) == facts.after_the_end(plain)
