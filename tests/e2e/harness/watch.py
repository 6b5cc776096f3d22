# SPDX-License-Identifier: MIT
"""A thread that records the time of each change in etcd.  So a measured time does not depend on how
often a test looks."""
import socket
import threading
import time


class Watch:
    """A watch of one store.  Events are (time by CLOCK_MONOTONIC, "put" or "delete", key)."""

    def __init__(self, store):
        self.events = []
        self._store = store
        self._socket = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        with self._changed:
            assert self._changed.wait_for(lambda: self._socket, 5), "etcd did not open the watch"
        return self

    def __exit__(self, *exception):
        self._closed = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(5)

    def _opened(self, connection_socket):
        """The store calls this again when it goes to another node."""
        with self._changed:
            if self._closed:
                raise RuntimeError("the watch is closed")
            self._socket = connection_socket
            self._changed.notify_all()

    def _run(self):
        try:
            for kind, key in self._store.events(self._opened):
                with self._changed:
                    self.events.append((time.monotonic(), kind, key))
                    self._changed.notify_all()
        except Exception:
            if not self._closed:
                raise

    def times(self, kind, key):
        return [
            when
            for when, this_kind, this_key in self.events
            if (this_kind, this_key) == (kind, key)
        ]

    def wait(self, kind, key, timeout_s):
        """Returns when the first such event came."""
        with self._changed:
            self._changed.wait_for(lambda: self.times(kind, key), timeout_s)
            times = self.times(kind, key)
        assert times, f"no {kind} of {key} within {timeout_s} s; seen: {self.events}"
        return times[0]

    def wait_last(self, kind, key, timeout_s):
        """Waits until the latest event of the key is of this kind.  Returns when it came."""

        def last():
            return next((event for event in reversed(self.events) if event[2] == key), None)

        with self._changed:
            found = self._changed.wait_for(lambda: last() and last()[1] == kind, timeout_s)
            when = last() and last()[0]
        assert found, f"no {kind} of {key} as its last within {timeout_s} s; seen: {self.events}"
        return when
