# SPDX-License-Identifier: MIT
"""scripts/bootstrap, against an apt that installs nothing: it says what it would install."""
import contextlib
import os
import pathlib
import pty
import shutil
import subprocess

import pytest
from harness import tools
from harness.product import ROOT

BOOTSTRAP = ROOT / "scripts" / "bootstrap"
LEFT_OUT = ("shellcheck", "clang-tidy")
PATIENCE_S = 20

APT_GET = """\
echo "apt-get $*" >>"$APT_LOG"
[ ! -e "$APT_LOG.unknown" ] || exit 100
printf 'Inst libexample:amd64 (1.0 Debian:12/stable [amd64])\\n'
printf 'Inst shellcheck (0.9 Debian:12/stable [amd64])\\nInst clang-tidy (14 Debian:12/stable [amd64])\\n'
case " $* " in *shellcheck*) [ ! -e "$APT_LOG.conflict" ] || echo 'Remv gcc-cross [12]' ;; esac
"""
APT_CACHE = """\
for name; do
	case $name in
	shellcheck) printf 'Package: shellcheck\\nInstalled-Size: 2500\\nSize: 1000000\\n\\n' ;;
	clang-tidy) printf 'Package: clang-tidy\\nInstalled-Size: 7000\\nSize: 2000000\\n\\n' ;;
	libexample*) printf 'Package: libexample\\nInstalled-Size: 500\\nSize: 4000000\\n\\n' ;;
	esac
done
"""
PLAN = [
    "bootstrap: missing for test: clang-tidy shellcheck",
    "  clang-tidy                   2.0 MB to download,     7.0 MB on disk",
    "  shellcheck                   1.0 MB to download,     2.5 MB on disk",
    "bootstrap: with their dependencies (packages: 3): 7.0 MB to download, 10.0 MB on disk",
]


class Machine:
    """Has every program of this one, but two, and an apt of the test."""

    def __init__(self, folder):
        self.log = folder / "apt.log"
        self.path = tools.without(folder / "bin", *LEFT_OUT)
        self.write("apt-get", APT_GET)
        self.write("apt-cache", APT_CACHE)
        self.write("sudo", 'echo "sudo $*" >>"$APT_LOG"\n')
        self.become(0)

    def write(self, name, script):
        path = self.path / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/bash\n{script}")
        path.chmod(0o755)

    def become(self, uid):
        self.write("id", f"echo {uid}\n")

    def say(self, what):
        """"unknown": apt knows none of the packages; "conflict": it would remove another."""
        pathlib.Path(f"{self.log}.{what}").touch()

    def run(self, *arguments, **more):
        environment = {**os.environ, "PATH": str(self.path), "APT_LOG": str(self.log)}
        return subprocess.run(
            [BOOTSTRAP, *arguments],
            env=environment,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            **{"stdin": subprocess.DEVNULL, "stdout": -1, "stderr": -1, **more},
        )

    def calls(self):
        """Returns the calls of apt-get and sudo, without the simulations."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if "--simulate" not in line]


def read_to_end(terminal):
    """Returns all text of a terminal whose other side is closed: one read may return a part."""
    chunks = []
    with contextlib.suppress(OSError):  # EIO: there is no more
        while chunk := os.read(terminal, 1000):
            chunks.append(chunk)
    return b"".join(chunks).decode()


@pytest.fixture
def machine(tmp_path):
    if any(shutil.which(name) is None for name in LEFT_OUT):
        pytest.skip("something else is missing here")
    return Machine(tmp_path)


@pytest.mark.parametrize("option", ["-n", "--dry-run"])
@pytest.mark.parametrize("uid", [0, 1000], ids=["root", "a user"])
def test_a_dry_run_says_sizes_and_installs_nothing(machine, uid, option):
    machine.become(uid)
    result = machine.run(option, "test")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == PLAN
    assert machine.calls() == []


def test_a_dry_run_where_apt_has_no_lists(machine):
    machine.say("unknown")
    result = machine.run("-n", "test")
    assert result.returncode == 0
    assert 'sizes unknown: apt does not know all of these packages; run "apt-get update"' in result.stdout
    assert machine.calls() == []


def test_nothing_is_said_where_nothing_is_missing(machine):
    result = machine.run("--dry-run", "build")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_nothing_is_removed(machine):
    machine.say("conflict")
    result = machine.run("--yes", "test")
    assert result.returncode == 1
    assert result.stderr.splitlines()[0] == (
        "bootstrap: shellcheck conflicts with installed packages: gcc-cross"
    )
    assert "nothing was installed" in result.stderr
    assert machine.calls() == []


def test_on_a_terminal_it_asks(machine):
    """Also if stderr goes elsewhere, as in `scripts/test 2>&1 | tee log`."""
    ours, terminal = pty.openpty()
    os.write(ours, b"n\n")
    result = machine.run("test", stdin=terminal)
    os.close(terminal)
    said = read_to_end(ours)
    os.close(ours)
    assert result.returncode == 1
    assert result.stdout.splitlines() == PLAN
    assert "install them? [y/N]" in said
    assert "nothing was installed" in result.stderr
    assert machine.calls() == []


@pytest.mark.parametrize("options", [[], ["--yes"]], ids=["", "--yes"])
def test_a_user_goes_on_through_sudo(machine, options):
    machine.become(1000)
    assert machine.run(*options, "test").returncode == 0
    assert machine.calls() == [" ".join(["sudo --", str(BOOTSTRAP), *options, "test"])]


@pytest.mark.parametrize("words", [["-x", "test"], ["--force", "test"]])
def test_an_unknown_option_is_refused(machine, words):
    result = machine.run(*words)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"bootstrap: unknown option '{words[0]}'; usage: bootstrap ")
    assert machine.calls() == []


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(machine, option):
    result = machine.run(option)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("usage: bootstrap ")


def test_a_need_of_an_unknown_package_is_refused(machine):
    result = machine.run("--need", "test", "nosuch")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "bootstrap: no package 'nosuch' in the table\n"


@pytest.mark.parametrize("words", [[], ["everything"], ["test", "demo"]])
def test_usage(machine, words):
    result = machine.run(*words)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("bootstrap: usage: bootstrap ")


def test_what_is_needed_is_named(machine):
    result = machine.run("--need", "test", "shellcheck", "strace")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "bootstrap: missing: shellcheck; run 'scripts/bootstrap test'\n"
    )
    assert machine.run("--need", "test", "strace").returncode == 0
