# SPDX-License-Identifier: MIT
"""Unmodified programs of Debian, for `make test-hosts`.  Other tests use those of
harness/servers.py.

Two of each start before the first test checks them, so that the wait of three TTLs happens once.
"""
import contextlib
import os
import re
import signal
import time

import pytest
from harness.process import is_running, listening_inodes
from harness.programs import (
    PROGRAMS,
    TTL_S,
    VALGRIND,
    Program,
    running,
    skip_what_cannot_be,
)
from harness.wait import wait_until

pytestmark = pytest.mark.programs

THREE_TTLS_S = 3 * TTL_S
STOPS_S = 20
GONE_S = 0.1
CLOSED_GONE_S = 1.5  # the process closes the socket and lives on
AGENT_ENDS_S = 5
ENDS = {"SIGTERM": signal.SIGTERM, "kill -9": signal.SIGKILL}
VALGRIND_WARNING = re.compile(r"--\d+-- .*")


@pytest.fixture(scope="module")
def instances(etcd):
    started = {}
    with contextlib.ExitStack() as stack:
        for program in PROGRAMS:
            for end in [] if program.missing() else ENDS:
                started[program.name, end] = stack.enter_context(running(etcd, program))
        yield started


def end_and_time(host, end):
    """Returns two times: when the kernel no longer listed the socket, and when its processes had
    ended.

    If the processes are killed, the kernel closes the socket as the last of them ends.
    """
    pids = {host.main, *host.holders()}
    if end == signal.SIGKILL:
        host.kill()
    else:
        os.kill(host.holders()[0], end)
    wait_until(lambda: not listening_inodes(host.port), STOPS_S, "no process listens", 0.002)
    closed = time.monotonic()
    if end == signal.SIGKILL:
        return closed, closed
    wait_until(lambda: not any(map(is_running, pids)), STOPS_S, f"{pids} have ended")
    return closed, time.monotonic()


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_registered_for_three_ttls_and_out_when_it_ends(instances, program, end):
    skip_what_cannot_be(program)
    instance = instances[program.name, end]
    registry, host, watch, key = instance.registry, instance.host, instance.watch, instance.key
    instance.expect_registered()
    time.sleep(max(0, watch.wait("put", key, 1) + THREE_TTLS_S - time.monotonic()))
    assert not watch.times("delete", key)
    assert registry.documents() == {key: instance.web}
    closed, ended = end_and_time(host, ENDS[end])
    gone = watch.wait("delete", key, STOPS_S)
    assert gone - ended <= GONE_S
    assert gone - closed <= CLOSED_GONE_S
    wait_until(lambda: not registry.agents(), AGENT_ENDS_S, "the agent has ended")
    assert registry.documents() == {}
    assert "etcd-registry" not in host.stderr


def test_valgrind_finds_no_error(etcd):
    """valgrind warns of unknown system calls; 3.19 does not know pidfd_open."""
    skip_what_cannot_be(VALGRIND)
    with running(etcd, VALGRIND) as instance:
        instance.expect_registered()
        assert instance.host.stop() == 0
        lines = instance.host.stderr.splitlines()
    assert [line for line in lines if not VALGRIND_WARNING.fullmatch(line)] == []


def test_a_program_that_cannot_be_had_is_skipped_by_name():
    with pytest.raises(pytest.skip.Exception, match="fancyd: no /usr/sbin/fancyd here"):
        skip_what_cannot_be(Program("fancyd", "/usr/sbin/fancyd", None))
