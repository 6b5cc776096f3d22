# SPDX-License-Identifier: MIT
"""Records all the time which sockets the kernel lists on a port, to compare with etcd."""
import dataclasses
import threading
import time

from .process import listening_inodes

INTERVAL_S = 0.002


@dataclasses.dataclass(frozen=True)
class Change:
    """A change of the listening sockets.  It lies between the start of the last look that showed
    `was` and the end of the first that showed `now` (CLOCK_MONOTONIC)."""

    start: float
    end: float
    was: frozenset
    now: frozenset

    @property
    def may_be_silent(self):
        """True if no socket listened both before and after: perhaps none listened in between."""
        return not self.was & self.now


class Listening:
    """A thread that checks a port every few milliseconds."""

    def __init__(self, port):
        self.changes = []
        self._port = port
        self._condition = threading.Condition()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._look = (time.monotonic(), frozenset(listening_inodes(self._port)))
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._closed.set()
        self._thread.join()

    def _run(self):
        while not self._closed.wait(INTERVAL_S):
            start, was = self._look
            self._look = (time.monotonic(), frozenset(listening_inodes(self._port)))
            if self._look[1] != was:
                self._note(Change(start, time.monotonic(), was, self._look[1]))

    def _note(self, change):
        with self._condition:
            self.changes.append(change)
            self._condition.notify_all()

    def silences(self):
        """Returns the changes during which the port may have been silent."""
        return [change for change in self.changes if change.may_be_silent]

    def wait_silent(self, timeout_s):
        """Returns the end of the first look that found no socket any more."""
        with self._condition:
            silent = self._condition.wait_for(
                lambda: self.changes and not self.changes[-1].now, timeout_s
            )
        assert silent, f"port {self._port} listens after {timeout_s} s; seen: {self.changes}"
        return self.changes[-1].end
