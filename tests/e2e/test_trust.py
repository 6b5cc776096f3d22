# SPDX-License-Identifier: MIT
"""Which user may do what to another: the promises of docs/design.md about other users."""
import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import pytest
from harness import other_user, product, wire
from harness.agents import socket_name
from harness.process import (
    children,
    command_line,
    free_port,
    is_running,
    parent,
    read_proc,
    status,
)
from harness.registry import document
from harness.wait import wait_until

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")

DAEMONISER = product.HOSTS / "daemoniser"
ACCEPTS = "00010000"  # the flag of a listening socket in /proc/net/unix
TTL_S = 10
REGISTERED_S = 2
DAEMON = 1  # a user that is neither root nor the other one
MEMORY_KB = 64 * 1024
GONE_S = 0.1
PATIENCE_S = 10


def unix_names():
    return pathlib.Path("/proc/net/unix").read_text().split()


def listens(name):
    rows = map(str.split, pathlib.Path("/proc/net/unix").read_text().splitlines())
    return any(row[-1] == str(name) and row[3] == ACCEPTS for row in rows)


@pytest.fixture
def shared_name(v3_registry, launch_listener):
    """The name under which this registry's hosts look for their agent.  Nobody holds it."""
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
    """Returns the worker of the one agent that runs, other than `worker`."""
    pids = wait_until(lambda: set(registry.agents()) - {worker}, PATIENCE_S, "an agent runs")
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
    """The parent ends as soon as the agent knows the socket, or after a time limit."""
    host = launch([DAEMONISER, port := free_port(), "_exit"], v3_registry.preloaded("web"), port)
    web = document("web", port)
    with v3_registry.watch() as watch:
        v3_registry.expect(web, timeout_s=REGISTERED_S)
        assert host.process.wait(PATIENCE_S) == 0
        expect_gone(v3_registry, watch, web, host.kill())


def kill_agent(worker):
    for pid in (parent(worker), worker):
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_running(pid), PATIENCE_S, f"process {pid} has ended")


def wait_known(registry, host, worker):
    line = f"[{worker}] debug: pid {host.process.pid}: listens"
    wait_until(lambda: line in registry.log.read_text(), PATIENCE_S, "the agent knows the host")


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


@pytest.mark.slow
@pytest.mark.parametrize("squatted_first", [True, False])
def test_agent_that_is_killed_while_its_name_is_squatted(
    v3_registry, shared_name, launch_listener, squatted_first
):
    """Keeper and worker are killed.  The host starts another agent, and the key never leaves
    etcd."""
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
    """The name of an agent's socket, and the settings with which a host finds it."""
    if request.param != "hosted":
        name = request.getfixturevalue("operators_agent")(0)
        yield name, {"AGENT": name}
        return
    host = launch_listener(v3_registry.preloaded("first"))
    v3_registry.expect(document("first", host.port))
    yield wait_until(lambda: socket_name(host), PATIENCE_S, "the agent's socket"), {}


@pytest.fixture
def operators_agent(v3_registry):
    """operators_agent(uid) starts an agent as that user, and returns the name of its socket."""
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
        wait_until(lambda: listens(name), PATIENCE_S, "the agent listens")
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
        wait_until(lambda: key not in registry.documents(), REGISTERED_S, "the key has left etcd")
    assert registry.log.read_text().count("warn: one more process") <= 1


def spin(for_s):
    """Shorter than any sleep."""
    end = time.perf_counter() + for_s
    while time.perf_counter() < end:
        pass


def announced(registry, agent, described, uid=other_user.NOBODY):
    """Announces this as that user.  Returns the agent's answer: outcome and text."""
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
    assert what == wire.FAILED and text.endswith("the socket does not belong to this process")


def test_socket_of_another_process_at_an_operators_agent(v3_registry, operators_agent):
    with socket.create_server(("0.0.0.0", 0)) as victim:
        what, text = announced(v3_registry, operators_agent(0), wire.describe(victim), uid=0)
    assert what == wire.FAILED and text.endswith("the socket does not belong to this process")


def test_socket_that_closes_while_the_agent_looks(v3_registry, operators_agent):
    """It closes at another moment each time; of 1000, some 40 close between the agent's two looks."""
    refusals = []
    with wire.connect(operators_agent(0)) as connection:
        connection.send(wire.hello(other_user.SETTINGS))
        for count in range(1000):
            with socket.create_server(("127.0.0.2", 0)) as listener:
                connection.send(wire.listen(wire.describe(listener)))
                spin(count % 100 * 2e-6)
            what, text = wire.outcome(connection)
            refusals += [text] if what == wire.FAILED else []
    assert refusals == []
    v3_registry.expect()


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
    """nginx and many other servers open a low port this way."""
    assert announced(v3_registry, operators_agent(0), {"drop": True}, uid=0)[0] == wire.REGISTERED


def test_owner_and_mode_of_an_operators_socket(v3_registry):
    """Only a user who may connect may register.  The socket's path is removed although another user
    owns it."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = pathlib.Path(folder, "agent.sock")
        options = ["--socket", path, "--mode", "600", "--owner", f"{other_user.NOBODY}:{DAEMON}"]
        agent = subprocess.Popen([product.COMMAND, "agent", *options], env=v3_registry.settings())
        try:
            wait_until(lambda: listens(path), PATIENCE_S, "the agent listens")
            found = path.stat()
            assert (found.st_uid, found.st_gid) == (other_user.NOBODY, DAEMON)
            assert found.st_mode & 0o777 == 0o600
            assert announced(v3_registry, str(path), {})[0] == wire.REGISTERED
            with pytest.raises(AssertionError, match="it cannot"):
                announced(v3_registry, str(path), {}, uid=DAEMON)
        finally:
            agent.terminate()
            assert agent.wait(PATIENCE_S) == 0
        assert not path.exists()


@pytest.mark.parametrize("owner", ["", ":", "root:", ":root", "no-such-user", "0:no-such-group"])
def test_owner_that_is_none(v3_registry, owner):
    result = v3_registry.run("agent", "--socket", "/nonexistent/socket", "--owner", owner)
    assert result.returncode == 2
    assert result.stderr.startswith("etcd-registry: --owner: there is no ")


CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapAmb")
PTRACE_AND_READ = 1 << 19 | 1 << 2


@pytest.mark.parametrize("uid", [0, other_user.NOBODY], ids=["root", "a user"])
@pytest.mark.parametrize("process", ["keeper", "worker"])
def test_privileges_of_an_agent(v3_registry, uid, process):
    name = f"@etcd-registry-test-{os.getpid()}-{free_port()}"
    environment = v3_registry.settings() | {"ETCD_REGISTRY_LOG": "off"}
    command = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
    if uid == 0:
        command += ["--inh-caps", "+chown", "--ambient-caps", "+chown"]
    command += [product.COMMAND, "agent", "--socket", name]
    keeper = subprocess.Popen(command, env=environment)
    try:
        wait_until(lambda: listens(name), PATIENCE_S, "the agent listens")
        (worker,) = wait_until(lambda: children(keeper.pid), PATIENCE_S, "the worker runs")
        found = status(keeper.pid if process == "keeper" else worker)
        assert found["NoNewPrivs"] == "1"
        kept = 0 if uid else PTRACE_AND_READ & int(status("self")["CapPrm"], 16)
        effective = 0 if process == "keeper" else kept
        assert [int(found[cap], 16) for cap in CAPABILITIES] == [0, kept, effective, 0]
    finally:
        keeper.terminate()
        assert keeper.wait(PATIENCE_S) == 0


def may_trace(pid, uid):
    """Returns whether a process of that user, without capabilities, may read its memory or attach
    to it."""
    script = (
        "import ctypes, sys\n"
        "libc, pid = ctypes.CDLL(None), int(sys.argv[1])\n"
        "try:\n    found = [open(f'/proc/{pid}/environ', 'rb').read() != b'']\n"
        "except PermissionError:\n    found = [False]\n"
        "print(any([*found, libc.ptrace(16, pid, None, None) == 0]))\n"
    )
    become = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
    command = [*become, "/usr/bin/python3", "-c", script, str(pid)]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    return result.stdout == "True\n"


@pytest.mark.parametrize("process", ["keeper", "worker"])
def test_agent_cannot_be_traced_or_dumped(operators_agent, process):
    """Its own user cannot trace it either.  That user can trace another process, so nothing else
    forbids it."""
    with other_user.running("announce", operators_agent(other_user.NOBODY), "{}") as host:
        mine = children(os.getpid())
        (keeper,) = [pid for pid in mine if command_line(pid)[1:2] == ["agent"]]
        (worker,) = children(keeper)
        assert may_trace(host.pid, other_user.NOBODY)
        pid = keeper if process == "keeper" else worker
        assert not may_trace(pid, other_user.NOBODY)
        limits = read_proc(pid, "limits").decode()
        assert re.search(r"Max core file size +0 +0", limits)


def test_setuid_program_does_nothing(v3_registry, launch_listener):
    """The environment of the caller makes no difference."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        program = shutil.copy(product.LISTENER, folder)
        os.chmod(program, 0o4755)
        words = ["--reuid", str(other_user.NOBODY), "--clear-groups", program]
        env = v3_registry.preloaded("web", EXE="listener")
        host = launch_listener(env, *words, program="setpriv")
        assert status(host.process.pid)["Uid"].split()[:2] == [str(other_user.NOBODY), "0"]
        assert str(product.PRELOAD) not in pathlib.Path(f"/proc/{host.process.pid}/maps").read_text()
        assert host.get() == b"listener\n"
        assert v3_registry.documents() == {} and v3_registry.agents() == []


@pytest.fixture
def man_in_the_middle(tmp_path):
    """The port and certificate of a false etcd, and the requests that it could read."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            requests.append(self.path)
            self.send_error(500)

        do_GET = do_POST

        def log_message(self, *_):
            pass

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", "/CN=etcd", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, certificate, requests
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("trusted", [False, True])
def test_man_in_the_middle_of_etcd_gets_nothing(v3_registry, man_in_the_middle, trusted):
    port, certificate, requests = man_in_the_middle
    options = ["--url", f"https://user:secret@127.0.0.1:{port}"]
    result = v3_registry.run("list", *options, *(["--cacert", certificate] if trusted else []))
    assert result.returncode == 3
    assert ("certificate" in result.stderr) is not trusted
    assert bool(requests) is trusted


def test_pidfd_of_another_process_is_refused(v3_registry, operators_agent):
    """A hello with the pidfd of another process closes the connection."""
    victim = os.pidfd_open(1)
    with wire.connect(operators_agent(0)) as connection:
        socket.send_fds(connection, [wire.hello()], [victim])
        assert connection.recv(wire.LONGEST) == b""
    os.close(victim)
