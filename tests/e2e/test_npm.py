# SPDX-License-Identifier: MIT
"""The npm package etcd-registry 2.1.1 and this product in one registry, through the API that both
use: v2."""
import json
import pathlib
import subprocess

import pytest
from harness.product import COMMAND
from harness.registry import document
from harness.wait import wait_until

CLIENT = pathlib.Path(__file__).parent / "npm_client.js"
CLIENT_TIMEOUT_S = 20
GONE_S = 2
REPAIRED_S = 7


@pytest.fixture
def registry(etcd, make_registry):
    return make_registry(etcd, "v2")


@pytest.fixture
def npm(registry, npm_modules, launch):
    """The package's client on this registry: npm.query(...) and npm.join(...)."""

    class Npm:
        environment = {**registry.settings(), "NODE_PATH": str(npm_modules)}
        url = registry.url.partition("?")[0]

        def query(self, *arguments):
            command = ["node", CLIENT, self.url, *arguments]
            result = subprocess.run(
                command,
                env=self.environment,
                check=True,
                capture_output=True,
                timeout=CLIENT_TIMEOUT_S,
            )
            return json.loads(result.stdout)

        def join(self, service):
            command = [
                "node",
                CLIENT,
                self.url,
                "join",
                service["name"],
                service["port"],
                service["hostname"],
            ]
            client = launch(command, self.environment)
            wait_until(lambda: "\n" in client.stdout, CLIENT_TIMEOUT_S, "the package has joined")
            return client

    return Npm()


def test_its_lookup_and_list_return_our_document_with_exactly_five_fields(
    registry, launch_listener, npm
):
    host = launch_listener(registry.preloaded("my service"))
    ours = document("my service", host.port)
    registry.expect(ours)
    assert npm.query("lookup", "my service") == ours
    assert npm.query("list", "my service") == [ours]
    assert npm.query("list") == [ours]


def test_our_lookup_and_list_return_its_document(registry, npm):
    theirs = document("web", 8080)
    client = npm.join(theirs)
    assert json.loads(registry.run("lookup", "web", "--json").stdout) == theirs
    assert json.loads(registry.run("list", "--json").stdout) == [theirs]
    client.process.terminate()
    assert client.process.wait(CLIENT_TIMEOUT_S) == 0


def test_one_endpoint_joined_from_both_sides_is_one_key(registry, launch_listener, npm):
    host = launch_listener(registry.preloaded("web"))
    web = document("web", host.port)
    registry.expect(web)
    client = npm.join(web)
    registry.expect(web)
    client.process.terminate()
    assert client.process.wait(CLIENT_TIMEOUT_S) == 0
    registry.expect(web, timeout_s=REPAIRED_S)


def test_verbose_says_what_its_command_says_with_v(registry, npm_modules, npm):
    """The package's `list -v` prints a tree: a name, then a line for each field of the document."""
    meta = {"zone": "b", "on": True}
    web = {**document("web", 8080), **meta}
    registry.store.put(registry.key(web), json.dumps(web))
    tool = npm_modules / "etcd-registry" / "bin.js"
    theirs, ours = (
        subprocess.run(
            command,
            env=npm.environment,
            check=True,
            capture_output=True,
            timeout=CLIENT_TIMEOUT_S,
            text=True,
        ).stdout
        for command in (
            ["node", tool, "list", "-v", "-e", npm.url.removeprefix("http://")],
            [COMMAND, "list", "-v"],
        )
    )
    registry.store.delete(registry.key(web))
    fields = [line.strip("├└─ ").split(":", 1) for line in theirs.strip().splitlines()]
    told = [[word.strip() for word in field] for field in fields]
    assert [["web"], ["zone", "b"], ["on", "true"]] == [told[0], *told[-2:]]
    assert [line.split() for line in ours.splitlines()] == told


def test_no_service_is_null_and_an_empty_list(registry, npm):
    assert npm.query("lookup", "web") is None
    assert npm.query("list") == []


def test_a_service_that_has_gone_is_gone_for_the_package(registry, launch_listener, npm):
    host = launch_listener(registry.preloaded("web"))
    web = document("web", host.port)
    registry.expect(web)
    with registry.watch() as watch:
        host.kill()
        watch.wait("delete", registry.key(web), GONE_S)
    assert npm.query("list", "web") == []
