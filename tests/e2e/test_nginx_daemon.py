# SPDX-License-Identifier: MIT
"""nginx with `daemon on`: the process that called listen() ends at once, and its child holds the
socket.

The servers start before all other tests and are checked after them, so that their 30 s cost no
time.
"""
import signal
import time
import types

import pytest
from harness.host import Host
from harness.process import free_port, is_running
from harness.registry import Registry, document
from harness.servers import NGINX_DAEMON

pytestmark = pytest.mark.xdist_group("nginx_daemon")

THREE_TTLS_S = 30
GONE_S = 2

both_apis = pytest.mark.parametrize("api", ["v3", "v2"])


def start_nginx(etcd, api, folder):
    registry = Registry(etcd, api, f"nginx-daemon-{folder.name}", folder)
    port = free_port()
    host = Host(
        NGINX_DAEMON.command(port, folder), registry.preloaded("web"), folder, port
    ).wait_listening()
    host.process.wait()
    web, watch = document("web", port), registry.watch()
    return types.SimpleNamespace(
        registry=registry, host=host, web=web, watch=watch, parent_gone=time.monotonic()
    )


@pytest.fixture(scope="session")
def daemons(etcd, tmp_path_factory):
    started = {
        api: start_nginx(etcd, api, tmp_path_factory.mktemp(f"nginx-{api}")) for api in ("v3", "v2")
    }
    with started["v3"].watch, started["v2"].watch:
        yield started
    for daemon in started.values():
        daemon.host.discard()


@pytest.mark.stage(-1)
@both_apis
def test_registered_when_the_parent_has_gone(daemons, api):
    daemon = daemons[api]
    assert not is_running(daemon.host.process.pid)
    daemon.registry.expect(daemon.web)


@pytest.mark.stage(1)
@both_apis
def test_registered_until_the_master_stops_though_the_parent_is_long_gone(
    daemons, api, agent_watch
):
    daemon = daemons[api]
    key = daemon.registry.key(daemon.web)
    time.sleep(max(0, daemon.parent_gone + THREE_TTLS_S - time.monotonic()))
    assert not daemon.watch.times("delete", key)
    assert daemon.registry.documents() == {key: daemon.web}
    daemon.host.stop(signal.SIGTERM)
    daemon.watch.wait("delete", key, GONE_S)
    agent_watch.hosts_are_gone(f"nginx daemon {api}", daemon.registry)
