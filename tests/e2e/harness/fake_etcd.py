# SPDX-License-Identifier: MIT
"""An etcd node that answers every request in one wrong way."""
import contextlib
import http.server
import threading

HUGE_CHUNK = b" " * 65536
HUGE_MAX = 1 << 30


class FakeEtcd:
    """`answer` is one of ANSWERS.  Counts the requests it got and the bytes that somebody took
    of its answers."""

    def __init__(self, answer):
        self.requests = 0
        self.largest_answer = 0
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fake.requests += 1
                with contextlib.suppress(ConnectionError):
                    ANSWERS[answer](self, fake)
                self.close_connection = True

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._server.shutdown()
        self._server.server_close()


def _send(handler, body, length=None, status=200):
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def _send_huge(handler, fake):
    _send(handler, b"{", HUGE_MAX)
    sent = 1
    with contextlib.suppress(OSError):
        while sent < HUGE_MAX:
            sent += handler.wfile.write(HUGE_CHUNK)
            fake.largest_answer = max(fake.largest_answer, sent)


ANSWERS = {
    "not JSON": lambda handler, _: _send(handler, b"<html>it works</html>"),
    "cut off": lambda handler, _: _send(handler, b'{"header": {"revision": "1', 1000),
    "huge": _send_huge,
    "lacks every field": lambda handler, _: _send(handler, b"{}"),
    "fields of other types": lambda handler, _: _send(
        handler,
        b'{"etcdserver":[],"etcdcluster":3,"ID":{},"TTL":[],"kvs":7,"node":"x","result":[]}',
    ),
    "nothing": lambda handler, _: None,
    "error 500": lambda handler, _: _send(handler, b'{"error":"broken","code":2}', status=500),
}
