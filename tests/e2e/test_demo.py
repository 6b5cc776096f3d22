# SPDX-License-Identifier: MIT
"""The first command of the README."""
import re
import subprocess

from harness.product import ROOT

DEMO_S = 100


def test_the_demo_runs_to_its_end():
    result = subprocess.run(
        [ROOT / "scripts" / "demo"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEMO_S,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"is out of etcd \d+ ms after the signal", result.stdout)
    assert result.stderr == ""
