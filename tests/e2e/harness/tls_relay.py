# SPDX-License-Identifier: MIT
"""A way to etcd that ends TLS itself.  It knows the certificate of each client, and can cut
connections."""
import contextlib
import socket
import ssl
import threading

CHUNK = 65536


def context(cert, key, versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED)):
    """Returns the TLS context of a server."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version, made.maximum_version = versions
    made.load_cert_chain(cert, key)
    return made


class TlsRelay:
    """Relays to a node.  `serials` are the serial numbers of the client certificates, one for each
    connection; `resumed` tells for each whether it resumed an earlier TLS session."""

    def __init__(self, etcd, authority, cert, key, version):
        self._target = etcd.host.split(":")
        self._context = context(cert, key, (version, version))
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_verify_locations(authority.cacert)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = []
        self.serials = []
        self.resumed = []
        self.host = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self.url = f"https://{self.host}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def show(self, cert, key):
        """Uses this certificate from now on.  Like etcd with replaced files, it keeps its TLS
        sessions valid."""
        self._context.load_cert_chain(cert, key)

    def cut(self):
        """Ends all current connections."""
        while self._open:
            with contextlib.suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, plain):
        with contextlib.suppress(OSError), self._context.wrap_socket(plain, server_side=True) as near:
            self.serials.append(near.getpeercert()["serialNumber"])
            self.resumed.append(near.session_reused)
            with socket.create_connection((self._target[0], int(self._target[1]))) as far:
                self._open += [near, far]
                back = threading.Thread(target=_copy, args=(far, near), daemon=True)
                back.start()
                _copy(near, far)
                back.join()


def _copy(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            socket.socket.shutdown(end, socket.SHUT_RDWR)
