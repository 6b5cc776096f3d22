# SPDX-License-Identifier: MIT
"""Hosts that give up privileges, in many orders (tests/hosts/dropper): each call returns what it
returns without the object, and no thread of the process keeps more than the main thread.

All are started before the first test looks, so that the times pass once and not for each.
"""
import contextlib
import itertools
import os
import random
import time
import types

import pytest
from harness import product
from harness.host import Host
from harness.process import read_proc
from harness.registry import Registry
from harness.wait import wait_until

pytestmark = [
    pytest.mark.xdist_group("privileges"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to give up"),
]

DROPPER = product.HOSTS / "dropper"
READY_S = 20
CHANGED_S = 2
OTHERWISE_S = 6  # a heartbeat, and some time to look
GENERATED = 72
RIGHTS = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
RIGHTS += ("NoNewPrivs", "Seccomp", "Seccomp_filters")
LINKS = ("root", "ns/mnt", "ns/net", "ns/ipc")

CAPABILITIES = ["capset-none", "capset-few", "capset-without-setuid", "setuid", "setresuid", "seteuid"]
CAPABILITIES += ["setreuid"]
OTHERS = ["keepcaps", "capset-raise", "bounding-set", "no-new-privs", "no-groups"]
OTHERS += ["two-groups", "setgid", "setresgid", "seccomp", "setuid-0"]
# By hand: what glibc aborted for, and what only /proc shows.
SEQUENCES = {
    "setpriv": "listen pause keepcaps setresuid capset-raise setresgid",
    "a check": "listen pause capset-without-setuid setuid",
    "back to root": "listen pause keepcaps setuid capset-few setuid-0",
    "no capability": "listen pause capset-none setuid",
    "filter": "listen pause no-new-privs seccomp setuid",
    "sandbox": "listen pause capset-none no-new-privs",
    "at once": "listen capset-none no-new-privs",
    "nginx": "listen two-groups setgid setuid dumpable",
    "secretive": "listen pause no-groups setgid setuid not-dumpable",
    "no new privileges": "listen pause no-new-privs",
    "groups": "listen pause two-groups",
    "group": "listen pause setgid",
    "network": "listen pause unshare-net",
    "mounts": "listen pause unshare-mnt",
    "jail": "listen pause chroot",
    "jail at once": "listen chroot",
    "jail of nobody": "listen pause chroot no-groups setgid setuid",
    "twice": "listen pause no-new-privs listen pause seccomp listen",
}


def generate():
    """The same in each run; some have given up something before they listen."""
    choice = random.Random(12)
    for number in range(GENERATED):
        steps = choice.sample(CAPABILITIES, 2) + choice.sample(OTHERS, 3)
        choice.shuffle(steps)
        at = choice.randrange(3) if number % 3 else 0
        steps.insert(at, "listen")
        if number % 2:
            steps.insert(at + 1, "pause")
        yield " ".join(steps)


SEQUENCES |= dict(zip(map("{:02}".format, itertools.count(1)), generate()))


def capabilities_have_changed(host):
    """Since the last listen; what was dropped and raised again has not."""
    lines = [line.split() for line in host.stdout.splitlines()[:-1]]
    last = max(number for number, line in enumerate(lines) if line[0] == "listen")
    return lines[last][3] != lines[-1][3]


def is_done(host):
    return host.stdout.endswith("done\n")


@pytest.fixture(scope="module")
def hosts(etcd, tmp_path_factory, agent_watch):
    folder = tmp_path_factory.mktemp("privileges")
    folder.chmod(0o777)
    registry = Registry(etcd, "v3", folder.name, folder)
    started = {}
    with contextlib.ExitStack() as stack:
        for number, (name, steps) in enumerate(SEQUENCES.items()):
            for kind in ("plain", "preloaded"):
                place = folder / f"{number}-{kind}"
                place.mkdir()
                make = registry.preloaded if kind == "preloaded" else registry.settings
                host = Host([DROPPER, *steps.split()], make("web"), place)
                stack.callback(host.discard)
                started[name, kind] = host
            host = started[name, "preloaded"]
            wait_until(lambda host=host: is_done(host) or host.process.poll(), READY_S, "the steps")
            host.done = time.monotonic()
        yield types.SimpleNamespace(started=started, registry=registry)
    agent_watch.hosts_are_gone("privileges", registry)


def rights(pid, task):
    lines = read_proc(pid, f"task/{task}/status").decode().splitlines()
    found = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    links = {link: os.readlink(f"/proc/{pid}/task/{task}/{link}") for link in LINKS}
    return {name: found.get(name) for name in RIGHTS} | links


def differences(pid):
    """Name to the value of the main thread and that of another, where they differ."""
    main, found = rights(pid, pid), {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            other = rights(pid, task)
            found |= {name: (main[name], other[name]) for name in main if other[name] != main[name]}
    return found


@pytest.mark.parametrize("name", SEQUENCES)
def test_no_thread_keeps_what_the_main_thread_gave_up(hosts, name):
    host = hosts.started[name, "preloaded"]
    within_s = CHANGED_S if capabilities_have_changed(host) else OTHERWISE_S
    time.sleep(max(0, host.done + within_s - time.monotonic()))
    assert host.process.poll() is None, SEQUENCES[name]
    assert differences(host.process.pid) == {}


@pytest.mark.parametrize("name", SEQUENCES)
def test_each_call_returns_what_it_returns_without(hosts, name):
    ends = []
    for kind in ("plain", "preloaded"):
        host = hosts.started[name, kind]
        wait_until(lambda host=host: is_done(host) or host.process.poll(), READY_S, "the steps")
        host.tell()
        ends.append((host.process.wait(READY_S), host.stdout))
    assert ends[0][0] == 0
    assert ends[0] == ends[1]
