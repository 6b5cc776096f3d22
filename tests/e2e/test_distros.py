# SPDX-License-Identifier: MIT
"""The preload object that was built here, in older and newer releases of Debian, for
`make test-distros`.

All hosts start before the first test checks them, so that the wait of three TTLs happens once.
"""
import contextlib
import pathlib
import re
import subprocess
import tempfile
import time
import types

import pytest
from harness import distros, product
from harness.process import read_proc, threads
from harness.registry import Registry, document
from harness.wait import wait_until

pytestmark = pytest.mark.distros

TTL_S = 3
THREE_TTLS_S = 3 * TTL_S
STARTS_S = 30
ENDS_S = 5
GONE_S = 0.1
LINE_S = 10  # a thread reports within this time why its host is not registered
OURS = "etcd-registry"
LIVES = ("foreground", "daemon")
CASES = [
    (suite, program, life, agent)
    for suite in distros.SUITES
    for program in distros.PROGRAMS
    for life in LIVES
    for agent in ("operator", "own")
    if agent == "operator" or suite in distros.AGENT_RUNS
]


@pytest.fixture
def suite_is_there(request):
    reason = distros.why_missing(request.getfixturevalue("suite"))
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="module")
def folders():
    """folders() returns a new folder that every user may enter."""
    with contextlib.ExitStack() as stack:

        def new():
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            folder.chmod(0o755)
            return folder

        yield new


@pytest.fixture(scope="module")
def operators(etcd, folders):
    """The registry of an agent outside the roots, which serves every suite.  `.socket` is its
    address."""
    folder = folders()
    registry = Registry(etcd, "v3", folder.name, folder)
    registry.socket = f"@{folder.name}"
    command = [product.COMMAND, "agent", "--socket", registry.socket]
    agent = subprocess.Popen(command, env=registry.settings(TTL=str(TTL_S)))
    wait_until(
        lambda: registry.socket in pathlib.Path("/proc/net/unix").read_text(), ENDS_S, "it listens"
    )
    yield registry
    agent.terminate()
    assert agent.wait(ENDS_S) == 0


def settings_of(registry, name, **more):
    """Settings for a host inside a root."""
    return registry.settings(name, LOG=f"debug:{distros.FOLDER}/{registry.log.name}", **more)


def launch(case, operators, etcd, folder):
    suite, program, life, agent = case
    name = "-".join(case).replace(" ", "-")
    if agent == "operator":
        registry, more = operators, {"AGENT": operators.socket}
    else:
        registry, more = Registry(etcd, "v3", folder.name, folder), {"TTL": str(TTL_S)}
    settings = settings_of(registry, name, **more)
    host = distros.start(suite, program, life, settings, folder)
    return types.SimpleNamespace(registry=registry, host=host, web=document(name, host.port))


@pytest.fixture(scope="module")
def instances(etcd, operators, folders):
    started = {}
    with contextlib.ExitStack() as stack:
        operators_watch = stack.enter_context(operators.watch())
        for case in CASES:
            if distros.why_missing(case[0]):
                continue
            instance = launch(case, operators, etcd, folders())
            stack.callback(instance.host.discard)
            own = instance.registry is not operators
            instance.watch = (
                stack.enter_context(instance.registry.watch()) if own else operators_watch
            )
            started[case] = instance
        yield started


@pytest.mark.usefixtures("suite_is_there")
@pytest.mark.parametrize("suite, program, life, agent", CASES)
def test_registered_for_three_ttls_and_out_when_it_is_killed(
    instances, suite, program, life, agent
):
    registry, host, web, watch = vars(instances[suite, program, life, agent]).values()
    key = registry.key(web)
    host.wait_listening()
    entered = watch.wait("put", key, STARTS_S)
    if life == "daemon":
        assert host.process.wait(STARTS_S) == 0
    time.sleep(max(0, entered + THREE_TTLS_S - time.monotonic()))
    assert not watch.times("delete", key)
    assert registry.documents()[key] == web
    assert (OURS in threads(host.main)) == (life == "foreground")
    killed = host.kill()
    assert watch.wait("delete", key, ENDS_S) - killed <= GONE_S
    assert key not in registry.documents()
    assert host.stderr == ""
    if agent == "own":
        wait_until(lambda: not registry.agents(), ENDS_S, "the agent has ended")


@pytest.mark.usefixtures("suite_is_there")
@pytest.mark.parametrize("program", ["C without threads", "C with threads"])
@pytest.mark.parametrize("suite", distros.SUITES)
def test_another_object_before_the_libc_is_called(operators, folders, suite, program):
    folder = folders()
    name = f"second-{folder.name}"
    settings = settings_of(operators, name, AGENT=operators.socket)
    preload = f"{distros.PRELOAD} {distros.SECOND}"
    host = distros.start(suite, program, "foreground", settings, folder, preload)
    try:
        host.wait_listening()
        operators.wait_for(document(name, host.port))
        if suite in distros.LIBPTHREAD_APART:
            assert b"/libdl" not in read_proc(host.main, "maps")
        assert host.stderr == "second\n"
    finally:
        host.discard()


@pytest.mark.usefixtures("suite_is_there")
@pytest.mark.parametrize("program", distros.PROGRAMS)
@pytest.mark.parametrize("suite", [s for s in distros.SUITES if s not in distros.AGENT_RUNS])
def test_host_goes_on_where_the_agent_cannot_run(etcd, folders, suite, program):
    folder = folders()
    registry = Registry(etcd, "v3", folder.name, folder)
    host = distros.start(suite, program, "foreground", settings_of(registry, "web"), folder)
    try:
        host.wait_listening()
        wait_until(lambda: "\n" in host.stderr, LINE_S, "a line on stderr")
        assert re.fullmatch(r"(etcd-registry: .*\n)?", host.stderr)
        assert host.process.poll() is None
        assert registry.documents() == {}
    finally:
        host.discard()
