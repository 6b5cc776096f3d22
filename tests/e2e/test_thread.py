# SPDX-License-Identifier: MIT
"""The thread of the object is none of the host's: what a libc, a library or the kernel does to all
threads of a process ends as it does without it."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from harness import product
from harness.process import all_pids, children, read_proc, status, threads
from harness.registry import document
from harness.wait import wait_until

PATIENCE_S = 5
RUN_S = 30
NAME = "etcd-registry"
EARLY = product.HOSTS / "preload" / "early.so"
SMALL_KB = 2048
LOOKS_S = 2  # some looks of the agent's parent
CALLER = product.HOSTS / "caller"
OPEN_SIGNAL = 33  # SIGSETXID of glibc, which libpsx uses
NEVER_BLOCKED = (9, 19)
ELSEWHERE = "children of this server belong to another pid namespace"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and users need root")


def thread_of(host):
    """The folder in /proc of the object's thread."""
    for task in pathlib.Path(f"/proc/{host.process.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == NAME:
            return task
    return None


def registered(launch, registry, command, **settings):
    host = launch(command, registry.preloaded("web", **settings))
    host.read_ports()
    registry.expect(document("web", host.port))
    return host


def test_every_signal_is_blocked_in_it_but_one(v3_registry, launch):
    host = registered(launch, v3_registry, [product.LISTENER])
    mask = int(status(f"{host.process.pid}/task/{thread_of(host).name}")["SigBlk"], 16)
    assert {n for n in range(1, 65) if not mask >> (n - 1) & 1} == {OPEN_SIGNAL, *NEVER_BLOCKED}


@needs_root
def test_setpriv(v3_registry, launch):
    """It keeps its capabilities over setresuid(), and then calls setresgid()."""
    objects = {"LD_PRELOAD": f"{product.PRELOAD}:{EARLY}"}
    command = [shutil.which("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
    settings = v3_registry.preloaded("web", EXE="setpriv")
    host = launch([*command, "/bin/echo", "x"], settings | objects)
    assert host.process.wait(RUN_S) == 0
    assert host.stdout.endswith("x\n")
    v3_registry.expect()


@needs_root
def test_much_thread_local_storage(v3_registry, launch):
    host = registered(launch, v3_registry, [product.HOSTS / "big_tls"])
    host.tell()
    assert host.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("others", [[], ["threads"]], ids=["alone", "with another thread"])
def test_first_listen_in_a_signal_handler(v3_registry, launch, others):
    host = launch([product.HOSTS / "interrupter", *others], v3_registry.preloaded("web"))
    assert host.process.wait(RUN_S) == 0
    assert host.stdout == "0\n"


@needs_root
def test_first_process_of_a_pid_namespace_is_the_hosts(v3_registry, launch):
    host = launch([CALLER, "pid-namespace"], v3_registry.preloaded("web"))
    assert host.read_ports(count=2)[1] == 1
    wait_until(lambda: host.stderr.endswith("\n"), PATIENCE_S, "a line on stderr")
    assert ELSEWHERE in host.stderr
    assert v3_registry.agents() == []


@needs_root
def test_host_of_a_pid_namespace_beside_an_agent(v3_registry, launch, launch_listener):
    other = launch_listener(v3_registry.preloaded("other"))
    v3_registry.expect(document("other", other.port))
    host = launch([CALLER, "pid-namespace"], v3_registry.preloaded("web"))
    assert host.read_ports(count=2)[1] == 1
    v3_registry.expect(document("other", other.port), document("web", host.port))
    assert host.stderr == ""


@needs_root
def test_copy_of_process_1_waits_for_nobody(v3_registry, launch):
    command = ["unshare", "--pid", "--fork", "--mount-proc", CALLER, "copy"]
    host = launch(command, v3_registry.preloaded("web"))
    assert host.read_ports(count=2)[1] == 0
    v3_registry.expect(document("web", host.port))
    os.kill(host.holders()[0], signal.SIGUSR1)
    assert host.process.wait(PATIENCE_S) == 0


def test_filter_for_all_threads_after_a_listen_under_another_one(v3_registry, launch):
    host = launch([CALLER, "filter"], v3_registry.preloaded("web", THREAD="1"))
    assert host.read_ports(count=2)[1] == 0
    v3_registry.expect(document("web", host.port))
    assert host.stderr == ""


def resident_kb(pid):
    return int(status(pid).get("VmRSS", "0").split()[0])


def is_child_of(pid, parent):
    return status(pid).get("PPid") == str(parent)


def test_memory_of_a_subreaper_that_executes_another_program_is_free(v3_registry, launch):
    host = registered(launch, v3_registry, [product.HOSTS / "successor"])

    def parents_of_agents():
        return [pid for pid in all_pids() if is_child_of(pid, host.process.pid)]

    (middle,) = parents_of_agents()
    wait_until(lambda: resident_kb(middle) < SMALL_KB, PATIENCE_S, "the old memory is free")
    assert parents_of_agents() == [middle]
    assert b"[heap]" not in read_proc(middle, "maps")


@needs_root
def test_memory_of_a_host_that_lives_stays_where_proc_is_anothers(v3_registry, launch):
    """Process 1 of a namespace without a /proc of its own, whose thread has ended: the agent's
    parent must not take it for gone."""
    dropper = [product.HOSTS / "dropper", "listen", "pause", "no-new-privs"]
    command = ["unshare", "--pid", "--fork", *dropper]
    host = launch(command, v3_registry.preloaded("web", TTL="3"))
    wait_until(lambda: "done" in host.stdout, PATIENCE_S, "the steps")
    (server,) = children(host.process.pid)
    wait_until(lambda: threads(server) == ["dropper"], 2 * PATIENCE_S, "no other thread")
    time.sleep(LOOKS_S)
    os.kill(server, signal.SIGUSR1)
    assert host.process.wait(PATIENCE_S) == 0
    assert "dumpable" in host.stdout
    v3_registry.expect(timeout_s=2 * PATIENCE_S)


def test_process_group_of_a_subreaper_ends_with_it(v3_registry, launch):
    host = registered(launch, v3_registry, ["setsid", product.HOSTS / "reaper"])
    host.tell()
    assert host.process.wait(PATIENCE_S) == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(host.process.pid, 0)


def test_it_ends_where_the_host_restricts_itself_and_comes_back(v3_registry, launch):
    """The next listen() makes another, which has the host's restrictions from the beginning."""
    host = launch(
        [product.HOSTS / "dropper", "listen", "pause", "no-new-privs", "pause"],
        v3_registry.preloaded("web"),
    )
    wait_until(lambda: "done" in host.stdout, PATIENCE_S, "the steps")
    wait_until(lambda: threads(host.process.pid) == ["dropper"], 2 * PATIENCE_S, "no other thread")
    assert len(v3_registry.documents()) == 1
    host.discard()
    host = launch(
        [product.HOSTS / "dropper", "listen", "no-new-privs", "pause", "pause", "listen"],
        v3_registry.preloaded("web"),
    )
    wait_until(lambda: "done" in host.stdout, PATIENCE_S, "the steps")
    wait_until(lambda: thread_of(host), PATIENCE_S, "another thread")
    assert status(f"{host.process.pid}/task/{thread_of(host).name}")["NoNewPrivs"] == "1"
    wait_until(lambda: len(v3_registry.documents()) == 1, PATIENCE_S, "the service")


def dumps_to_the_working_folder():
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    return not pattern.startswith(("|", "/"))


@pytest.mark.skipif(not dumps_to_the_working_folder(), reason="core dumps go elsewhere here")
def test_a_core_dump_is_whole(v3_registry, launch, tmp_path):
    """The kernel stops every task for a dump, and the thread is one that no libc knows."""
    command = ["prlimit", "--core=unlimited", "sh", "-c", f"cd {tmp_path} && exec {product.LISTENER}"]
    host = registered(launch, v3_registry, command)
    host.process.send_signal(signal.SIGSEGV)
    assert host.process.wait(RUN_S) == -signal.SIGSEGV
    v3_registry.expect()
    (core,) = tmp_path.glob("core*")
    notes = subprocess.run(["readelf", "-n", core], check=True, capture_output=True, text=True)
    assert notes.stdout.count("NT_PRSTATUS") == 2
