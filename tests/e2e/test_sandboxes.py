# SPDX-License-Identifier: MIT
"""Hosts that may not start a thread, a process or a program, or may not connect.  They are
registered if they can reach a running agent.  Otherwise they print one line.  No host is harmed."""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import tempfile

import pytest
from harness import product, seccomp
from harness.agents import kill_worker
from harness.process import parent, threads
from harness.registry import Registry, document
from harness.wait import wait_until

GONE_S = 0.1
PATIENCE_S = 5
LIMITED = product.HOSTS / "limited"
PLAIN = [product.HOSTS / "resident", "plain"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

REFUSED = {
    "socket": seccomp.refuse("socket:1"),
    "clone": seccomp.refuse("clone", "clone3", "fork", "vfork"),
    "execve": seccomp.refuse("execve", "execveat"),
}


def ends_unharmed(host):
    host.tell()
    assert host.process.wait(PATIENCE_S) == 0


def says_one_line(host, text):
    wait_until(lambda: host.stderr.endswith("\n"), PATIENCE_S, "a line on stderr")
    assert text in host.stderr
    ends_unharmed(host)
    assert host.stderr.count("\n") == 1


def is_registered_beside(registry, other, host):
    """Checks that `host` is registered while `other` keeps the agent running."""
    web = document("web", host.port)
    registry.expect(document("web", other.port), web)
    with registry.watch() as watch:
        killed = host.kill()
        assert watch.wait("delete", registry.key(web), PATIENCE_S) - killed <= GONE_S
    assert host.stderr == ""


def started(launch, registry, command, **settings):
    host = launch(command, registry.preloaded("web", **settings))
    host.read_ports()
    return host


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        ("socket", "cannot reach or start an agent: permission denied"),
        ("clone", "cannot create a process"),
        ("execve", "cannot reach or start an agent: permission denied"),
    ],
)
def test_filter_before_the_start_without_an_agent(v3_registry, launch, refused, says):
    command = [*REFUSED[refused], "start", *PLAIN]
    says_one_line(started(launch, v3_registry, command, THREAD="1"), says)


@pytest.mark.parametrize("refused", ["clone", "execve"])
def test_filter_before_the_start_beside_an_agent(v3_registry, launch, refused):
    other = started(launch, v3_registry, PLAIN, WAIT="5s")
    command = [*REFUSED[refused], "start", *PLAIN]
    is_registered_beside(v3_registry, other, started(launch, v3_registry, command, THREAD="1"))


@pytest.mark.parametrize("refused", REFUSED)
def test_filter_right_after_listen(v3_registry, launch, refused):
    """The filter starts before, during or after the start of an agent."""
    host = started(launch, v3_registry, [*REFUSED[refused], "listen"])
    ends_unharmed(host)
    assert host.stderr.count("\n") <= 1


# Sets that units exclude with SystemCallFilter=~..., and calls for which a filter kills a host.
EXCLUDED = ["unshare", "@process", "clone", "setsid", "prctl", "close_range", "@privileged"]


def started_as_unit(launch, registry, excluded, **settings):
    environment = registry.preloaded("web", **settings) | {"INVOCATION_ID": "0" * 32}
    host = launch([*seccomp.kill(excluded), "start", *PLAIN], environment)
    host.read_ports()
    return host


@pytest.mark.parametrize("thread", [{}, {"THREAD": "0"}], ids=["thread", "no thread"])
@pytest.mark.parametrize("excluded", EXCLUDED)
def test_filter_of_the_service_that_kills(v3_registry, launch, excluded, thread):
    host = started_as_unit(launch, v3_registry, excluded, **thread)
    says_one_line(host, "a system call filter of this service may kill it")
    assert v3_registry.agents() == []


@pytest.mark.parametrize("excluded", EXCLUDED)
def test_filter_of_the_service_that_kills_beside_an_agent(v3_registry, launch, excluded):
    other = started(launch, v3_registry, PLAIN, WAIT="5s")
    host = started_as_unit(launch, v3_registry, excluded)
    assert threads(host.process.pid) == ["resident"]
    is_registered_beside(v3_registry, other, host)


@needs_root
def test_default_filter_of_a_container(v3_registry, launch):
    """It is that of process 1 too: the host has its thread, and starts its agent."""
    container = ["unshare", "--pid", "--fork", "--mount-proc"]
    host = started(launch, v3_registry, [*container, *seccomp.CONTAINER, "start", *PLAIN])
    web = document("web", host.port)
    v3_registry.expect(web)
    (server,) = host.holders()
    assert threads(server) == ["etcd-registry", "resident"]
    os.kill(server, signal.SIGUSR1)
    assert host.process.wait(PATIENCE_S) == 0
    assert host.stderr == ""


def in_empty_root(_, folder):
    (folder / "empty").mkdir()
    return [product.HOSTS / "resident", "chroot", "empty"]


@needs_root
def test_no_other_agent_from_outside_an_empty_root(v3_registry, launch):
    """A host in a jail goes by the kernel alone: its agent knows it without its thread, and nothing
    of the host could start another agent from outside the jail."""
    host = started(launch, v3_registry, in_empty_root, TTL="3")
    web = document("web", host.port)
    v3_registry.expect(web)
    wait_until(lambda: threads(host.process.pid) == ["resident"], PATIENCE_S, "no other thread")
    (worker,) = v3_registry.agents()
    kill_worker(v3_registry)
    v3_registry.expect(web)
    (second,) = v3_registry.agents()
    assert second != worker
    for pid in (parent(second), second):
        os.kill(pid, signal.SIGKILL)
    v3_registry.expect(timeout_s=2 * PATIENCE_S)
    assert v3_registry.agents() == []
    assert host.stderr == ""
    ends_unharmed(host)


@pytest.fixture
def user():
    """A user without any other process, because RLIMIT_NPROC counts all of them."""
    return random.randrange(60000, 65000)


@pytest.fixture
def open_registry(etcd, agent_watch, request):
    """A registry, a log and a copy of the agent that every user can reach."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o777)
        registry = Registry(etcd, "v3", f"sandbox-{folder.name}", folder)
        shutil.copy(product.COMMAND, folder)
        yield registry
        agent_watch.hosts_are_gone(request.node.name, registry)
        wait_until(lambda: not registry.agents(), PATIENCE_S, "the agent has ended")


def limited(launch, registry, user, *limit):
    agent = registry.folder / "etcd-registry"
    return started(launch, registry, [LIMITED, user, *limit], AGENT_BIN=str(agent))


@needs_root
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_no_process_left_for_thread_or_agent(open_registry, launch, user, processes):
    says_one_line(limited(launch, open_registry, user, "nproc", processes), "cannot create a process")


@needs_root
@pytest.mark.parametrize("processes", [1, 2])
def test_no_process_left_beside_an_agent(open_registry, launch, user, processes):
    other = limited(launch, open_registry, user, "nproc", 100)
    open_registry.expect(document("web", other.port))
    host = limited(launch, open_registry, user, "nproc", processes)
    is_registered_beside(open_registry, other, host)


@needs_root
def test_too_few_descriptors_for_an_agent(open_registry, launch, user):
    host = limited(launch, open_registry, user, "nofile", 8)
    says_one_line(host, "RLIMIT_NOFILE is 8, but the agent needs 20 file descriptors; raise the hard limit")


@needs_root
def test_as_few_descriptors_as_an_agent_takes(open_registry, launch, user):
    host = limited(launch, open_registry, user, "nofile", 20)
    open_registry.expect(document("web", host.port))
    with open_registry.watch() as watch:
        killed = host.kill()
        key = open_registry.key(document("web", host.port))
        assert watch.wait("delete", key, PATIENCE_S) - killed <= GONE_S
