# SPDX-License-Identifier: MIT
"""Programs of masters and workers.  Whatever they do to each other, the service is in etcd while
the kernel says that somebody listens.

The tests assume nothing about the program's own handling of its socket.  They compare each delete
with the kernel's report.
"""
import contextlib
import os
import signal
import socket
import struct
import time

import pytest
from harness.kernel import Listening
from harness.process import children, holders, is_running
from harness.programs import (
    NGINX,
    POSTGRES_CONNECTIONS,
    POSTGRES_PROGRAM,
    PROGRAMS,
    TTL_S,
    running,
    skip_what_cannot_be,
)
from harness.wait import settled, wait_until

pytestmark = pytest.mark.programs

GONE_S = 0.1
CROWD_GONE_S = 1.5  # hundreds of processes end, and keep etcd from the processor too
PATIENCE_S = 20
OUTLIVES_S = TTL_S + 1
WORKERS_STILL_S = 0.5

MASTERS = (
    *("nginx", "apache2 event", "apache2 prefork", "gunicorn", "uwsgi", "php-fpm"),
    "node cluster",
)
BY_NAME = {program.name: program for program in (NGINX, *PROGRAMS)}


def workers(host):
    return set(children(host.main))


def all_workers(host):
    """Returns the workers once all are there."""
    return settled(lambda: workers(host), PATIENCE_S, WORKERS_STILL_S)


def kill_each_worker(host):
    """Kills each worker after its predecessor has a successor."""
    for worker in all_workers(host):
        others = workers(host) - {worker}
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: workers(host) - others - {worker}, PATIENCE_S, "a successor runs")


def signal_master(signal_number):
    """Signals the master, and waits until all old workers have ended and new ones run."""

    def act(host):
        before = all_workers(host)
        os.kill(host.main, signal_number)
        wait_until(lambda: not before & workers(host), PATIENCE_S, "the old workers have ended")
        wait_until(lambda: workers(host), PATIENCE_S, "new workers run")

    return act


# If node's workers are killed one by one, they close the socket.  The primary opens it again for
# them.
CHANGES = {
    **{f"{name}, workers killed": (name, kill_each_worker) for name in MASTERS},
    "nginx, reload": ("nginx", signal_master(signal.SIGHUP)),
    "apache2 event, graceful restart": ("apache2 event", signal_master(signal.SIGUSR1)),
    "apache2 prefork, graceful restart": ("apache2 prefork", signal_master(signal.SIGUSR1)),
    "gunicorn, reload": ("gunicorn", signal_master(signal.SIGHUP)),
    "uwsgi, reload": ("uwsgi", signal_master(signal.SIGHUP)),
    "php-fpm, reload": ("php-fpm", signal_master(signal.SIGUSR2)),
}


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def expect_no_delete_but_of_the_silent(instance, kernel):
    """Checks that nothing was deleted while a socket listened."""
    silences = kernel.silences()
    for when in instance.watch.times("delete", instance.key):
        assert any(silence.start <= when for silence in silences), kernel.changes
        silences = [silence for silence in silences if silence.start > when]


def kill_master(host):
    """Kills the master with SIGKILL.  Returns when it has ended."""
    os.kill(host.main, signal.SIGKILL)
    host.process.wait(PATIENCE_S)


def kill_holders_one_by_one(port):
    """Some holders may end by themselves meanwhile."""
    while pids := holders(port):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pids[0], signal.SIGKILL)
        wait_until(lambda pid=pids[0]: not is_running(pid), PATIENCE_S, f"{pids[0]} has ended")


def expect_gone_with_the_last_holder(instance, kernel, gone_s=GONE_S):
    silent = kernel.wait_silent(PATIENCE_S)
    assert instance.watch.wait_last("delete", instance.key, PATIENCE_S) - silent <= gone_s
    assert instance.registry.documents() == {}
    expect_no_delete_but_of_the_silent(instance, kernel)
    wait_until(lambda: not instance.registry.agents(), PATIENCE_S, "the agent has ended")
    assert "etcd-registry" not in instance.host.stderr


@pytest.mark.parametrize("name, change", CHANGES.values(), ids=CHANGES)
def test_registered_while_anybody_listens(etcd, name, change):
    skip_what_cannot_be(BY_NAME[name])
    with running(etcd, BY_NAME[name]) as instance:
        host = instance.host
        instance.expect_registered()
        with Listening(host.port) as kernel:
            change(host)
            instance.expect_registered()
            connect(host.port).close()
            expect_no_delete_but_of_the_silent(instance, kernel)
            kill_master(host)
            time.sleep(OUTLIVES_S)
            expect_no_delete_but_of_the_silent(instance, kernel)
            kill_holders_one_by_one(host.port)
            expect_gone_with_the_last_holder(instance, kernel)


def read_exactly(connection, length):
    received = b""
    while len(received) < length:
        part = connection.recv(length - len(received))
        assert part, "the server closed the connection"
        received += part
    return received


def connect_to_postgres(port):
    """Returns a session that has its own backend, or None while the server is still starting
    (57P03).  See PostgreSQL's protocol 3.0, start-up message flow."""
    connection = connect(port)
    parameters = b"user\0postgres\0database\0postgres\0\0"
    connection.sendall(struct.pack("!II", 8 + len(parameters), 3 << 16) + parameters)
    kind = None
    while kind != b"Z":
        kind, length = struct.unpack("!cI", read_exactly(connection, 5))
        body = read_exactly(connection, length - 4)
        if kind == b"E" and b"57P03" in body:
            connection.close()
            return None
        assert kind != b"E", body
    return connection


@pytest.mark.parametrize(
    "end", [signal.SIGKILL, signal.SIGQUIT], ids=["postmaster killed", "immediate stop"]
)
def test_500_sessions_of_postgres_do_not_matter(etcd, end):
    skip_what_cannot_be(POSTGRES_PROGRAM)
    with contextlib.ExitStack() as stack:
        instance = stack.enter_context(running(etcd, POSTGRES_PROGRAM))
        instance.expect_registered()
        kernel = stack.enter_context(Listening(instance.host.port))
        first = wait_until(
            lambda: connect_to_postgres(instance.host.port), PATIENCE_S, "a first session is open"
        )
        stack.enter_context(first)
        for _ in range(POSTGRES_CONNECTIONS - 1):
            stack.enter_context(connect_to_postgres(instance.host.port))
        backends = workers(instance.host)
        assert len(backends) >= POSTGRES_CONNECTIONS
        time.sleep(OUTLIVES_S)
        assert not instance.watch.times("delete", instance.key)
        connect_to_postgres(instance.host.port).close()
        os.kill(instance.host.main, end)
        expect_gone_with_the_last_holder(instance, kernel, CROWD_GONE_S)
        wait_until(lambda: not any(map(is_running, backends)), PATIENCE_S, "no backend is left")
