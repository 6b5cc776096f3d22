# SPDX-License-Identifier: MIT
"""An agent whose program is on a file system that takes long to read, for `make test-hosts`."""
import contextlib
import importlib.util
import os
import subprocess
import sys
import time

import pytest
from harness import product
from harness.process import free_port
from harness.registry import document
from harness.wait import wait_until

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(
        not importlib.util.find_spec("fusepy") or not os.path.exists("/dev/fuse"),
        reason="no FUSE here: python3-fusepy, /dev/fuse",
    ),
]

SLOW_FOLDER = product.ROOT / "tests" / "e2e" / "harness" / "slow_folder.py"
MOUNTED_S = 5
READ_S = 2
QUICK_READ_S = 0.3
AT_MOST_MS = 100
EXIT_TIMEOUT_S = 1
SLACK_S = 0.5
REGISTERED_S = 30


@pytest.fixture
def slow_agent(tmp_path):
    """slow_agent(SECONDS) returns the agent's file, each read of which takes so long."""
    with contextlib.ExitStack() as stack:

        def mount(seconds):
            folder = tmp_path / "slow"
            folder.mkdir()
            command = [sys.executable, SLOW_FOLDER, folder, product.COMMAND, str(seconds)]
            server = stack.enter_context(subprocess.Popen(list(map(str, command))))
            stack.callback(server.terminate)
            stack.callback(subprocess.run, ["umount", "-l", folder], check=False)
            file = folder / product.COMMAND.name
            wait_until(lambda: folder.is_mount() and file.exists(), MOUNTED_S, "the folder")
            return file

        yield mount


def test_only_exit_waits_for_the_agent_to_be_read(v3_registry, launch, slow_agent):
    settings = v3_registry.preloaded("web", AGENT_BIN=str(slow_agent(READ_S)))
    began = time.monotonic()
    host = launch([product.HOSTS / "hurried"], settings)
    assert host.process.wait(REGISTERED_S) == 0
    assert time.monotonic() - began <= EXIT_TIMEOUT_S + SLACK_S
    assert max(map(int, host.stdout.split())) <= AT_MOST_MS
    wait_until(lambda: not v3_registry.agents(), REGISTERED_S, "the agent has ended")


def test_daemon_is_registered_once_the_agent_runs(v3_registry, launch, slow_agent):
    settings = v3_registry.preloaded("web", AGENT_BIN=str(slow_agent(QUICK_READ_S)))
    port = free_port()
    host = launch([product.HOSTS / "daemoniser", port, "_exit"], settings, port)
    assert host.process.wait(MOUNTED_S) == 0
    v3_registry.expect(document("web", port), timeout_s=REGISTERED_S)
    assert host.stderr == ""
    host.stop()
    v3_registry.expect()
