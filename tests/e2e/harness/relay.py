# SPDX-License-Identifier: MIT
"""A way to etcd that a test can cut, or silence as if the network were gone."""
import contextlib
import selectors
import socket
import threading

CHUNK = 65536


class Relay:
    """Passes every connection on to a real node.  It listens on `host`.  `passed` counts the bytes
    in both directions."""

    def __init__(self, etcd):
        self._target = etcd.host.split(":")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._wake, self._woken = socket.socketpair()
        self._peers = {}
        self._selector = selectors.DefaultSelector()
        self.passed = 0
        self._silent = False
        self._broken = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.host = "127.0.0.1:%d" % self._listener.getsockname()[1]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._tell()
        self._thread.join(5)

    def cut(self):
        """Ends all connections and accepts no more."""
        self._tell()
        self._thread.join(5)

    @contextlib.contextmanager
    def broken(self):
        """Ends all connections, and every new one at once."""
        self._broken = True
        self._wake.send(b"x")
        try:
            yield
        finally:
            self._broken = False

    def fall_silent(self):
        """Passes nothing on any more, without an error on either side."""
        self._silent = True

    def _tell(self):
        self._closed = True
        with contextlib.suppress(OSError):
            self._wake.send(b"x")

    def _accept(self):
        near, _ = self._listener.accept()
        if self._broken:
            near.close()
            return
        far = socket.create_connection((self._target[0], int(self._target[1])))
        self._peers[near], self._peers[far] = far, near
        for end in (near, far):
            self._selector.register(end, selectors.EVENT_READ)

    def _pass_on(self, source):
        peer = self._peers[source]
        try:
            data = source.recv(CHUNK)
            peer.sendall(data)
            self.passed += len(data)
        except OSError:
            data = b""
        if not data:
            self._close(source, peer)

    def _close(self, *ends):
        for end in ends:
            self._selector.unregister(end)
            del self._peers[end]
            end.close()

    def _run(self):
        for source in (self._listener, self._woken):
            self._selector.register(source, selectors.EVENT_READ)
        while not self._closed:
            for source in [key.fileobj for key, _ in self._selector.select()]:
                if self._silent or source is self._woken:
                    self._woken.recv(1)
                    if self._broken:
                        self._close(*self._peers)
                    break
                if source is self._listener:
                    self._accept()
                elif source in self._peers:
                    self._pass_on(source)
        self._selector.close()
        for end in (self._listener, self._wake, self._woken, *self._peers):
            end.close()
