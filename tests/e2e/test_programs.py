# SPDX-License-Identifier: MIT
"""Programs of Debian, unmodified, for `make test-hosts`; those of harness/servers.py are elsewhere.

Two of each are started before the first test looks, so that the three TTLs pass once.
"""
import contextlib
import os
import pathlib
import signal
import tempfile
import time
import types

import pytest
from harness.host import Host
from harness.process import free_port, is_running, listening_inodes
from harness.programs import PATH, PROGRAMS
from harness.registry import Registry, document
from harness.wait import wait_until

pytestmark = pytest.mark.programs

TTL_S = 3
THREE_TTLS_S = 3 * TTL_S
STARTS_S = 30
STOPS_S = 20
GONE_S = 0.1
CLOSED_GONE_S = 1.5  # where the process lives on without the socket
AGENT_ENDS_S = 5
ENDS = {"SIGTERM": signal.SIGTERM, "kill -9": signal.SIGKILL}


def start(etcd, program, folder):
    """The folder and the log are for everybody, since some programs become other users.

    A session of its own, since apache2 signals its process group.
    """
    folder.chmod(0o755)
    registry = Registry(etcd, "v3", folder.name, folder)
    registry.log.touch()
    registry.log.chmod(0o666)
    port = free_port()
    settings = registry.settings(program.service.format(port=port), TTL=str(TTL_S))
    settings["PATH"] = PATH
    if program.preload:
        settings["LD_PRELOAD"] = program.preload
    host = Host(["setsid", *program.command(port, folder)], settings, folder, port)
    return types.SimpleNamespace(registry=registry, host=host, watch=registry.watch())


@pytest.fixture(scope="module")
def instances(etcd):
    started = {}
    with contextlib.ExitStack() as stack:
        for program in filter(lambda program: program.is_there(), PROGRAMS):
            for end in ENDS:
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                instance = start(etcd, program, pathlib.Path(folder))
                started[program.name, end] = instance
                stack.callback(instance.host.discard)
                stack.enter_context(instance.watch)
        yield started


def end_and_time(host, end):
    """Returns when the kernel did not list the socket any more, and when the processes had ended."""
    if end == signal.SIGKILL:
        killed = host.kill()
        return killed, killed
    pids = {host.main, *host.holders()}
    os.kill(host.holders()[0], end)
    wait_until(lambda: not listening_inodes(host.port), STOPS_S, "nothing listens", 0.002)
    closed = time.monotonic()
    wait_until(lambda: not any(map(is_running, pids)), STOPS_S, f"{pids} have ended")
    return closed, time.monotonic()


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_registered_for_three_ttls_and_out_when_it_ends(instances, program, end):
    if not program.is_there():
        pytest.skip(f"{program.name}: no {program.needs} here")
    registry, host, watch = vars(instances[program.name, end]).values()
    web = document("web", host.port)
    key = registry.key(web)
    wait_until(lambda: listening_inodes(host.port), STARTS_S, "it listens")
    registry.expect(web)
    time.sleep(max(0, watch.wait("put", key, 1) + THREE_TTLS_S - time.monotonic()))
    assert not watch.times("delete", key)
    assert registry.documents() == {key: web}
    closed, ended = end_and_time(host, ENDS[end])
    gone = watch.wait("delete", key, STOPS_S)
    assert gone - ended <= GONE_S
    assert gone - closed <= CLOSED_GONE_S
    wait_until(lambda: not registry.agents(), AGENT_ENDS_S, "the agent has ended")
    assert registry.documents() == {}
    assert "etcd-registry" not in host.stderr
