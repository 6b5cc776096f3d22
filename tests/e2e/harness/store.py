# SPDX-License-Identifier: MIT
"""The content of etcd below services/, read and written through its HTTP API by the tests' own
code, never by the product's.

A store has a prefix such as "services/ns/".  Keys are whole, without a leading slash.
"""
import base64
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from .etcd import REQUEST_TIMEOUT_S, exchange

NEXT_NODE_PAUSE_S = 0.05


TXN_MAX = 100


class V3Store:
    api = "v3"

    def __init__(self, etcd, prefix):
        self.etcd = etcd
        self.prefix = prefix

    @staticmethod
    def _encode(text):
        return base64.b64encode(text.encode()).decode()

    def _range(self):
        start = f"/{self.prefix}"
        return {
            "key": self._encode(start),
            "range_end": self._encode(start[:-1] + chr(ord(start[-1]) + 1)),
        }

    def rows(self):
        """Returns (value, lease id or 0) by key."""
        found = {}
        for row in self.etcd.call("kv/range", self._range()).get("kvs", []):
            key = base64.b64decode(row["key"]).decode().removeprefix("/")
            found[key] = (base64.b64decode(row.get("value", "")).decode(), int(row.get("lease", 0)))
        return found

    def texts(self):
        return {key: value for key, (value, _) in self.rows().items()}

    def revision(self):
        """Returns etcd's revision, which every write raises."""
        return int(self.etcd.call("kv/range", self._range())["header"]["revision"])

    def put(self, key, text):
        self.etcd.call("kv/put", {"key": self._encode(f"/{key}"), "value": self._encode(text)})

    def delete(self, key):
        self.etcd.call("kv/deleterange", {"key": self._encode(f"/{key}")})

    def put_many(self, texts):
        """Puts the texts by key, in few requests."""
        puts = [
            {"request_put": {"key": self._encode(f"/{key}"), "value": self._encode(text)}}
            for key, text in texts.items()
        ]
        for at in range(0, len(puts), TXN_MAX):
            self.etcd.call("kv/txn", {"success": puts[at : at + TXN_MAX]})

    def delete_all(self):
        self.etcd.call("kv/deleterange", self._range())

    def compact(self):
        """Makes etcd forget all earlier revisions."""
        self.etcd.call("kv/compaction", {"revision": str(self.revision()), "physical": True})

    def revoke(self, lease):
        self.etcd.call("kv/lease/revoke", {"ID": str(lease)})

    def _answers(self, on_open, start_revision):
        """Yields the answers of a watch until the node ends it."""
        connection = http.client.HTTPConnection(self.etcd.host, timeout=REQUEST_TIMEOUT_S)
        request = {**self._range(), "start_revision": str(start_revision)}
        body = json.dumps({"create_request": request})
        connection.request("POST", self.etcd.v3_path("watch"), body, self.etcd.headers())
        stream = connection.getresponse()
        yield json.loads(stream.readline())["result"]
        connection.sock.settimeout(None)
        on_open(connection.sock)
        while line := stream.readline():
            yield json.loads(line)["result"]

    @staticmethod
    def _event(event):
        key = base64.b64decode(event["kv"]["key"]).decode().removeprefix("/")
        return event.get("type", "PUT").lower(), key

    def events(self, on_open):
        """Yields (kind, key) for ever.  Calls on_open(connection) once no later event can be
        missed."""
        for answer in self._answers(on_open, 0):
            yield from map(self._event, answer.get("events", []))


class ClusterStore(V3Store):
    """The store of a cluster whose nodes come and go.  It asks the first of `nodes` that
    answers."""

    def __init__(self, nodes, prefix):
        super().__init__(nodes[0], prefix)
        self.nodes = list(nodes)

    def _next_node(self):
        self.nodes.append(self.nodes.pop(0))
        self.etcd = self.nodes[0]
        time.sleep(NEXT_NODE_PAUSE_S)

    def events(self, on_open):
        """Yields events without a gap across nodes.  If the cluster's data is new, it starts again
        from the beginning."""
        after = self.revision()
        while True:
            try:
                for answer in self._answers(on_open, after + 1):
                    if int(answer["header"]["revision"]) < after:
                        after = 0
                        break
                    for event in answer.get("events", []):
                        yield self._event(event)
                        after = int(event["kv"]["mod_revision"])
            except (OSError, http.client.HTTPException, KeyError, ValueError):
                self._next_node()


class V2Store:
    api = "v2"

    def __init__(self, etcd, prefix):
        self.etcd = etcd
        self.prefix = prefix

    def _request(self, key, query="", **more):
        url = f"{self.etcd.url}/v2/keys/{urllib.parse.quote(key)}{query}"
        return urllib.request.Request(url, headers=self.etcd.headers(), **more)

    def _leaves(self, node):
        for child in node.get("nodes", []):
            if child.get("dir"):
                yield from self._leaves(child)
            else:
                yield child["key"].removeprefix("/"), child

    def rows(self):
        """Returns (value, seconds left or 0) by key."""
        try:
            answer = exchange(self._request(self.prefix, "?recursive=true"))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return {}
            raise
        return {
            key: (leaf["value"], leaf.get("ttl", 0)) for key, leaf in self._leaves(answer["node"])
        }

    def texts(self):
        return {key: value for key, (value, _) in self.rows().items()}

    def put(self, key, text):
        form = urllib.parse.urlencode({"value": text}).encode()
        exchange(self._request(key, data=form, method="PUT"))

    def delete(self, key):
        exchange(self._request(key, method="DELETE"))

    def overflow(self):
        """Makes etcd forget all earlier events: it keeps 1,000 of them."""
        for _ in range(1001):
            self.put("other/key", "x")

    def _index(self):
        with urllib.request.urlopen(self._request(""), timeout=REQUEST_TIMEOUT_S) as response:
            return int(response.headers["X-Etcd-Index"])

    def events(self, on_open):
        """Does what V3Store.events does.  An index leaves no gap between the requests."""
        connection = http.client.HTTPConnection(self.etcd.host)
        connection.connect()
        index = self._index() + 1
        on_open(connection.sock)
        while True:
            path = f"/v2/keys/{urllib.parse.quote(self.prefix)}"
            query = f"wait=true&recursive=true&waitIndex={index}"
            connection.request("GET", f"{path}?{query}", headers=self.etcd.headers())
            answer = json.load(connection.getresponse())
            index = answer["node"]["modifiedIndex"] + 1
            kind = (
                "delete" if answer["action"] in ("delete", "expire", "compareAndDelete") else "put"
            )
            yield kind, answer["node"]["key"].removeprefix("/")


STORES = {store.api: store for store in (V3Store, V2Store)}
