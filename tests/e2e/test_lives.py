# SPDX-License-Identifier: MIT
"""Hosts that change themselves as servers do, each with an agent of its own.

All start before the first test checks them, so that the wait of three TTLs happens once.
"""
import contextlib
import dataclasses
import os
import socket
import time
import types
import typing

import pytest
from harness import product, seccomp
from harness.activation import ACTIVATED
from harness.agents import kill_worker
from harness.host import Host
from harness.process import free_port, has_capability, local_addresses
from harness.registry import Registry, document
from harness.wait import wait_until

pytestmark = pytest.mark.xdist_group("lives")

TTL_S = 3
THREE_TTLS_S = 3 * TTL_S
KILLED_GONE_S = 0.1
A_DUMP_S = 1.1
CAP_SYS_RESOURCE = 24  # not in every container
PATIENCE_S = 3
STARTED_TIMES = "200"

RESIDENT = product.HOSTS / "resident"
EARLY = product.HOSTS / "preload" / "early.so"
BEFORE_OURS, AFTER_OURS = f"{product.PRELOAD}:{EARLY}", f"{EARLY}:{product.PRELOAD}"
CLOSING_DESCRIPTORS = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
HIDE_PIDS = "mount -t proc -o hidepid=2 proc /proc"
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
NO_PROC = "mount -t tmpfs none /proc"
READ_ONLY = 'mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro /'


@dataclasses.dataclass(frozen=True)
class Life:
    """`settings` are added to those of a host that has to start its agent.  With `takes_port` the
    command gets a port as an argument, and does not print one."""

    command: list
    settings: dict = dataclasses.field(default_factory=dict)
    name: str = "web"
    needs_root: bool = False
    takes_port: bool = False
    address: typing.Optional[str] = "127.0.0.1"  # None: an address of this machine
    worker_kills: int = 0
    gone_s: float = KILLED_GONE_S


def resident(what, **more):
    return Life([RESIDENT, what], **more)


def limited(limit, **more):
    return Life(["prlimit", limit, RESIDENT, "plain"], **more)


def mounted(mounts, *command, **more):
    """Runs the command in a mount namespace of its own."""
    script = f'{mounts} && exec "$@"'
    return Life(["unshare", "--mount", "sh", "-c", script, "sh", *command], needs_root=True, **more)


def filtered(filter):
    """Its filter is its own, so nothing but this setting gives it a thread and an agent."""
    settings = {"ETCD_REGISTRY_THREAD": "1"}
    return Life([*filter, "start", RESIDENT, "plain"], settings)


def filtered_later(filter, **more):
    return Life([*filter, "listen"], **more)


def early(objects):
    return Life(["sleep", "600"], {"LD_PRELOAD": objects, "ETCD_REGISTRY_EXE": "sleep"})


# listen() returns only when the agent runs and knows the socket.
KNOWN = {"ETCD_REGISTRY_WAIT": "5s"}
DAEMONS = ("daemon", "fork", "double-fork", "double-fork-exit", "late-fork")
NO_UNIX = seccomp.refuse("socket:1")
NO_NETLINK = seccomp.refuse("socket:16")
NO_PROCESS = seccomp.refuse("clone", "clone3", "fork", "vfork")
NO_PROGRAM = seccomp.refuse("execve", "execveat")
SERVICE = seccomp.services_only()
# Older versions of the list do not have close_range.
OLDER_SERVICE = seccomp.services_only(without=["close_range"])
LIVES = {
    **{what: resident(what) for what in ("close", "closefrom", "close_range", "dup2")},
    **{what: resident(what) for what in DAEMONS},
    **{f"{what}, two workers killed": resident(what, worker_kills=2) for what in DAEMONS},
    "subreaper": resident("subreaper"),
    "mptcp": resident("mptcp"),
    "loopback and another": resident("loopback", settings={"ETCD_REGISTRY_HOST": ""}, address=None),
    "udp": Life([product.LISTENER, "-u"], name="web:{port}/udp", takes_port=True),
    "passed by systemd": Life(ACTIVATED, {"LD_PRELOAD": ""}, takes_port=True),
    "mlockall": resident("mlockall", needs_root=True),
    "setuid": resident("setuid", needs_root=True),
    "setuid, not dumpable": resident("setuid-dumpable", needs_root=True),
    "chroot": Life([RESIDENT, "chroot", "empty"], needs_root=True),
    "chroot of two threads": Life([RESIDENT, "chroot-threads", "empty"], needs_root=True),
    "pivot_root": Life([RESIDENT, "pivot_root", "empty"], needs_root=True),
    "setns of mounts": resident("setns", needs_root=True),
    "unshare of users": resident("newuser", settings={"ETCD_REGISTRY_THREAD": "0"}),
    "read-only root": mounted(READ_ONLY, RESIDENT, "plain"),
    "no /proc": mounted(NO_PROC, RESIDENT, "plain"),
    "hidepid=2": mounted(HIDE_PIDS, *AS_NOBODY, RESIDENT, "plain"),
    "no /proc, daemon": mounted(NO_PROC, RESIDENT, "double-fork", gone_s=A_DUMP_S),
    "RLIMIT_NOFILE 8": limited("--nofile=8:1024"),
    "RLIMIT_NOFILE 8, hard": limited("--nofile=8:8", needs_root=True),
    "RLIMIT_AS 64 MB": limited("--as=64000000"),
    "descriptors closed": Life([*CLOSING_DESCRIPTORS, product.LISTENER], takes_port=True),
    "no netlink": filtered(NO_NETLINK),
    "no netlink after listen": filtered_later(NO_NETLINK),
    "no unix socket after listen": filtered_later(NO_UNIX, settings=KNOWN),
    "no process after listen": filtered_later(NO_PROCESS, settings=KNOWN),
    "no program after listen": filtered_later(NO_PROGRAM, settings=KNOWN),
    "@system-service": filtered(SERVICE),
    "@system-service, an older one": filtered(OLDER_SERVICE),
    "@system-service after listen": filtered_later(SERVICE),
    "@system-service after the outcome": filtered_later(SERVICE, settings=KNOWN),
    "library listens before": early(BEFORE_OURS),
    "library listens after": early(AFTER_OURS),
    "names of libraries": Life([product.HOSTS / "namesake"]),
    "posix_spawn and vfork": Life([product.HOSTS / "spawner", STARTED_TIMES]),
}


def start(etcd, folder, life):
    (folder / "empty").mkdir()
    registry = Registry(etcd, "v3", folder.name, folder)
    port = free_port() if life.takes_port else None
    command = [*life.command, port] if port else life.command
    name = life.name.format(port=port)
    settings = {**registry.preloaded(name, TTL=str(TTL_S)), **life.settings}
    host = Host(command, settings, folder, port)
    return types.SimpleNamespace(registry=registry, host=host, watch=registry.watch())


def read_port(host):
    if host.port is None:
        host.read_ports()


def expect(life, registry, port):
    """Returns the document once it is in etcd."""
    address = life.address
    if address is None:
        (found,) = wait_until(registry.documents, PATIENCE_S, "a document").values()
        address = found["hostname"]
        assert address in local_addresses()
    web = document("web", port, address)
    registry.expect(web)
    return web


def kill_workers(life, registry, host):
    if life.worker_kills:
        host.process.wait(PATIENCE_S)
        read_port(host)
        expect(life, registry, host.port)
    for _ in range(life.worker_kills):
        kill_worker(registry)


def kill(host):
    """Nothing finds the holders of a UDP socket."""
    if not host.holders():
        host.process.kill()
    return host.kill()


def discard(host):
    """The port identifies a daemon, and perhaps no test has read it yet."""
    if host.stdout:
        read_port(host)
    host.discard()


def can_be(name):
    if name == "mptcp":
        with contextlib.suppress(OSError), socket.socket(proto=socket.IPPROTO_MPTCP):
            return True
        return False
    if LIVES[name].address is None and not local_addresses():
        return False
    if name == "RLIMIT_NOFILE 8, hard":
        return has_capability(CAP_SYS_RESOURCE)
    return os.geteuid() == 0 or not LIVES[name].needs_root


@pytest.fixture(scope="module")
def lives(etcd, tmp_path_factory, agent_watch):
    started = {}
    with contextlib.ExitStack() as stack:
        for number, name in enumerate(filter(can_be, LIVES)):
            folder = tmp_path_factory.mktemp(f"life-{number}-")
            folder.chmod(0o755)
            started[name] = start(etcd, folder, LIVES[name])
            stack.callback(discard, started[name].host)
            stack.enter_context(started[name].watch)
        for name, life in started.items():
            kill_workers(LIVES[name], life.registry, life.host)
        yield started, time.monotonic()
    for name, life in started.items():
        agent_watch.hosts_are_gone(f"life: {name}", life.registry)


@pytest.mark.parametrize("name", LIVES)
def test_registered_for_three_ttls_and_gone_within_100_ms_of_kill_9(lives, name):
    started, since = lives
    if name not in started:
        pytest.skip("not on this machine, or not for this user")
    registry, host, watch = started[name].registry, started[name].host, started[name].watch
    read_port(host)
    web = expect(LIVES[name], registry, host.port)
    key = registry.key(web)
    time.sleep(max(0, since + THREE_TTLS_S - time.monotonic()))
    assert not watch.times("delete", key)
    assert registry.documents() == {key: web}
    killed = kill(host)
    assert watch.wait("delete", key, PATIENCE_S) - killed <= LIVES[name].gone_s
    assert registry.documents() == {}
    assert host.stderr == ""
