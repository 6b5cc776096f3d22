# SPDX-License-Identifier: MIT
"""A host that is stopped (SIGSTOP) for 15 s, with the default TTL.

It is stopped before all other tests and checked after them, so that this costs no time.
"""
import os
import signal
import threading
import time
import types

import pytest
from harness import product
from harness.host import Host
from harness.registry import Registry, document

pytestmark = pytest.mark.xdist_group("stopped")

STOPPED_S = 15
TTL_S = 10
INTERVAL_S = TTL_S / 2
LOOKS_EVERY_S = 1  # the agent checks its processes this often if nothing else happens
SLACK_S = 0.5
GONE_S = 0.1
PATIENCE_S = 3


class Stop:
    """Stops a process in the background, and continues it later."""

    def __init__(self, pid):
        os.kill(pid, signal.SIGSTOP)
        self.began = time.monotonic()
        self.ended = None
        self._timer = threading.Timer(STOPPED_S, self._end, [pid])
        self._timer.start()

    def _end(self, pid):
        os.kill(pid, signal.SIGCONT)
        self.ended = time.monotonic()

    def wait(self):
        self._timer.join()

    def cancel(self):
        self._timer.cancel()
        self._timer.join()


@pytest.fixture(scope="session")
def stopped(etcd, tmp_path_factory, agent_watch):
    folder = tmp_path_factory.mktemp("stopped")
    registry = Registry(etcd, "v3", folder.name, folder)
    host = Host([product.LISTENER], registry.preloaded("web"), folder)
    host.read_ports()
    web = document("web", host.port)
    registry.expect(web)
    with registry.watch() as watch:
        stop = Stop(host.process.pid)
        yield types.SimpleNamespace(
            registry=registry, host=host, key=registry.key(web), watch=watch, stop=stop
        )
    stop.cancel()
    host.discard()
    agent_watch.hosts_are_gone("stopped", registry)


@pytest.mark.stage(-1)
def test_registered_right_after_it_was_stopped(stopped):
    assert list(stopped.registry.documents()) == [stopped.key]


@pytest.mark.stage(1)
def test_out_after_the_ttl_and_back_within_an_interval(stopped):
    watch, key, stop = stopped.watch, stopped.key, stopped.stop
    stop.wait()
    back = watch.wait("put", key, INTERVAL_S)
    gone = watch.wait("delete", key, 0)
    assert TTL_S - INTERVAL_S - SLACK_S <= gone - stop.began <= TTL_S + LOOKS_EVERY_S + SLACK_S
    assert 0 <= back - stop.ended <= INTERVAL_S
    assert len(watch.events) == 2
    killed = stopped.host.kill()
    stopped.registry.expect(timeout_s=PATIENCE_S)
    assert watch.times("delete", key)[-1] - killed <= GONE_S
