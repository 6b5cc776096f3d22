# SPDX-License-Identifier: MIT
"""The gates and the scripts that run tests: a missing tool is named, and what judges nothing says so."""
import os
import shutil
import subprocess

import pytest
from harness import tools
from harness.product import ROOT

PATIENCE_S = 60
JUDGED_NOTHING = 77
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


def run(*command, path=None, cwd=ROOT, **more):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "GIT_"))}
    environment.pop("TEST_RESULTS", None)
    if path:
        environment["PATH"] = str(path)
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**environment, **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize(
    "command, tool, package, purpose",
    [
        ("lint", "readelf", "binutils", "test"),
        ("lint", "shellcheck", "shellcheck", "test"),
        ("analyse", "clang-tidy", "clang-tidy", "test"),
        ("analyse", "cppcheck", "cppcheck", "test"),
        ("run-e2e", "etcd", "etcd-server", "demo"),
        ("throwaway-etcd", "etcd", "etcd-server", "demo"),
    ],
)
def test_a_missing_program_is_named(tmp_path, command, tool, package, purpose):
    result = run(ROOT / "scripts" / command, "start", path=tools.without(tmp_path / "bin", tool))
    assert (result.returncode, result.stdout) == (
        1,
        f"bootstrap: missing: {package}; run 'scripts/bootstrap {purpose}'\n",
    )


def test_a_missing_pytest_is_named(tmp_path):
    (tmp_path / "pytest.py").write_text("raise ImportError\n")
    result = run(ROOT / "scripts" / "run-e2e", PYTHONPATH=str(tmp_path))
    assert result.returncode == 1
    assert "missing: python3-pytest; run 'scripts/bootstrap test'" in result.stdout


@pytest.fixture
def no_cmocka(tmp_path):
    path = tools.without(tmp_path / "bin")
    (path / "pkg-config").unlink()
    (path / "pkg-config").write_text(
        '#!/bin/sh\ncase " $* " in *" cmocka "*) exit 1 ;; esac\nexec /usr/bin/pkg-config "$@"\n'
    )
    (path / "pkg-config").chmod(0o755)
    return path


@pytest.mark.parametrize("target", ["check", "unit"])
def test_a_build_of_unit_tests_names_cmocka(tmp_path, no_cmocka, target):
    result = run("make", target, f"B={tmp_path}/build", "UNIT=buf", "--dry-run", path=no_cmocka)
    assert result.returncode == 2
    assert "missing: cmocka; run 'scripts/bootstrap test'" in result.stdout


def test_a_run_of_unit_tests_names_cmocka(no_cmocka):
    result = run(ROOT / "scripts" / "run-unit", "build/unit/test_buf", path=no_cmocka)
    assert result.returncode == 1
    assert "missing: libcmocka-dev; run 'scripts/bootstrap test'" in result.stdout


@pytest.mark.parametrize("tool", ["cc", "pkg-config"])
def test_a_build_names_what_it_wants(tmp_path, tool):
    path = tools.without(tmp_path / "bin", tool)
    result = run("make", f"B={tmp_path}/build", "--dry-run", path=path)
    assert result.returncode == 2
    assert f"missing: {tool}" in result.stdout
    assert "run 'scripts/bootstrap build'" in result.stdout


@pytest.fixture
def closed_tree(tmp_path):
    """A clone that was made with umask 077, in a folder that is closed."""
    tree = tmp_path / "closed" / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build", ".git", "fuzz"))
    (tree / "build").mkdir()
    (tree / "Makefile").write_text("all hosts:\n")  # there is nothing to build
    subprocess.run(["chmod", "-R", "go-rwx", tree.parent], check=True)
    (tree / "tests" / "e2e" / "conftest.py").write_text("")
    for test in (tree / "tests" / "e2e").glob("test_*.py"):
        test.unlink()
    return tree


@pytest.mark.skipif(os.getuid() != 0, reason="only root's tests become another user")
@pytest.mark.parametrize("temporary, passed", [("open", True), ("closed", False)])
def test_a_closed_clone_is_copied_to_where_others_can_read(closed_tree, temporary, passed):
    """... and once only, also where the copy would be as closed."""
    test = "import pathlib, subprocess\n\ndef test():\n    "
    test += 'subprocess.run(["setpriv", "--reuid=65534", "cat", pathlib.Path(__file__)], check=True)\n'
    (closed_tree / "tests" / "e2e" / "test_it.py").write_text(test)
    more = {} if passed else {"TMPDIR": str(closed_tree.parent)}
    result = run(closed_tree / "scripts" / "run-e2e", "tests/e2e/test_it.py", cwd=closed_tree, **more)
    assert ("is closed to others too: set TMPDIR" in result.stdout) != passed
    assert ("1 passed" in result.stdout) == passed


def gate(tmp_path, label, function, *left_out, script="", **more):
    """One gate of scripts/lint as it is, with what `script` changes."""
    path = tools.without(tmp_path / "bin", *left_out)
    text = (ROOT / "scripts" / "lint").read_text().partition("results_init\n")[0]
    text = text.replace('"$(dirname "$0")', f'"{ROOT}/scripts')
    program = tmp_path / "lint"
    program.write_text(f"{text}{script}results_init\ngate '{label}' {function}\nresults_end\n")
    return run("bash", program, path=path, **more)


def test_the_gate_of_the_layout_says_that_it_judged_nothing(tmp_path):
    result = gate(tmp_path, "layout", "c_is_laid_out", "clang-format", "clang-format-14")
    assert "  skip  layout: checked nothing: clang-format 14 is missing" in result.stdout
    assert result.stdout.endswith("0 passed, 0 failed\n") and result.returncode == 1


def test_the_gate_of_guards(tmp_path):
    (header := tmp_path / "wrong.h").write_text("#ifndef BUF_H\n#define BUF_H\n#endif\n")
    script = f"headers=({header})\n"
    result = gate(tmp_path, "guards", "guards_are_paths", script=script)
    guard = "".join(c if c.isalnum() else "_" for c in str(header)).upper()
    assert f"{header}: the guard must be ETCDREG_{guard}\n" in result.stdout
    assert result.returncode == 1


@pytest.fixture
def history(tmp_path):
    """A repository with scripts/lint-commits, which came after a commit that it would not pass."""
    folder = tmp_path / "tree"
    (folder / "scripts").mkdir(parents=True)

    def git(*words):
        who = ["-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "commit.gpgsign=false"]
        result = run("git", *who, *words, cwd=folder)
        assert result.returncode == 0, result.stdout

    def commit(subject):
        git("commit", "-q", "--allow-empty", "-m", subject)

    git("init", "-q")
    commit("an older one.")
    for name in ("lint-commits", "common.sh"):
        shutil.copy(ROOT / "scripts" / name, folder / "scripts")
    git("add", ".")
    commit("lint: check subjects")
    return folder, git, commit


def lint_commits(folder, *arguments):
    return run(folder / "scripts" / "lint-commits", *arguments, cwd=folder)


@needs_git
@pytest.mark.parametrize(
    "subject, why",
    [
        ("shim: stay quiet", None),
        ("lib, cli: " + "x" * 50, None),
        ("lib, cli: " + "x" * 51, "61 characters, 60 at most"),
        ("no area", 'wants "area: imperative"'),
        ("Shim: stay quiet", 'wants "area: imperative"'),
        ("shim: stay quiet.", "ends with a full stop"),
    ],
)
def test_subjects_of_commits(history, subject, why):
    folder, _, commit = history
    commit(subject)
    result = lint_commits(folder)
    assert result.returncode == (1 if why else 0)
    assert result.stdout.partition(" ")[2] == (f"{subject}: {why}\n" if why else "")


@needs_git
def test_only_commits_since_the_base_or_the_newest_tag_are_judged(history):
    folder, git, commit = history
    commit("wrong")
    assert lint_commits(folder).returncode == 1
    assert lint_commits(folder, "HEAD").returncode == 0
    git("tag", "v1")
    assert lint_commits(folder).returncode == 0
    assert "unknown commit 'v2'" in lint_commits(folder, "v2").stdout


@needs_git
def test_a_clone_without_the_whole_history_is_not_judged(history, tmp_path):
    folder, git, commit = history
    commit("wrong")
    git("clone", "-q", "--depth=1", f"file://{folder}", tmp_path / "shallow")
    shutil.copytree(folder / "scripts", tmp_path / "tarball" / "scripts")
    git("init", "-q", tmp_path / "empty")
    shutil.copytree(folder / "scripts", tmp_path / "empty" / "scripts")
    for name in ("shallow", "tarball", "empty"):
        result = lint_commits(tmp_path / name)
        assert result.returncode == JUDGED_NOTHING
        assert result.stdout == "checked no commit: this is not a complete git clone\n"


@needs_git
def test_a_tree_that_is_imported_as_one_commit_passes(tmp_path):
    folder = tmp_path / "imported"
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    who = ["-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "commit.gpgsign=false"]
    run("git", "init", "-q", cwd=folder)
    run("git", "add", ".", cwd=folder)
    run("git", *who, "commit", "-q", "-m", "Initial import", cwd=folder)
    assert lint_commits(folder).returncode == 0


def test_a_folder_that_is_no_room_is_named(tmp_path):
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "lint-boundaries", tmp_path / "scripts")
    folder = tmp_path / "agent" / "extra"
    folder.mkdir(parents=True)
    (folder / "x.c").write_text('#include "lib/config/config.h"\n')
    result = run(tmp_path / "scripts" / "lint-boundaries", cwd=tmp_path)
    assert result.returncode == 1
    assert "agent/extra/x.c: agent/extra/ is no room" in result.stdout
