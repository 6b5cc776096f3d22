# SPDX-License-Identifier: MIT
"""Every way in which a process can end, with tests/hosts/ender."""
import os
import select
import signal
import time

import pytest
from harness import product
from harness.registry import document
from harness.wait import wait_until

ENDER = product.HOSTS / "ender"
GONE_S = 0.1
PATIENCE_S = 3
TTL_S = 3
ETCD_DOWN_ADDS_S = 0.05
EXIT_TIMEOUT_S = 1
MANY_LINES = 131072

LINGERS_S = {"worker": 0.3}
ENDINGS = {
    "exit": 7,
    "_exit": 7,
    "quick_exit": 7,
    "handler": 7,
    "return": 0,
    "pthread_exit": 0,
    "worker": 0,
    "abort": -signal.SIGABRT,
    "fault": -signal.SIGSEGV,
    "signal": -signal.SIGTERM,
    "group": -signal.SIGKILL,
}


def time_to_end(host):
    """Measures with a pidfd, because Popen.wait() looks only every 50 ms."""
    process = os.pidfd_open(host.process.pid)
    try:
        told = host.tell()
        assert select.select([process], [], [], PATIENCE_S)[0]
        ended = time.monotonic()
    finally:
        os.close(process)
    assert host.process.wait(PATIENCE_S) == ENDINGS["exit"]
    return ended - told


@pytest.mark.parametrize("how", ENDINGS)
def test_gone_within_100_ms_of_the_word_to_end(v3_registry, launch_listener, how):
    host = launch_listener(v3_registry.preloaded("web"), how, program=ENDER)
    web = document("web", host.port)
    v3_registry.expect(web)
    with v3_registry.watch() as watch:
        told = host.tell()
        gone = watch.wait("delete", v3_registry.key(web), PATIENCE_S)
    assert host.process.wait(PATIENCE_S) == ENDINGS[how]
    assert gone - told <= GONE_S + LINGERS_S.get(how, 0)
    assert host.stderr == ""


def test_output_of_exit_handlers_after_pthread_exit_is_whole(v3_registry, launch_listener):
    host = launch_listener(v3_registry.preloaded("web"), "pthread_exit", program=ENDER)
    v3_registry.expect(document("web", host.port))
    host.tell()
    assert host.process.wait(PATIENCE_S) == 0
    assert host.stdout == f"{host.port}\nfirst\n" + MANY_LINES * "a line.\n"


@pytest.mark.parametrize("how", ENDINGS)
def test_end_while_the_agent_is_being_started(v3_registry, launch_listener, how):
    host = launch_listener(v3_registry.preloaded("web"), how, program=ENDER)
    host.tell()
    assert host.process.wait(PATIENCE_S) == ENDINGS[how]
    v3_registry.expect(timeout_s=PATIENCE_S)


def test_exit_takes_no_longer_where_etcd_is_down(absent_etcd, make_registry, launch_listener):
    registry = make_registry(absent_etcd, "v3")
    plain = launch_listener(registry.settings("web"), "exit", program=ENDER)
    host = launch_listener(registry.preloaded("web"), "exit", program=ENDER)
    wait_until(registry.agents, PATIENCE_S, "an agent runs")
    wait_until(lambda: host.stderr, PATIENCE_S, "the line that says that etcd is down")
    assert time_to_end(host) <= time_to_end(plain) + ETCD_DOWN_ADDS_S


def test_exit_waits_no_longer_than_told_where_etcd_hangs(absent_etcd, make_registry, launch_listener):
    registry = make_registry(absent_etcd.start(), "v3")
    settings = registry.preloaded("web", TTL=str(TTL_S))
    host = launch_listener(settings, "exit", program=ENDER)
    registry.expect(document("web", host.port))
    with absent_etcd.stopped():
        assert time_to_end(host) <= EXIT_TIMEOUT_S + ETCD_DOWN_ADDS_S
    registry.expect(timeout_s=2 * TTL_S)
