# SPDX-License-Identifier: MIT
"""Where a password must not be: arguments, logs, messages, what other processes inherit."""
import signal

import pytest
from harness import users
from harness.etcd import Etcd
from harness.process import all_pids, command_line
from harness.product import COMMAND
from harness.registry import document

PASSWORD = "n0b0dy-5hall-r3ad-th15"
SEEN_S = 5
REFUSED, WRONG_SETTING = 3, 2


@pytest.fixture(scope="module")
def guarded_etcd(tmp_path_factory):
    node = Etcd(tmp_path_factory.mktemp("guarded-etcd")).start()
    users.switch_users_on(node, PASSWORD)
    yield node
    node.stop()


@pytest.fixture
def registry(guarded_etcd, make_registry):
    return make_registry(guarded_etcd, "v3")


@pytest.fixture(params=["variable", "file", "connection string"])
def settings(request, registry, tmp_path):
    """For Registry.preloaded(): the right user, told in one way."""
    if request.param == "variable":
        return {"USER": users.USER, "PASSWORD": PASSWORD}
    if request.param == "file":
        (path := tmp_path / "password").write_text(f"{PASSWORD}\n")
        return {"USER": users.USER, "PASSWORD_FILE": path}
    return {"URL": registry.url.replace("//", f"//{users.USER}:{PASSWORD}@")}


def test_agent_and_log(registry, settings, launch_listener):
    """A token is none of the log's either."""
    host = launch_listener(registry.preloaded("web", **settings))
    registry.expect(document("web", host.port))
    assert registry.agents()
    assert not [pid for pid in all_pids() if PASSWORD in " ".join(command_line(pid))]
    host.stop()
    registry.expect()
    text = registry.log.read_text()
    assert "debug: " in text
    assert PASSWORD not in text + host.stderr + host.stdout and "Authorization" not in text


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
        (f"http://nobody:{PASSWORD}@HOST", REFUSED),
        (f"http://nobody:{PASSWORD}@127.0.0.1:1", REFUSED),
        (f"http://nobody:{PASSWORD}@HOST?colour=red", WRONG_SETTING),
        (f"http://nobody:{PASSWORD}@HOST,b:{PASSWORD}@c", WRONG_SETTING),
        (f"http://nobody:{PASSWORD}/@HOST", WRONG_SETTING),
        (f"http://nobody:{PASSWORD}%zz@HOST", WRONG_SETTING),
        (f"ftp://nobody:{PASSWORD}@HOST", WRONG_SETTING),
        (f"http://HOST?user=nobody:{PASSWORD}", REFUSED),
    ],
)
def test_messages(registry, guarded_etcd, url, status):
    url = url.replace("HOST", guarded_etcd.host)
    for result in (
        registry.run("list", "--url", url),
        registry.run("list", env={"ETCD_REGISTRY_URL": url}),
        registry.run("watch", "--url", url) if status == WRONG_SETTING else None,
    ):
        if result:
            assert (result.returncode, result.stdout) == (status, "")
            assert len(result.stderr.splitlines()) == 1
            assert PASSWORD not in result.stderr
