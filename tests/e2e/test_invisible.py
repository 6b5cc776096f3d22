# SPDX-License-Identifier: MIT
"""A host that looks at itself (tests/hosts/observer), with the object and without it.  It sees and
does the same, except what docs/design.md lists under "What the host can notice"."""
import collections
import difflib
import os
import re
import signal
import subprocess

import pytest
from harness import product
from harness.process import children, read_proc, threads
from harness.wait import wait_until

OBSERVER = product.HOSTS / "observer"
EXIT_STATUS = 7
LAST_LINE = "exit handler\n"
READY_S = 10
LINE_S = 5
FAILURE_LINE = re.compile(r"(etcd-registry: [^\n]+\n)?")
THREAD_STACK = 65536
OBJECT_DATA = 131072
ARENA = 1 << 20

# One listen() creates the thread, five more on IP sockets wake it, and one is on a local socket.
IP_LISTENS, V6_LISTENS, OTHER_LISTENS = 6, 1, 1
LOADING = collections.Counter(openat=1, read=1, fstat=1, mmap=3, close=1, mprotect=1)
AT_START = collections.Counter(fstat=1, getpid=2)
LISTENING = collections.Counter(
    getpid=IP_LISTENS + OTHER_LISTENS,
    getsockopt=2 * IP_LISTENS + V6_LISTENS + OTHER_LISTENS,
    getsockname=IP_LISTENS,
    fstat=IP_LISTENS,
)
FIRST = collections.Counter(prctl=1)
AT_EXIT = collections.Counter(getpid=2)
# The number of these calls depends on the libc and on timing.
ANY_NUMBER = {"futex", "clock_gettime"}
ANY_NUMBER |= {"mmap", "mprotect", "madvise", "brk", "clone", "clone3"}
ANY_NUMBER |= {"rt_sigaction", "rt_sigprocmask"}


def observe(launch, settings, before_the_end=None):
    """Returns the host's output, its stderr, and the result of `before_the_end` in the settled
    phase."""
    host = launch([OBSERVER], settings)
    wait_until(lambda: host.stdout.count("phase") == 2, READY_S, "the second phase")
    found = before_the_end(host) if before_the_end else None
    os.kill(host.process.pid, signal.SIGUSR1)
    assert host.process.wait(READY_S) == EXIT_STATUS
    assert host.stdout.endswith(LAST_LINE)
    return host.stdout.replace(str(host.folder), "FOLDER"), host.stderr, found


def without_object(settings):
    return {name: value for name, value in settings.items() if name != "LD_PRELOAD"}


def is_registered(registry):
    return lambda host: wait_until(registry.documents, READY_S, "a document")


def has_said_why(host):
    return wait_until(lambda: host.stderr, LINE_S, "a line on stderr")


def differences(plain, seen):
    """Returns the lines that only one of the outputs has."""
    diff = difflib.unified_diff(plain[0].splitlines(), seen[0].splitlines(), n=0, lineterm="")
    return list(diff)[2:]


def both(launch, settings, before_the_end=None):
    plain = observe(launch, without_object(settings))
    assert plain[1] == ""
    return plain, observe(launch, settings, before_the_end)


def test_object_without_a_name(v3_registry, launch):
    plain, seen = both(launch, v3_registry.preloaded(None))
    assert differences(plain, seen) == []
    assert seen[1] == plain[1]


@pytest.mark.parametrize("thread", ["1", "0"])
def test_registered(v3_registry, launch, thread):
    settings = v3_registry.preloaded("web", THREAD=thread)
    plain, seen = both(launch, settings, is_registered(v3_registry))
    assert differences(plain, seen) == []
    assert seen[1] == plain[1]


def test_etcd_is_down(absent_etcd, make_registry, launch):
    registry = make_registry(absent_etcd, "v3")
    plain, seen = both(launch, registry.preloaded("web"), has_said_why)
    assert differences(plain, seen) == []
    assert FAILURE_LINE.fullmatch(seen[1])


def test_agent_is_missing(v3_registry, launch):
    settings = v3_registry.preloaded("web", AGENT_BIN="/nonexistent/agent")
    plain, seen = both(launch, settings, has_said_why)
    assert differences(plain, seen) == []
    assert FAILURE_LINE.fullmatch(seen[1])


def test_agent_of_the_operator(v3_registry, launch, tmp_path):
    path = tmp_path / "agent.socket"
    command = [product.COMMAND, "agent", "--socket", path]
    with subprocess.Popen(command, env=v3_registry.settings()) as agent:
        try:
            wait_until(path.exists, READY_S, "the agent's socket")
            settings = v3_registry.preloaded("web", AGENT=str(path))
            plain, seen = both(launch, settings, is_registered(v3_registry))
        finally:
            agent.terminate()
    assert differences(plain, seen) == []
    assert seen[1] == plain[1]


def mappings(host):
    """Returns (length, permissions, file) of each mapping, in order of address."""
    found = []
    for line in read_proc(host.process.pid, "maps").decode().splitlines():
        addresses, permissions, _, _, _, *name = line.split(maxsplit=5)
        first, last = (int(address, 16) for address in addresses.split("-"))
        found.append((last - first, permissions, name[0].strip() if name else ""))
    return found


def of_files(maps):
    return [m for m in maps if m[2] and m[2] != str(product.PRELOAD)]


def unnamed(maps, permissions):
    return [length for length, p, name in maps if p == permissions and not name]


def test_mappings_are_the_object_and_one_stack_with_its_guard(v3_registry, launch):
    settings = v3_registry.preloaded("web")

    def look(host):
        is_registered(v3_registry)(host)
        return mappings(host)

    plain = observe(launch, without_object(settings), mappings)[2]
    seen = observe(launch, settings, look)[2]
    assert of_files(seen) == of_files(plain)
    assert len(unnamed(seen, "---p")) == len(unnamed(plain, "---p")) + 1
    assert sum(unnamed(seen, "---p")) - sum(unnamed(plain, "---p")) < ARENA
    assert len(unnamed(seen, "rw-p")) <= len(unnamed(plain, "rw-p")) + 2
    added = sum(unnamed(seen, "rw-p")) - sum(unnamed(plain, "rw-p"))
    assert THREAD_STACK <= added <= THREAD_STACK + OBJECT_DATA


def main_thread_calls(folder, launch, settings):
    """Returns how often the host's main thread made each system call."""
    trace = folder / "trace"
    variables = [f"-E{name}={value}" for name, value in settings.items() if name not in os.environ]
    command = ["strace", "-ff", "-o", trace, *variables, OBSERVER]
    host = launch(command, dict(os.environ) | {"PATH": os.environ["PATH"]})
    wait_until(lambda: host.stdout.count("phase") == 2, READY_S, "the second phase")
    (traced,) = children(host.process.pid)
    if "ETCD_REGISTRY_NAME" in settings and "LD_PRELOAD" in settings:
        wait_until(lambda: len(threads(traced)) == 2, READY_S, "the object's thread runs")
    os.kill(traced, signal.SIGUSR1)
    assert host.process.wait(READY_S) == EXIT_STATUS
    lines = (folder / f"trace.{traced}").read_text().splitlines()
    names = (line.partition("(")[0].replace("newfstatat", "fstat") for line in lines if "(" in line)
    for file in folder.glob("trace.*"):
        file.unlink()
    return collections.Counter(names)


def added_calls(folder, launch, settings):
    plain = main_thread_calls(folder, launch, without_object(settings))
    seen = main_thread_calls(folder, launch, settings)
    assert plain - seen == {}
    return seen - plain


def test_calls_of_the_object_without_a_name_are_those_of_the_loader(v3_registry, launch, tmp_path):
    assert added_calls(tmp_path, launch, v3_registry.preloaded(None)) == LOADING


def test_calls_of_a_registered_host_are_those_listed(v3_registry, launch, tmp_path):
    added = added_calls(tmp_path, launch, v3_registry.preloaded("web"))
    listed = LOADING + AT_START + LISTENING + FIRST + AT_EXIT
    assert added.keys() - ANY_NUMBER == listed.keys() - ANY_NUMBER
    for name in listed.keys() - ANY_NUMBER:
        assert added[name] == listed[name], name
