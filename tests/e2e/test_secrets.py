# SPDX-License-Identifier: MIT
"""Places where no password may appear: arguments, logs, messages, and the processes that inherit
them."""
import os
import signal

import pytest
from harness import users
from harness.agents import kill_worker, worker_of
from harness.etcd import Etcd
from harness.process import all_pids, command_line, environment, parent
from harness.product import COMMAND
from harness.registry import document
from harness.wait import wait_until

IN_NAMES = "n0b0dy-5hall-r3ad-th15"  # of tests, which are the same for each worker
# Of this worker alone: a test looks at all processes of the machine.
PASSWORD = f"{IN_NAMES}-{os.getpid()}"
SEEN_S = 5
NOT_FOUND, WRONG_SETTING, REFUSED = 1, 2, 3


@pytest.fixture(scope="module")
def guarded_etcd(tmp_path_factory):
    node = Etcd(tmp_path_factory.mktemp("guarded-etcd")).start()
    users.switch_users_on(node, PASSWORD)
    yield node
    node.stop()


@pytest.fixture
def registry(guarded_etcd, make_registry):
    return make_registry(guarded_etcd, "v3")


@pytest.fixture(params=["variable", "user", "file", "connection string", "query"])
def settings(request, registry, tmp_path):
    """The valid user for Registry.preloaded(), set in one of the possible ways."""
    if request.param == "variable":
        return {"USER": users.USER, "PASSWORD": PASSWORD}
    if request.param == "user":
        return {"USER": f"{users.USER}:{PASSWORD}"}
    if request.param == "query":
        return {"URL": f"{registry.url}?user={users.USER}:{PASSWORD}"}
    if request.param == "file":
        (path := tmp_path / "password").write_text(f"{PASSWORD}\n")
        return {"USER": users.USER, "PASSWORD_FILE": path}
    return {"URL": registry.url.replace("//", f"//{users.USER}:{PASSWORD}@")}


def test_agent_and_log(registry, settings, launch_listener):
    """The log does not show a token either."""
    host = launch_listener(registry.preloaded("web", **settings))
    registry.expect(document("web", host.port))
    assert registry.agents()
    assert not [pid for pid in all_pids() if PASSWORD in " ".join(command_line(pid))]
    host.stop()
    registry.expect()
    text = registry.log.read_text()
    assert "debug: " in text
    assert PASSWORD not in text + host.stderr + host.stdout and "Authorization" not in text


def assert_hidden(pid):
    text = "\n".join(environment(pid))
    assert "ETCD_REGISTRY_LOG=" in text and PASSWORD not in text


@pytest.mark.skipif(os.getuid() != 0, reason="nobody but root may read an agent's environment")
def test_environment_of_keeper_and_worker(registry, settings, launch_registered):
    """The next worker still has the settings that it needs."""

    def wait_until_registered(times):
        wait_until(
            lambda: registry.log.read_text().count(": registered") == times,
            SEEN_S,
            f"registered {times} times",
        )

    launch_registered(registry, **settings)
    wait_until_registered(1)
    lease = registry.leases()
    assert_hidden(worker_of(registry))
    keeper = kill_worker(registry)
    assert_hidden(keeper)
    assert_hidden(worker_of(registry))
    wait_until_registered(2)
    assert registry.leases() == lease


PRINTERS = (
    ["list"],
    ["list", "-v"],
    ["list", "--json"],
    ["list", "--format", "{name} {url}"],
    ["lookup", "web"],
    ["lookup", "web", "-v"],
    ["lookup", "web", "--format", "{url}"],
    ["lookup", "web", "--wait", "1"],
    ["leave", "nobody", "10.0.0.1:1"],
    ["help", "settings"],
)


@pytest.mark.parametrize("settings", ["connection string", "query"], indirect=True)
def test_commands_that_print(registry, settings, launch_registered, launch):
    launch_registered(registry, **settings)
    env = registry.settings(**settings)
    watch = launch([COMMAND, "watch"], env)
    for command in PRINTERS:
        result = registry.run(*command, env=env)
        assert result.returncode in (0, NOT_FOUND), result.stderr
        assert PASSWORD not in result.stdout + result.stderr
    wait_until(lambda: watch.stdout, SEEN_S, "the command reports the service")
    assert PASSWORD not in watch.stdout + watch.stderr


def test_command(registry, settings, launch):
    env = registry.settings(**settings)
    join = launch([COMMAND, "join", "web", "--port", "8080"], env)
    registry.wait_for(document("web", 8080))
    assert PASSWORD not in " ".join(command_line(join.process.pid))
    join.process.send_signal(signal.SIGTERM)
    assert join.process.wait(SEEN_S) == 0
    assert "is registered" in join.stderr and PASSWORD not in join.stderr + join.stdout


@pytest.mark.parametrize(
    "url, status",
    [
        (f"http://nobody:{IN_NAMES}@HOST", REFUSED),
        (f"http://nobody:{IN_NAMES}@127.0.0.1:1", REFUSED),
        (f"http://nobody:{IN_NAMES}@HOST?colour=red", WRONG_SETTING),
        (f"http://nobody:{IN_NAMES}@HOST,b:{IN_NAMES}@c", WRONG_SETTING),
        (f"http://nobody:{IN_NAMES}/@HOST", WRONG_SETTING),
        (f"http://nobody:{IN_NAMES}%zz@HOST", WRONG_SETTING),
        (f"ftp://nobody:{IN_NAMES}@HOST", WRONG_SETTING),
        (f"http://HOST?user=nobody:{IN_NAMES}", REFUSED),
    ],
)
def test_messages(registry, guarded_etcd, url, status):
    url = url.replace("HOST", guarded_etcd.host).replace(IN_NAMES, PASSWORD)
    commands = [["list"], ["list", "-v"], ["lookup", "web", "--format", "{url}"]]
    if status == WRONG_SETTING:
        commands += [["watch"], ["lookup", "web", "--wait", "1"]]
    for command in commands:
        for result in (
            registry.run(*command, "--url", url),
            registry.run(*command, env={"ETCD_REGISTRY_URL": url}),
        ):
            assert (result.returncode, result.stdout) == (status, "")
            assert len(result.stderr.splitlines()) == 1
            assert PASSWORD not in result.stderr
