# SPDX-License-Identifier: MIT
"""The agents that hosts started: who they are, their sockets, and that they end."""
import os
import pathlib
import re
import signal
import threading
import time

from .process import all_pids, command_line, descriptors, environment, is_running

SOCKET_NAME = re.compile(r"@etcd-registry/\d+/[0-9a-f]{32}")
WATCH_INTERVAL_S = 0.1


def agents_of(url):
    """The processes of the agent for this connection string."""
    setting = f"ETCD_REGISTRY_URL={url}"
    return [
        pid
        for pid in all_pids()
        if command_line(pid)[1:2] == ["agent"] and setting in environment(pid) and is_running(pid)
    ]


def socket_name(pid):
    """The abstract name that the agent listens on, as /proc/net/unix shows it; None if it has none."""
    own = set(descriptors(pid).values())
    for row in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]:
        columns = row.split()
        if len(columns) == 8 and f"socket:[{columns[6]}]" in own and SOCKET_NAME.fullmatch(columns[7]):
            return columns[7]
    return None


class AgentWatch:
    """Notes in the background how long agents outlive their last host, so that no test has to wait for that."""

    def __init__(self):
        self.lifetimes = {}
        self._waiting = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._run, daemon=True).start()

    def hosts_are_gone(self, test, url):
        with self._lock:
            self._waiting[test] = (url, time.monotonic())

    def _look(self):
        with self._lock:
            waiting = dict(self._waiting)
        for test, (url, since) in waiting.items():
            if agents_of(url):
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
            return {test: agents_of(url) for test, (url, _) in self._waiting.items()}

    def kill_all(self):
        for pids in self.still_running().values():
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
