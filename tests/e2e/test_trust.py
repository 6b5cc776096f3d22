# SPDX-License-Identifier: MIT
"""Who may do what to whom: what docs/design.md promises of other users."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest
from harness import other_user, product, wire
from harness.agents import socket_name
from harness.process import free_port, is_running, parent, status
from harness.registry import document
from harness.wait import wait_until

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")

DAEMONISER = product.HOSTS / "daemoniser"
TTL_S = 10
REGISTERED_S = 2
DAEMON = 1  # a user that is neither root nor the other one
MEMORY_KB = 64 * 1024
GONE_S = 0.1
PATIENCE_S = 10


def unix_names():
    return pathlib.Path("/proc/net/unix").read_text().split()


@pytest.fixture
def shared_name(v3_registry, launch_listener):
    """Where the hosts of this registry look for their agent; nobody is there."""
    host = launch_listener(v3_registry.preloaded("web"))
    name = wait_until(lambda: socket_name(host), PATIENCE_S, "the agent's socket")
    v3_registry.expect(document("web", host.port))
    host.stop()
    wait_until(lambda: name not in unix_names(), PATIENCE_S, "the agent has ended")
    return name


@pytest.fixture(params=other_user.SQUATS)
def squatted(request, shared_name):
    with other_user.running(request.param, shared_name):
        yield shared_name


def private_agent(registry, worker=None):
    """The worker of the one agent that runs, other than that one."""
    pids = wait_until(lambda: set(registry.agents()) - {worker}, PATIENCE_S, "an agent")
    (pid,) = pids
    return pid


def expect_gone(registry, watch, service, killed):
    assert watch.wait("delete", registry.key(service), PATIENCE_S) - killed <= GONE_S


@pytest.mark.parametrize("thread", ["1", "0"], ids=["thread", "inline"])
def test_squatted_name(v3_registry, squatted, launch_listener, thread):
    registry = v3_registry
    host = launch_listener(registry.preloaded("web", THREAD=thread))
    web = document("web", host.port)
    with registry.watch() as watch:
        registry.expect(web, timeout_s=REGISTERED_S)
        assert host.stderr.count("\n") == 1 and squatted in host.stderr
        expect_gone(registry, watch, web, host.kill())
    assert host.stderr.count("\n") == 1


def test_sockets_of_a_host_without_a_thread_share_a_private_agent(
    v3_registry, squatted, launch_listener
):
    names = "web:{},api:{}".format(*(ports := [free_port(), free_port()]))
    env = v3_registry.preloaded(names, THREAD="0")
    launch_listener(env, *map(str, ports), count=2)
    services = [document(name, port) for name, port in zip(("web", "api"), ports)]
    v3_registry.expect(*services, timeout_s=REGISTERED_S)
    assert private_agent(v3_registry)


def test_daemon_behind_a_squatted_name(v3_registry, squatted, launch):
    """Its parent ends as soon as the agent knows, or after a while."""
    host = launch([DAEMONISER, port := free_port(), "_exit"], v3_registry.preloaded("web"), port)
    web = document("web", port)
    with v3_registry.watch() as watch:
        v3_registry.expect(web, timeout_s=REGISTERED_S)
        assert host.process.wait(PATIENCE_S) == 0
        expect_gone(v3_registry, watch, web, host.kill())


def kill_agent(worker):
    for pid in (parent(worker), worker):
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_running(pid), PATIENCE_S, "it has ended")


def wait_known(registry, host, worker):
    line = f"[{worker}] debug: pid {host.process.pid}: listens"
    wait_until(lambda: line in registry.log.read_text(), PATIENCE_S, "the host is back")


def test_private_agent_whose_worker_is_killed(v3_registry, shared_name, launch_listener):
    registry = v3_registry
    with other_user.running("accept and close", shared_name):
        host = launch_listener(registry.preloaded("web"))
        web = document("web", host.port)
        registry.expect(web, timeout_s=REGISTERED_S)
        first = private_agent(registry)
        with registry.watch() as watch:
            os.kill(first, signal.SIGKILL)
            wait_known(registry, host, private_agent(registry, first))
            assert not watch.times("delete", registry.key(web))
            expect_gone(registry, watch, web, host.kill())
        assert host.stderr.count("\n") == 1


@pytest.mark.parametrize("squatted_first", [True, False])
def test_agent_that_is_killed_while_its_name_is_squatted(
    v3_registry, shared_name, launch_listener, squatted_first
):
    """All of it: the host starts another, and the key is never out."""
    registry = v3_registry
    deed = other_user.running("accept and say nothing", shared_name)
    with contextlib.ExitStack() as stack:
        if squatted_first:
            stack.enter_context(deed)
        host = launch_listener(registry.preloaded("web"))
        web = document("web", host.port)
        registry.expect(web, timeout_s=REGISTERED_S)
        worker = private_agent(registry)
        watch = stack.enter_context(registry.watch())
        os.kill(host.process.pid, signal.SIGSTOP)
        kill_agent(worker)
        if not squatted_first:
            stack.enter_context(deed)
        os.kill(host.process.pid, signal.SIGCONT)
        wait_known(registry, host, private_agent(registry, worker))
        assert not watch.times("delete", registry.key(web))
        host.stop()
        registry.expect(timeout_s=TTL_S + PATIENCE_S)


@pytest.fixture(params=["hosted", "operator's"])
def any_agent(request, v3_registry, launch_listener):
    """The name of an agent's socket, and what lets a host find it."""
    if request.param != "hosted":
        name = request.getfixturevalue("operators_agent")(0)
        yield name, {"AGENT": name}
        return
    host = launch_listener(v3_registry.preloaded("first"))
    v3_registry.expect(document("first", host.port))
    yield wait_until(lambda: socket_name(host), PATIENCE_S, "the agent's socket"), {}


@pytest.fixture
def operators_agent(v3_registry):
    """operators_agent(uid): the name of the socket of one that root or that user runs."""
    agents = []

    def start(uid):
        name = f"@etcd-registry-test-{os.getpid()}-{free_port()}"
        v3_registry.log.touch()
        v3_registry.log.chmod(0o666)
        environment = v3_registry.settings()
        if uid != 0:
            environment["ETCD_REGISTRY_LOG"] = "off"
        command = [product.COMMAND, "agent", "--socket", name]
        agents.append(
            subprocess.Popen(command, env=environment, user=uid, group=uid, extra_groups=[])
        )
        wait_until(lambda: name in unix_names(), PATIENCE_S, "its socket")
        return name

    yield start
    for agent in agents:
        agent.terminate()
        assert agent.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("flood", other_user.FLOODS)
def test_flood_of_another_user(v3_registry, any_agent, launch_listener, flood):
    registry, (name, agent) = v3_registry, any_agent
    with other_user.running(flood, name):
        host = launch_listener(registry.preloaded("web", **agent))
        registry.wait_for(document("web", host.port), timeout_s=REGISTERED_S)
        worker = private_agent(registry)
        assert int(status(worker)["VmHWM"].split()[0]) < MEMORY_KB
        host.kill()
        key = registry.key(document("web", host.port))
        wait_until(lambda: key not in registry.documents(), REGISTERED_S, "it is gone")
    assert registry.log.read_text().count("warn: one more process") <= 1


def announced(registry, agent, described, uid=other_user.NOBODY):
    """What the agent says to a process of that user that announces this: outcome and text."""
    with other_user.running("announce", agent, json.dumps(described), uid=uid) as process:
        what, text = json.loads(process.stdout.readline())
        assert len(registry.documents()) == (1 if what == wire.REGISTERED else 0)
    registry.expect()
    return what, text


AGENT_USERS = pytest.mark.parametrize("user", [0, DAEMON], ids=["root's", "a user's"])


@AGENT_USERS
def test_own_socket_at_an_operators_agent(v3_registry, operators_agent, user):
    assert announced(v3_registry, operators_agent(user), {}) == (wire.REGISTERED, "")


@AGENT_USERS
def test_socket_of_another_user_at_an_operators_agent(v3_registry, operators_agent, user):
    with socket.create_server(("0.0.0.0", 0)) as victim:
        what, text = announced(v3_registry, operators_agent(user), wire.describe(victim))
    assert what == wire.FAILED and text.endswith("the socket is not this process's")


def test_socket_of_another_process_at_an_operators_agent(v3_registry, operators_agent):
    with socket.create_server(("0.0.0.0", 0)) as victim:
        what, text = announced(v3_registry, operators_agent(0), wire.describe(victim), uid=0)
    assert what == wire.FAILED and text.endswith("the socket is not this process's")


@pytest.mark.parametrize(
    "lie",
    [
        {"port": 80},
        {"inode": 1},
        {"cookie": 1},
        {"address": "00000000"},
        {"address": "7f000001"},
        {"protocol": socket.IPPROTO_UDP},
        {"family": socket.AF_INET6},
    ],
    ids=str,
)
@AGENT_USERS
def test_socket_that_is_not_as_announced(v3_registry, operators_agent, user, lie):
    what, text = announced(v3_registry, operators_agent(user), lie)
    if user == 0:
        assert (what, text) == (wire.GONE, "")
    else:
        assert what == wire.FAILED and text.endswith("namespace has no such socket")


def test_socket_that_was_opened_as_another_user(v3_registry, operators_agent):
    """As nginx and many others do that need a low port."""
    assert announced(v3_registry, operators_agent(0), {"drop": True}, uid=0)[0] == wire.REGISTERED
