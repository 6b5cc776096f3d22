# SPDX-License-Identifier: MIT
"""make tells people the targets, and tools how each source is compiled."""
import json
import os
import re
import shutil
import subprocess

import pytest
from harness.product import ROOT

PATIENCE_S = 60
SOURCES = ("shim/*.c", "lib/*/*.c", "agent/*.c", "agent/*/*.c", "cli/*.c", "tests/unit/*.c")


def make(*words, cwd=ROOT):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    result = subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=cwd,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    return result.stdout


def test_help_has_every_target_for_people():
    first = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    targets = set(first[1].replace("\\\n", " ").split()) - {"all"}
    text = make("help")
    assert targets == set(re.findall(r"\bmake ([a-z][\w.-]*)", text))
    assert max(map(len, text.splitlines())) <= 100


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """Those that make writes, in a copy: another worker's make reads the tree."""
    folder = tmp_path_factory.mktemp("tree") / "tree"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("build", ".git"))
    make("compile_commands.json", cwd=folder)
    return json.loads((folder / "compile_commands.json").read_text())


def test_every_source_has_a_command(commands):
    sources = {str(path.relative_to(ROOT)) for glob in SOURCES for path in ROOT.glob(glob)}
    assert sources == {command["file"] for command in commands}
    assert len(commands) == len(sources) > 100


@pytest.mark.parametrize("source", ["shim/hooks.c", "cli/run.c", "tests/unit/test_buf.c"])
def test_a_command_compiles_its_source(commands, source):
    (command,) = [command for command in commands if command["file"] == source]
    words = [word for word in command["arguments"] if word != "-c"]
    at = words.index("-o")
    words[at : at + 2] = ["-fsyntax-only"]
    words = [word for word in words if word not in ("-MMD", "-MP")]
    subprocess.run(words, cwd=command["directory"], check=True, timeout=PATIENCE_S)
