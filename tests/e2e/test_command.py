# SPDX-License-Identifier: MIT
"""The command `etcd-registry`: exit codes, streams, formats, and the effect of each command on the
registry."""
import json
import os
import signal
import subprocess

import pytest
from harness import process, product
from harness.registry import COMMAND_TIMEOUT_S, document
from harness.wait import wait_until

pytestmark = pytest.mark.etcds

FOUND, NOTHING, USAGE, UNREACHABLE = range(4)
COMMANDS = ("list", "lookup", "watch", "join", "leave", "run", "agent", "help", "version")
JOINED_S = 5
LEFT_S = 2

WRONG = {
    "no command": ([], "usage"),
    "unknown command": (["lst"], "lst"),
    "unknown option": (["list", "--jsn"], "--jsn"),
    "option without its value": (["join", "web", "--port"], "--port"),
    "too many arguments": (["list", "web", "api"], "usage"),
    "lookup without a name": (["lookup"], "usage"),
    "join without a port": (["join", "web"], "--port"),
    "join with a bad port": (["join", "web", "--port", "65536"], "65536"),
    "leave without HOST:PORT": (["leave", "web"], "usage"),
    "leave with a bad HOST:PORT": (["leave", "web", "127.0.0.1:http"], "127.0.0.1:http"),
    "run without a command": (["run", "--name", "web", "--"], "usage"),
    "run with a bad name": (["run", "--name", "web:99999", "--", "/bin/true"], "99999"),
    "agent without a socket": (["agent"], "exactly one of --socket and --listen-fd"),
    "agent with two sockets": (["agent", "--socket", "@x", "--listen-fd", "3"], "exactly one of"),
    "agent with an abbreviated option": (["agent", "--sock", "@x"], "unknown option '--sock'"),
    "agent with a preload object's setting": (["agent", "--exit-timeout", "1"], "unknown option"),
    "agent with a password": (["agent", "--socket", "@x", "--password", "x"], "unknown option"),
    "agent with an operand": (["agent", "--socket", "@x", "web"], "unexpected argument 'web'"),
    "agent with a socket of no form": (["agent", "--socket", "x"], "--socket: 'x' is neither"),
    "agent with a bad descriptor": (["agent", "--listen-fd", "x"], "--listen-fd: 'x'"),
    "agent with another descriptor": (["agent", "--listen-fd", "0"], "--listen-fd: descriptor 0"),
    "agent with a bad mode": (["agent", "--socket", "/x", "--mode", "888"], "--mode: '888'"),
    "agent with a mode too many": (["agent", "--socket", "@x", "--mode", "600"], "--mode needs"),
    "agent with an owner too many": (["agent", "--listen-fd", "3", "--owner", "0"], "--owner needs"),
    "agent with a bad ttl": (["agent", "--socket", "@x", "--ttl", "2"], "--ttl: '2'"),
    "bad url": (["list", "--url", "ftp://127.0.0.1"], "--url: protocol 'ftp'"),
    "help of an unknown command": (["help", "lst"], "lst"),
}


def put(registry, *services):
    for service in services:
        registry.store.put(registry.key(service), json.dumps(service))


@pytest.fixture
def two_webs(registry):
    """Three services without a holder, two of them of one name."""
    services = [document("api", 8080), document("web", 80), document("web", 8081)]
    put(registry, *services)
    yield services
    for service in services:
        registry.store.delete(registry.key(service))


def test_list_is_an_aligned_table_sorted_by_name_and_url(registry, two_webs):
    result = registry.run("list")
    assert result.returncode == FOUND
    heading, *rows = result.stdout.splitlines()
    assert heading.split() == ["NAME", "HOST", "URL"]
    assert [row.split() for row in rows] == [[s["name"], s["host"], s["url"]] for s in two_webs]
    for column in (1, 2):
        assert len({row.index(row.split()[column]) for row in (heading, *rows)}) == 1
    assert result.stderr == ""


def test_list_of_a_name(registry, two_webs):
    result = registry.run("list", "web")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["NAME", "web", "web"]


def test_list_json_is_an_array_of_the_documents(registry, two_webs):
    result = registry.run("list", "--json")
    assert result.returncode == FOUND
    assert json.loads(result.stdout) == two_webs


def test_list_leaves_out_what_is_no_document(registry, two_webs):
    keys = [f"{registry.store.prefix}web/{text}" for text in ("not-json", "number", "array")]
    for key, text in zip(keys, ("{not json", "7", "[]")):
        registry.store.put(key, text)
    result = registry.run("list", "--json")
    for key in keys:
        registry.store.delete(key)
    assert json.loads(result.stdout) == two_webs


def test_nothing_found(registry):
    for arguments in (
        ["list"],
        ["list", "web"],
        ["lookup", "web"],
        ["leave", "web", "127.0.0.1:80"],
    ):
        result = registry.run(*arguments)
        assert (result.returncode, result.stdout) == (NOTHING, ""), arguments
        assert len(result.stderr.splitlines()) == 1, arguments


def test_nothing_found_is_an_empty_array(registry):
    result = registry.run("list", "--json")
    assert (result.returncode, json.loads(result.stdout)) == (NOTHING, [])


def test_lookup_json_is_one_document_each_in_its_turn(registry, two_webs):
    seen = set()

    def both_seen():
        result = registry.run("lookup", "web", "--json")
        assert result.returncode == FOUND
        found = json.loads(result.stdout)
        assert found in two_webs[1:]
        seen.add(found["port"])
        return len(seen) == 2

    wait_until(both_seen, COMMAND_TIMEOUT_S, "both services")


def test_lookup_prints_one_service(registry, two_webs):
    result = registry.run("lookup", "api")
    assert result.returncode == FOUND
    assert two_webs[0]["host"] in result.stdout
    assert result.stderr == ""


def test_unreachable_registry(v3_registry):
    url = f"http://127.0.0.1:{process.free_port()}/ns"
    for arguments in (["list"], ["lookup", "web"], ["leave", "web", "127.0.0.1:80"]):
        result = v3_registry.run(*arguments, env={"ETCD_REGISTRY_URL": url})
        assert (result.returncode, result.stdout) == (UNREACHABLE, ""), arguments
        assert url.split("/")[2] in result.stderr, arguments


@pytest.mark.parametrize("arguments, quoted", WRONG.values(), ids=WRONG)
def test_wrong_command_line(v3_registry, arguments, quoted):
    result = v3_registry.run(*arguments)
    assert (result.returncode, result.stdout) == (USAGE, "")
    assert quoted in result.stderr
    assert result.stderr.startswith("etcd-registry: " if arguments else "usage: ")


# Only the use of these values shows that they are wrong.
WITHOUT_USAGE = ("run with a bad name", "agent with another descriptor", "bad url")


@pytest.mark.parametrize("name", [name for name in WRONG if name not in WITHOUT_USAGE])
def test_usage_follows_a_wrong_command_line(v3_registry, name):
    result = v3_registry.run(*WRONG[name][0])
    assert "usage: etcd-registry" in result.stderr


@pytest.mark.parametrize(
    "options, environment, named",
    [
        (["--url", "ftp://a"], {}, "--url"),
        ([], {"ETCD_REGISTRY_URL": "ftp://a"}, "ETCD_REGISTRY_URL"),
        ([], {"ETCD_REGISTRY_URL": "", "ETCDCTL_ENDPOINTS": "ftp://a"}, "ETCDCTL_ENDPOINTS"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["lookup", "web"],
        ["watch"],
        ["join", "web", "--port", "80"],
        ["leave", "web", "a:80"],
        ["run", "--name=web"],
        ["agent", f"--socket=@wrong-url-{os.getpid()}"],
    ],
    ids=lambda command: command[0],
)
def test_a_wrong_url_is_named_as_it_was_given(v3_registry, command, options, environment, named):
    operands = ["--", "/bin/true"] if command[0] == "run" else []
    result = v3_registry.run(*command, *options, *operands, env=environment)
    assert (result.returncode, result.stdout) == (USAGE, "")
    assert f"{named}: protocol 'ftp' is not http or https" in result.stderr
    assert "connection string" not in result.stderr


def test_help_of_the_agent_has_its_options(v3_registry):
    text = v3_registry.run("help", "agent").stdout
    own = ("socket", "listen-fd", "mode", "owner")
    settings = ("url", "api", "ttl", "timeout", "cacert", "user", "password-file", "log")
    for option in (*own, *settings):
        assert f"\n  --{option} " in text
    for option in ("password", "name", "host", "exit-timeout"):
        assert f"\n  --{option} " not in text
    assert "ETCD_REGISTRY_AGENT" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(v3_registry, command):
    for arguments in ([command, "--help"], ["help", command]):
        result = v3_registry.run(*arguments)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith(f"usage: etcd-registry {command}")


def test_help_lists_every_command(v3_registry):
    result = v3_registry.run("help")
    assert result.returncode == 0
    listed = [line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ")]
    assert set(COMMANDS) <= set(listed)


def test_version_is_that_of_the_header(v3_registry):
    header = (product.ROOT / "lib" / "etcd-registry.h").read_text()
    version = header.split('#define ETCDREG_VERSION "')[1].split('"')[0]
    assert v3_registry.run("version").stdout == f"etcd-registry {version}\n"


def start_join(registry, launch, *arguments):
    return launch([product.COMMAND, "join", *map(str, arguments)], registry.settings())


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_join_holds_the_service_until_a_signal(registry, launch, how):
    web = document("web", 8080)
    command = start_join(registry, launch, "web", "--port", 8080, "--host", "127.0.0.1")
    registry.expect(web)
    with registry.watch() as watch:
        os.kill(command.process.pid, how)
        watch.wait("delete", registry.key(web), LEFT_S)
    assert command.process.wait(JOINED_S) == 0
    assert command.stdout == ""


def test_join_with_an_ipv6_host(v3_registry, launch):
    command = start_join(v3_registry, launch, "web", "--port", 8080, "--host", "fd00::7")
    v3_registry.expect(document("web", 8080, "fd00::7"))
    assert v3_registry.run("list").stdout.split()[-2:] == [
        "[fd00::7]:8080",
        "http://[fd00::7]:8080",
    ]
    command.process.terminate()
    assert command.process.wait(JOINED_S) == 0


def test_leave_takes_a_service_out(registry, two_webs):
    api, web, other = two_webs
    assert registry.run("leave", "web", web["host"]).returncode == 0
    registry.expect(api, other)
    put(registry, web)


def test_run_starts_a_server_that_registers(registry, launch):
    settings = {
        name: value for name, value in registry.settings().items() if name != "ETCD_REGISTRY_URL"
    }
    options = ["--name", "web", "--url", registry.url, "--host", "127.0.0.1"]
    host = launch([product.COMMAND, "run", *options, "--", product.LISTENER], settings)
    host.read_ports()
    registry.expect(document("web", host.port))
    assert host.process.pid in host.holders(), "`run` must become the server, not its parent"
    assert host.stop() == 0


def test_run_keeps_what_was_in_ld_preload(v3_registry):
    other = "libm.so.6"
    result = v3_registry.run(
        "run", "--name", "web", "--", "/bin/sh", "-c", "echo $LD_PRELOAD", env={"LD_PRELOAD": other}
    )
    assert result.stdout == f"{product.PRELOAD}:{other}\n"
    assert result.stderr == ""


def test_run_hands_on_arguments_and_exit_status(v3_registry):
    result = v3_registry.run(
        "run", "--name", "web", "--", "/bin/sh", "-c", 'echo "$1"; exit 7', "sh", "--json"
    )
    assert (result.returncode, result.stdout) == (7, "--json\n")


def test_run_of_a_command_that_is_not_there(v3_registry):
    result = v3_registry.run("run", "--name", "web", "--", "/nonexistent/server")
    assert result.returncode == 127
    assert "/nonexistent/server" in result.stderr


def test_closed_stdout_is_an_error(registry, two_webs):
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = subprocess.run(
            [product.COMMAND, "list"],
            env=registry.settings(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    assert result.returncode == UNREACHABLE
    assert result.stderr


def begun_with(registry, query="", *options):
    """Returns the ports that were tried first, in several runs.  Nobody listens on either."""
    url = f"http://127.0.0.1:1,127.0.0.1:2/{query}"
    results = [registry.run("list", "--url", url, *options) for _ in range(20)]
    return {result.stderr.removeprefix("etcd-registry: http://127.0.0.1:")[0] for result in results}


def test_any_host_may_be_the_first_that_is_tried(v3_registry):
    assert begun_with(v3_registry) == {"1", "2"}
    assert begun_with(v3_registry, "?spread=0") == {"1"}
    assert begun_with(v3_registry, "?spread=1", "--spread", "0") == {"1"}
