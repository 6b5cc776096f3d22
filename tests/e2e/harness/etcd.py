# SPDX-License-Identifier: MIT
"""Real etcd nodes, started by scripts/throwaway-etcd.  THROWAWAY_ETCD names another etcd binary
than this machine's."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

from .process import is_running
from .product import ROOT
from .wait import wait_until

SCRIPT = ROOT / "scripts" / "throwaway-etcd"
REQUEST_TIMEOUT_S = 5
LEADER_TIMEOUT_S = 10


def exchange(request):
    """Returns the JSON answer to a URL or a request."""
    with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as response:
        return json.load(response)


def v3_prefix(version):
    """Returns the prefix of the v3 API in a cluster of that version ("3.4.0")."""
    major, minor = map(int, version.split(".")[:2])
    if (major, minor) < (3, 3):
        return "v3alpha"
    return "v3" if (major, minor) > (3, 3) else "v3beta"


def _start(*arguments, binary=None):
    """Runs the script.  Returns its facts, one dictionary for each node."""
    environment = {**os.environ, **({"THROWAWAY_ETCD": str(binary)} if binary else {})}
    output = subprocess.run(
        [SCRIPT, "start", "--v2", *map(str, arguments)],
        check=True,
        capture_output=True,
        env=environment,
        text=True,
        timeout=30,
    ).stdout
    pairs = [line.split("=", 1) for line in output.splitlines()]
    return [dict(pairs[at : at + 3]) for at in range(0, len(pairs), 3)]


class Etcd:
    """A node with the v2 API beside v3.  It keeps its ports and its data over kill() and start().

    Requests of the tests carry `token`, if users are switched on.  With `certificates`, an
    Authority's folder, the product uses https; the tests still use http.  Names in client
    certificates are users, unless `names_are_users` is False.
    """

    def __init__(self, folder, certificates=None, names_are_users=True):
        self.folder = folder and pathlib.Path(folder)
        self.certificates = certificates
        self.names_are_users = names_are_users
        self.pid = None
        self.url = None
        self.token = None

    @classmethod
    def at(cls, url):
        """Returns a node that somebody else starts and stops."""
        etcd = cls(None)
        etcd.url = url
        return etcd

    @classmethod
    def with_port(cls, folder, client_port, peer_port):
        """Returns a node that is not started: its port is known before anything listens there."""
        folder.mkdir()
        (folder / "ports").write_text(f"{client_port} {peer_port}\n")
        etcd = cls(folder)
        etcd.url = f"http://127.0.0.1:{client_port}"
        return etcd

    @property
    def host(self):
        return self.url.removeprefix("http://")

    @property
    def reached_at(self):
        """The product's connection string for this node, without a namespace."""
        if not self.certificates:
            return self.url
        port = (self.folder / "ports").read_text().split()[2]
        return f"https://127.0.0.1:{port}"

    def start(self, binary=None):
        """Starts the node.  Returns when it answers."""
        option = "--tls" if self.names_are_users else "--tls-no-users"
        tls = [option, self.certificates] if self.certificates else []
        self._take(_start(*tls, self.folder, binary=binary)[0])
        return self

    def _take(self, facts):
        self.url, self.pid = facts["url"], int(facts["pid"])

    def metrics(self):
        """Returns etcd's metrics: value by name with labels."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=REQUEST_TIMEOUT_S) as response:
            lines = response.read().decode().splitlines()
        rows = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in rows}

    def writes(self):
        """Returns the number of writes, of all members together."""
        return int(self.metrics()["etcd_server_proposals_applied_total"])

    def watches(self):
        return int(self.metrics()["etcd_debugging_mvcc_watcher_total"])

    def watch_streams(self):
        return int(self.metrics()["etcd_debugging_mvcc_watch_stream_total"])

    def watch_messages(self):
        """Returns the number of messages sent to watchers."""
        name = 'grpc_server_msg_sent_total{grpc_method="Watch"'
        return sum(value for row, value in self.metrics().items() if row.startswith(name))

    def calls(self):
        """Returns the number of calls by method."""
        pattern = re.compile(r'grpc_server_started_total\{grpc_method="(\w+)"')
        rows = ((pattern.match(name), value) for name, value in self.metrics().items())
        return {match[1]: int(value) for match, value in rows if match and value}

    def is_running(self):
        return self.pid is not None and is_running(self.pid)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not is_running(self.pid), 5, "etcd has ended")

    def advertise(self, url):
        """Sets the URL that the node advertises to clients from its next start on."""
        (self.folder / "advertised").write_text(url)

    def is_leader(self):
        return self.metrics()["etcd_server_is_leader"] == 1

    def lose_data(self):
        """Removes the data of a killed node."""
        shutil.rmtree(self.folder / "data")

    @contextlib.contextmanager
    def stopped(self):
        """A stopped node accepts connections and answers nobody."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def stop(self):
        if self.pid:
            subprocess.run([SCRIPT, "stop", self.folder], check=True, timeout=30)

    def version(self):
        """Returns the version of the cluster."""
        return exchange(f"{self.url}/version")["etcdcluster"]

    def v3_path(self, method):
        return f"/{v3_prefix(self.version())}/{method}"

    def headers(self):
        return {"Authorization": self.token} if self.token else {}

    def call(self, method, body):
        """Calls a method of the v3 API."""
        url = self.url + self.v3_path(method)
        return exchange(urllib.request.Request(url, json.dumps(body).encode(), self.headers()))

    def remove_member(self, other):
        """Removes a member from the cluster, which must have been complete for 5 s.  Returns
        whether etcd accepted that."""
        members = self.call("cluster/member/list", {})["members"]
        gone = next(member for member in members if other.url in member["clientURLs"])
        try:
            self.call("cluster/member/remove", {"ID": gone["ID"]})
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            return False
        return True

    def lists_of_members(self):
        """Returns how many requests for the member list succeeded."""
        return sum(
            int(value)
            for name, value in self.metrics().items()
            if re.match(r'grpc_server_handled_total\{grpc_code="OK",grpc_method="MemberList"', name)
        )


class EtcdCluster:
    """A cluster of three nodes."""

    def __init__(self, folder):
        self.folder = folder
        self.nodes = []

    def start(self):
        """Starts the nodes, also again: they keep their ports and data."""
        for n, facts in enumerate(_start("--nodes", 3, self.folder)):
            if n == len(self.nodes):
                self.nodes.append(Etcd(facts["dir"]))
            self.nodes[n]._take(facts)
        return self

    def leader(self):
        """Returns the leader, as soon as there is one."""
        return wait_until(
            lambda: next(filter(Etcd.is_leader, self.nodes), None), LEADER_TIMEOUT_S, "a node leads"
        )

    def leader_first(self):
        """Returns the nodes, the leader first."""
        leader = self.leader()
        return [leader, *(node for node in self.nodes if node is not leader)]

    def kill(self):
        for node in self.nodes:
            node.kill()

    def lose_data(self):
        for node in self.nodes:
            node.lose_data()

    def stop(self):
        subprocess.run([SCRIPT, "stop", self.folder], check=True, timeout=60)
