# SPDX-License-Identifier: MIT
"""One test's part of etcd: a namespace of its own, through one of the two APIs."""
import hashlib
import json
import re
import subprocess
import time

from .agents import agents_of
from .product import COMMAND, PRELOAD, clean_environment
from .store import STORES
from .wait import wait_until, wait_until_equal
from .watch import Watch

REGISTERED_TIMEOUT_S = 5
LEFT_TIMEOUT_S = 2
COMMAND_TIMEOUT_S = 20


def document(name, port, hostname="127.0.0.1", protocol="http"):
    """Returns the document of a service as the npm package writes it."""
    host = f"[{hostname}]:{port}" if ":" in hostname else f"{hostname}:{port}"
    return {
        "name": name,
        "port": port,
        "hostname": hostname,
        "host": host,
        "url": f"{protocol}://{host}",
    }


class Registry:
    """A namespace in etcd.  `nodes` are more nodes for the connection string, before the real one.
    The product starts with the first of them."""

    def __init__(self, etcd, api, namespace, folder, nodes=()):
        self.etcd = etcd
        self.api = api
        self.namespace = namespace
        self.folder = folder
        self.nodes = nodes
        self.log = folder / "agent.log"
        self.store = STORES[api](etcd, f"services/{namespace}/")

    @property
    def url(self):
        """The connection string.  It names no API for v3: `auto` has to find that."""
        scheme, host = self.etcd.reached_at.split("://")
        hosts = ",".join((*self.nodes, host))
        return f"{scheme}://{hosts}/{self.namespace}" + ("?api=v2" if self.api == "v2" else "")

    def settings(self, name=None, **more):
        """Returns the environment of a process that uses this registry.  more={"HOST": ...} sets
        ETCD_REGISTRY_HOST."""
        values = {
            "URL": self.url,
            "HOST": "127.0.0.1",
            "LOG": f"debug:{self.log}",
            "NAME": name,
            "SPREAD": "0" if self.nodes else None,
            **more,
        }
        settings = {
            f"ETCD_REGISTRY_{key}": str(value)
            for key, value in values.items()
            if value is not None
        }
        return {**clean_environment(), **settings}

    def preloaded(self, name, **more):
        return {**self.settings(name, **more), "LD_PRELOAD": str(PRELOAD)}

    def agents(self):
        return agents_of(self.log)

    def key(self, service):
        directory = re.sub(r"[^A-Za-z0-9-]", "-", service["name"])
        digest = hashlib.sha1(f"{service['name']}-{service['url']}".encode()).hexdigest()
        return f"{self.store.prefix}{directory}/{digest}"

    def documents(self):
        return {key: json.loads(text) for key, text in self.store.texts().items()}

    def leases(self):
        """Returns the leases of the keys that are there.  In v3, an unchanged lease means that the
        key never left."""
        return {key: lease for key, (_, lease) in self.store.rows().items()}

    def expect(self, *services, timeout_s=REGISTERED_TIMEOUT_S):
        """Waits until exactly these documents are there, each under its key, with the same JSON
        types."""
        wait_until_equal(
            self.documents, {self.key(service): service for service in services}, timeout_s
        )

    def wait_for(self, service, timeout_s=REGISTERED_TIMEOUT_S):
        wait_until(
            lambda: self.documents().get(self.key(service)) == service,
            timeout_s,
            f"{service} in {self.api}",
        )

    def watch(self):
        return Watch(self.store)

    def expect_held(self, service, host, for_s, meanwhile=lambda: None):
        """Checks for a time that etcd sees no write but keepalives, which a watch does not report.
        Then kills the host and waits until its key is deleted."""
        with self.watch() as watch:
            meanwhile()
            time.sleep(for_s)
            assert self.documents() == {self.key(service): service}
            assert not watch.events
            host.kill()
            watch.wait("delete", self.key(service), LEFT_TIMEOUT_S)

    def run(self, *arguments, env=None, **options):
        """Runs the command on this registry.  Returns the result of subprocess.run."""
        return subprocess.run(
            [COMMAND, *map(str, arguments)],
            env={**self.settings(), **(env or {})},
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
            **options,
        )
