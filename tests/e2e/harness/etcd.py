# SPDX-License-Identifier: MIT
"""A real etcd node, started by scripts/throwaway-etcd."""
import contextlib
import os
import re
import signal
import subprocess
import urllib.request

from .process import is_running
from .product import ROOT
from .wait import wait_until

SCRIPT = ROOT / "scripts" / "throwaway-etcd"


class Etcd:
    """With the v2 API beside v3.  Keeps its ports and its content over kill() and start()."""

    def __init__(self, folder):
        self.folder = folder
        self.pid = None
        self.url = None

    @classmethod
    def with_port(cls, folder, client_port, peer_port):
        """Not started: the port is known before anything listens there."""
        folder.mkdir()
        (folder / "ports").write_text(f"{client_port} {peer_port}\n")
        etcd = cls(folder)
        etcd.url = f"http://127.0.0.1:{client_port}"
        return etcd

    @property
    def host(self):
        return self.url.removeprefix("http://")

    def start(self):
        """Returns when it answers."""
        command = [SCRIPT, "start", "--v2", self.folder]
        output = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=30
        ).stdout
        facts = dict(line.split("=", 1) for line in output.splitlines())
        self.url, self.pid = facts["url"], int(facts["pid"])
        return self

    def metrics(self):
        """What it counts: name with its labels to value."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
        rows = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in rows}

    def watches(self):
        return int(self.metrics()["etcd_debugging_mvcc_watcher_total"])

    def calls(self):
        """Method to how often it was called."""
        pattern = re.compile(r'grpc_server_started_total\{grpc_method="(\w+)"')
        rows = ((pattern.match(name), value) for name, value in self.metrics().items())
        return {match[1]: int(value) for match, value in rows if match and value}

    def is_running(self):
        return self.pid is not None and is_running(self.pid)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not is_running(self.pid), 5, "etcd has ended")

    @contextlib.contextmanager
    def stopped(self):
        """It accepts connections and answers nobody."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def stop(self):
        if self.pid:
            subprocess.run([SCRIPT, "stop", self.folder], check=True, timeout=30)
