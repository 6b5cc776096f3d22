# SPDX-License-Identifier: MIT
"""The command with hostile documents in etcd, with secrets, and with an etcd that does not
answer."""
import json
import os
import signal
import time

import pytest
from harness import product
from harness.process import command_line
from harness.registry import document
from harness.wait import wait_until

PASSWORD = "s3cret-pa55"
EXIT_TIMEOUT_S = 0.5
SLACK_S = 1.5


@pytest.fixture
def hostile(v3_registry):
    """A service whose texts could control a terminal: escape, delete, a C1 control character, a
    change of text direction."""
    service = {**document("web", 80), "host": "\x1b[31mred\x7f\x9b\u202e:80"}
    v3_registry.store.put(v3_registry.key(service), json.dumps(service))
    yield service
    v3_registry.store.delete(v3_registry.key(service))


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("command", ["list", "lookup"])
def test_a_table_has_no_control_characters(v3_registry, hostile, command, locale):
    result = v3_registry.run(command, "web", env={"LC_ALL": locale})
    assert result.returncode == 0
    assert result.stdout.replace("\n", "").isprintable()
    assert "?[31mred?" in result.stdout


def test_json_is_as_the_registry_holds_it(v3_registry, hostile):
    assert json.loads(v3_registry.run("lookup", "web", "--json").stdout) == hostile


def test_closed_standard_descriptors_are_no_sockets(v3_registry, hostile):
    result = v3_registry.run("list", preexec_fn=lambda: os.closerange(0, 2))
    assert result.returncode == 3
    assert "standard output" in result.stderr


def start_join(registry, launch, *options):
    command = [product.COMMAND, "join", "web", "--port", "8080", "--host", "127.0.0.1", *options]
    host = launch(command, registry.settings())
    wait_until(lambda: "is registered" in host.stderr, 5, "the service is registered")
    return host


def test_secrets_are_wiped_from_the_arguments(v3_registry, launch):
    url = v3_registry.url.replace("http://", f"http://user:{PASSWORD}@")
    join = start_join(v3_registry, launch, "--url", url)
    assert PASSWORD not in " ".join(command_line(join.process.pid)) + join.stderr
    os.kill(join.process.pid, signal.SIGHUP)
    assert join.process.wait(5) == 0


def test_join_leaves_in_time_when_etcd_hangs(absent_etcd, make_registry, launch):
    registry = make_registry(absent_etcd.start(), "v3")
    join = start_join(registry, launch, "--exit-timeout", f"{EXIT_TIMEOUT_S}s")
    os.kill(absent_etcd.pid, signal.SIGSTOP)
    start = time.monotonic()
    os.kill(join.process.pid, signal.SIGTERM)
    assert join.process.wait(5) == 3
    assert EXIT_TIMEOUT_S <= time.monotonic() - start < EXIT_TIMEOUT_S + SLACK_S
    assert "cannot remove 'web'" in join.stderr
    os.kill(absent_etcd.pid, signal.SIGCONT)
    registry.store.delete(registry.key(document("web", 8080)))
