# SPDX-License-Identifier: MIT
"""The environment of a benchmark: a folder, etcds and hosts.  All of them end with it."""
import contextlib
import itertools
import os
import shutil
import signal

from harness.agents import agents_of
from harness.etcd import Etcd, EtcdCluster
from harness.host import Host
from harness.npm import npm_modules
from harness.process import is_running, parent
from harness.product import BUILD, PRELOAD, ROOT
from harness.registry import Registry
from harness.wait import wait_until

PROGRAMS = BUILD / "bench"
EMPTY = PROGRAMS / "preload" / "empty.so"
OBVIOUS = PROGRAMS / "preload" / "obvious.so"
NPM_SERVER = ROOT / "bench" / "npm_server.js"
TRUE = shutil.which("true")
AGENT_ENDS_S = 10

_numbers = itertools.count()


class Context(contextlib.ExitStack):
    def __init__(self, folder, quick):
        super().__init__()
        self.folder = folder
        self.quick = quick

    def count(self, full, quick):
        """Returns the number of repetitions, or of seconds, for a full or a quick run."""
        return quick if self.quick else full

    def new_folder(self, what):
        folder = self.folder / f"{what}-{next(_numbers)}"
        folder.mkdir()
        return folder

    def etcd(self):
        node = Etcd(self.new_folder("etcd"))
        self.callback(node.stop)
        return node.start()

    def etcd_cluster(self):
        cluster = EtcdCluster(self.new_folder("cluster"))
        self.callback(cluster.stop)
        return cluster.start()

    def registry(self, etcd, api="v3"):
        """Returns a registry with its own namespace, and so with its own agents."""
        folder = self.new_folder("registry")
        registry = Registry(etcd, api, f"bench-{os.getpid()}-{next(_numbers)}", folder)
        self.callback(end_agents, registry)
        return registry

    def host(self, command, environment):
        """Starts a host.  It ends with the benchmark, if not before."""
        host = Host(command, environment, self.new_folder("host"))
        self.callback(host.discard)
        return host


def end_agents(registry):
    """Waits until the agents have ended by themselves.  One that still ran would disturb the next
    benchmark."""
    try:
        wait_until(lambda: not agents_of(registry.log), AGENT_ENDS_S, "the agent has ended")
    except AssertionError:
        for pid in agents_of(registry.log):
            for one in (parent(pid), pid):
                os.kill(one, signal.SIGKILL)
        raise


def agent_processes(registry):
    """Returns the pids of keeper and worker."""
    (worker,) = wait_until(registry.agents, AGENT_ENDS_S, "an agent runs")
    return [parent(worker), worker]


def lines_of(host, count):
    """Returns the first lines that the host prints, as lists of words."""
    wait_until(
        lambda: host.stdout.count("\n") >= count or host.process.poll() is not None,
        120,
        f"{count} lines of {host.process.args[0]}",
        0.002,
    )
    lines = host.stdout.splitlines()
    assert len(lines) >= count, f"ended with {host.process.returncode}: {host.stderr}"
    return [line.split() for line in lines[:count]]


def discard(host):
    if is_running(host.process.pid):
        host.process.kill()
    host.process.wait()


def environments(registry, name="web", **more):
    """Returns the environment of each variant of a program, for this registry's etcd."""
    quiet = {"LOG": f"info:{registry.log}", **more}
    plain = registry.settings(**quiet)
    named = registry.settings(name, **quiet)
    return {
        "plain": plain,
        "empty": plain | {"LD_PRELOAD": str(EMPTY)},
        "ours": named | {"LD_PRELOAD": str(PRELOAD)},
        "obvious": named | {"LD_PRELOAD": str(OBVIOUS)},
    }


def npm_server(registry, *arguments):
    """Returns command and environment of a node server that joins by itself."""
    environment = {**registry.settings(), "NODE_PATH": str(npm_modules())}
    url = registry.url.partition("?")[0]
    return ["node", NPM_SERVER, url, *arguments], environment
