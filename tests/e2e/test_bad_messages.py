# SPDX-License-Identifier: MIT
"""Bad messages to the agent from processes that are not its hosts: it refuses them and goes on."""
import os
import pathlib
import subprocess

import pytest
from harness import wire
from harness.agents import socket_name
from harness.registry import document
from harness.wait import wait_until

NOBODY = "65534"
KNOCK = (
    "import sys; from harness import wire; sys.exit(not wire.is_refused(sys.argv[1], wire.hello()))"
)


@pytest.fixture
def agent(v3_registry, launch_listener):
    """The name of an agent's socket.  After the test the agent must be the same one, and still
    serve old and new hosts."""
    old = launch_listener(v3_registry.preloaded("old"))
    v3_registry.expect(document("old", old.port))
    pids = v3_registry.agents()
    yield wait_until(lambda: socket_name(old), 1, f"the socket of {pids}")
    new = launch_listener(v3_registry.preloaded("new"))
    v3_registry.expect(document("old", old.port), document("new", new.port))
    assert v3_registry.agents() == pids


@pytest.mark.parametrize("message", wire.BAD_MESSAGES.values(), ids=wire.BAD_MESSAGES)
def test_bad_message_is_refused(agent, message):
    assert wire.is_refused(agent, message)


def test_bad_message_is_logged_at_debug(agent, v3_registry):
    before = len(v3_registry.log.read_text())
    assert wire.is_refused(agent, b"x")
    wait_until(lambda: "debug" in v3_registry.log.read_text()[before:], 2, "a debug line")


def test_connections_that_say_nothing_are_no_hosts(agent):
    connections = [wire.connect(agent) for _ in range(20)]
    for connection in connections:
        connection.close()


def test_another_user_is_refused(agent):
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    command = [
        "setpriv",
        "--reuid",
        NOBODY,
        "--regid",
        NOBODY,
        "--clear-groups",
        "/usr/bin/python3",
        "-B",
        "-c",
        KNOCK,
    ]
    environment = {"PYTHONPATH": str(pathlib.Path(__file__).parent), "PATH": os.environ["PATH"]}
    subprocess.run([*command, agent], check=True, timeout=30, env=environment)
