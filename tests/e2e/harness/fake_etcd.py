# SPDX-License-Identifier: MIT
"""An etcd node that answers every request in one wrong way, or passes it on to a real one."""
import contextlib
import http.client
import http.server
import json
import threading
import time

SLOW_S = 30
LONG = 10 << 20
CHUNK = 65536
HUGE_CHUNK = b" " * 65536
HUGE_MAX = 1 << 30


class FakeEtcd:
    """A fake node.  `answer` is one of ANSWERS, MORE_ANSWERS or ERRORS, and may change at any time.
    With None it passes requests on to `node`.  It counts the requests, the wrong answers except
    to watches, and the bytes that a client read."""

    def __init__(self, answer=None, node=None):
        self.answer = answer
        self.node = node
        self.requests = 0
        self.wrong_answers = 0
        self.latest_call_s = 0
        self.largest_answer = 0
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with contextlib.suppress(OSError, http.client.HTTPException):
                    fake._answer(self, body)
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

    def _answer(self, handler, body):
        answer = self.answer
        self.requests += 1
        if not handler.path.endswith("/watch"):
            self.latest_call_s = time.monotonic()
            self.wrong_answers += answer is not None
        if not answer:
            self._pass_on(handler, body)
            return
        if answer in ERRORS:
            status, text = ERRORS[answer]
            _send(handler, text.encode(), status=status)
        else:
            {**ANSWERS, **MORE_ANSWERS}[answer](handler, self)

    def _pass_on(self, handler, body):
        """Passes a request on, but not one for the member list: the client would then skip the
        fakes."""
        if handler.path.endswith("/member/list"):
            handler.send_error(404)
            return
        connection = http.client.HTTPConnection(self.node.host)
        kept = ("Authorization", "Content-Type")
        headers = {name: handler.headers[name] for name in kept if name in handler.headers}
        connection.request(handler.command, handler.path, body, headers)
        response = connection.getresponse()
        handler.send_response(response.status)
        handler.send_header("Content-Type", response.headers["Content-Type"])
        handler.end_headers()
        while part := response.read1(CHUNK):
            handler.wfile.write(part)


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


def _send_slowly(handler, _):
    time.sleep(SLOW_S)
    _send(handler, b"{}")


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

MORE_ANSWERS = {
    "10 MB": lambda handler, _: _send(handler, b'{"x": "' + b"x" * LONG + b'"}'),
    "slow": _send_slowly,
}


def _error(status, message, code, shape="{{'error': {0}, 'message': {0}, 'code': {1}}}"):
    text = shape.format(json.dumps(message), code).replace("'", '"')
    return status, text


NO_LEADER = "etcdserver: no leader"

# The wording of etcd's versions, and of proxies.
ERRORS = {
    "no leader, 3.1": _error(500, NO_LEADER, 2, "{{'Error': {0}, 'Code': {1}}}"),
    "no leader, 3.3": _error(503, NO_LEADER, 14, "{{'error': {0}, 'code': {1}}}"),
    "no leader, 3.4": _error(503, NO_LEADER, 14),
    "no leader, 3.6": _error(503, NO_LEADER, 14, "{{'code': {1}, 'message': {0}}}"),
    "canceled, stream of 3.4": _error(
        200,
        "context canceled",
        1,
        "{{'error': {{'grpc_code': {1}, 'http_code': 408, 'message': {0}}}}}",
    ),
    "unavailable, stream of 3.6": _error(
        200, "etcdserver: server stopped", 14, "{{'error': {{'code': {1}, 'message': {0}}}}}"
    ),
    "not a lessor": _error(500, "not a primary lessor", 2),
    "unknown": _error(500, "broken", 2),
    "too many requests": _error(429, "etcdserver: too many requests", 8),
    "no space": _error(429, "etcdserver: mvcc: database space exceeded", 8),
    "no such lease": _error(404, "etcdserver: requested lease not found", 5),
    "permission denied": _error(403, "etcdserver: permission denied", 7),
    "no user": _error(400, "etcdserver: user name is empty", 3),
    "invalid token": _error(401, "etcdserver: invalid auth token", 16),
    "raft, v2": (500, '{"errorCode":300,"message":"Raft Internal Error","cause":"","index":7}'),
    "no such page": (404, "404 page not found\n"),
    "wrong method": (405, "Method Not Allowed\n"),
    "wrong host": (421, "Misdirected Request\n"),
    "bad gateway": (502, "<html>Bad Gateway</html>"),
}
