# SPDX-License-Identifier: MIT
"""The agents that hosts started: who they are, their sockets, and that they end.

An agent lets nobody but root look at its environment and its descriptors, so it is told by what
anybody can see.
"""
import contextlib
import os
import pathlib
import re
import signal
import socket
import struct
import threading
import time

from .process import children, command_line, is_running, parent
from .wait import wait_until
from .wire import connect

LOG_LINE = re.compile(r" etcd-registry\[(\d+)\] ")
SOCKET_NAME = re.compile(r"@etcd-registry/\d+/[0-9a-f]{32}")
WATCH_INTERVAL_S = 0.1
PATIENCE_S = 5


def agents_of(log):
    """The processes that wrote this log and have not ended."""
    if not log.exists():
        return []
    pids = {int(pid) for pid in LOG_LINE.findall(log.read_text())}
    return sorted(pid for pid in pids if command_line(pid)[1:2] == ["agent"] and is_running(pid))


def worker_of(registry):
    (pid,) = wait_until(registry.agents, PATIENCE_S, "an agent")
    return pid


def kill_worker(registry):
    """Returns the keeper when another worker of it has taken over."""
    worker = worker_of(registry)
    keeper = parent(worker)
    assert command_line(keeper)[1:2] == ["agent"]
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: registry.agents() not in ([], [worker]), PATIENCE_S, "another worker")
    assert children(keeper) == registry.agents()
    return keeper


def _listening_process(name):
    """None: it has ended since it was listed, or its queue is full (of another worker's test)."""
    try:
        with connect(name) as connection:
            credentials = connection.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII")
            )
    except (ConnectionRefusedError, BlockingIOError):
        return None
    return struct.unpack("iII", credentials)[0]


def socket_name(host):
    """The name, as in /proc/net/unix, of the agent's socket that this host made; None if it
    made none."""
    names = set(SOCKET_NAME.findall(pathlib.Path("/proc/net/unix").read_text()))
    return next((name for name in names if _listening_process(name) == host.process.pid), None)


class AgentWatch:
    """Notes in the background how long agents outlive their last host, so that no test has to
    wait for that."""

    def __init__(self):
        self.lifetimes = {}
        self._waiting = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._run, daemon=True).start()

    def hosts_are_gone(self, test, registry):
        with self._lock:
            self._waiting[test] = (registry.log, time.monotonic())

    def _look(self):
        with self._lock:
            waiting = dict(self._waiting)
        for test, (log, since) in waiting.items():
            if agents_of(log):
                continue
            with self._lock:
                self.lifetimes[test] = time.monotonic() - since
                del self._waiting[test]

    def _run(self):
        while True:
            self._look()
            time.sleep(WATCH_INTERVAL_S)

    def still_running(self):
        """Test to pids of the agents that have not ended."""
        with self._lock:
            return {test: agents_of(log) for test, (log, _) in self._waiting.items()}

    def kill_all(self):
        for pids in self.still_running().values():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
