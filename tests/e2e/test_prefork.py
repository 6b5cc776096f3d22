# SPDX-License-Identifier: MIT
"""A master and its workers share one socket: the service stays while one of them lives."""
import os
import signal
import time

import pytest
from harness.host import START_TIMEOUT_S
from harness.process import children, is_running
from harness.registry import document
from harness.servers import NGINX_DAEMON, NGINX_WORKERS, SERVERS
from harness.wait import wait_until

GONE_S = 0.1
PATIENCE_S = 5
TTL_S = 3
NGINX_FOREGROUND = next(server for server in SERVERS if server.name == "nginx-daemon-off")


@pytest.fixture
def nginx(v3_registry, launch_server):
    host = launch_server(NGINX_FOREGROUND, v3_registry.preloaded("web", TTL=str(TTL_S)))
    v3_registry.expect(document("web", host.port))
    return host


def test_workers_serve_on_after_kill_9_of_their_master(v3_registry, nginx):
    key = v3_registry.key(document("web", nginx.port))
    master, *workers = nginx.holders()
    with v3_registry.watch() as watch:
        os.kill(master, signal.SIGKILL)
        nginx.process.wait()
        time.sleep(TTL_S + 1)
        assert nginx.get() == b"nginx\n"
        first, last = workers
        os.kill(first, signal.SIGKILL)
        time.sleep(1)
        assert not watch.events
        killed = time.monotonic()
        os.kill(last, signal.SIGKILL)
        assert watch.wait("delete", key, PATIENCE_S) - killed <= GONE_S


def workers_of(master):
    return set(children(master))


def test_reload_is_not_noticed(v3_registry, nginx):
    before = workers_of(nginx.main)
    with v3_registry.watch() as watch:
        os.kill(nginx.main, signal.SIGHUP)
        wait_until(lambda: not before & workers_of(nginx.main), START_TIMEOUT_S, "the old are gone")
        assert len(workers_of(nginx.main)) == NGINX_WORKERS
        v3_registry.expect(document("web", nginx.port))
        assert not watch.events


def second_master(nginx):
    """Returns the second master's pid, once the master has written it to the pid file."""
    pid_file = nginx.folder / "nginx.pid"
    text = pid_file.read_text() if pid_file.exists() else ""
    return int(text) if text.strip() not in ("", str(nginx.main)) else None


def test_binary_upgrade_is_not_noticed(v3_registry, launch_server):
    nginx = launch_server(NGINX_DAEMON, v3_registry.preloaded("web", TTL=str(TTL_S)))
    web = document("web", nginx.port)
    v3_registry.expect(web)
    old = nginx.main
    with v3_registry.watch() as watch:
        os.kill(old, signal.SIGUSR2)
        new = wait_until(lambda: second_master(nginx), START_TIMEOUT_S, "a second master runs")
        wait_until(lambda: len(workers_of(new)) == NGINX_WORKERS, START_TIMEOUT_S, "workers run")
        os.kill(old, signal.SIGQUIT)
        wait_until(lambda: not is_running(old), PATIENCE_S, "the first master has ended")
        time.sleep(TTL_S + 1)
        assert not watch.times("delete", v3_registry.key(web))
        assert nginx.get() == b"nginx\n"
        killed = nginx.kill()
        gone = watch.wait("delete", v3_registry.key(web), PATIENCE_S)
    assert gone - killed <= GONE_S
