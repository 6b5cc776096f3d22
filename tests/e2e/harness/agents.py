# SPDX-License-Identifier: MIT
"""The agents that hosts started: their processes and sockets, and whether they have ended.

Only root may look at an agent's environment and file descriptors.  So these functions use facts
that every user can see.
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
    """Returns the running processes that wrote this log."""
    if not log.exists():
        return []
    pids = {int(pid) for pid in LOG_LINE.findall(log.read_text())}
    return sorted(pid for pid in pids if command_line(pid)[1:2] == ["agent"] and is_running(pid))


def worker_of(registry):
    (pid,) = wait_until(registry.agents, PATIENCE_S, "an agent runs")
    return pid


def kill_worker(registry):
    """Kills the worker.  Returns the keeper when its next worker runs."""
    worker = worker_of(registry)
    keeper = parent(worker)
    assert command_line(keeper)[1:2] == ["agent"]
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: registry.agents() not in ([], [worker]), PATIENCE_S, "another worker runs")
    assert children(keeper) == registry.agents()
    return keeper


def _listening_process(name):
    """Returns the pid.  None: the process has ended since it was listed, or its queue is full
    (another pytest worker's test)."""
    try:
        with connect(name) as connection:
            credentials = connection.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII")
            )
    except (ConnectionRefusedError, BlockingIOError):
        return None
    return struct.unpack("iII", credentials)[0]


def socket_name(host):
    """Returns the agent's socket that this host made, by its name in /proc/net/unix; None if it
    made none."""
    names = set(SOCKET_NAME.findall(pathlib.Path("/proc/net/unix").read_text()))
    return next((name for name in names if _listening_process(name) == host.process.pid), None)


class AgentWatch:
    """Measures in the background how long agents outlive their last host, so that no test has to
    wait."""

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
        """Returns the pids of agents that still run, by test."""
        with self._lock:
            return {test: agents_of(log) for test, (log, _) in self._waiting.items()}

    def kill_all(self):
        for pids in self.still_running().values():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
