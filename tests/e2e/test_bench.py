# SPDX-License-Identifier: MIT
"""The benchmarks run, and their figures have the expected meaning."""
import json
import os
import subprocess
import sys

import pytest
from harness.product import BUILD, ROOT

sys.path.insert(0, str(ROOT))
from bench.frame.rows import Row, compare, interleave

RUN_S = 300


def test_each_round_begins_with_the_next_variant():
    order = []
    samples = interleave(3, {"a": 1, "b": 2}, lambda name, _: order.append(name) or len(order))
    assert "".join(order) == "abbaab"
    assert samples == {"a": [1, 4, 5], "b": [2, 3, 6]}


def test_a_ratio_is_that_of_one_round():
    rows = compare("what", "ms", {"ours": [1, 20, 300], "plain": [1, 10, 100]}, of="plain")
    assert rows["ours"].ratios == [1, 2, 3]
    assert rows["ours"].ratio == 2
    assert rows["plain"].ratio is None


@pytest.mark.parametrize(
    ("limit", "reached"),
    [({"at_most": 2}, True), ({"at_most": 1}, False), ({"at_least": 3}, False)],
)
def test_a_target_is_reached_or_not(limit, reached):
    row = Row("what", "ours", "ms", [2]).aim("so much", 2, **limit)
    assert row.as_json()["target"]["reached"] == reached


@pytest.mark.slow
def test_a_benchmark_runs():
    environment = {**os.environ, "BENCH_QUICK": "1"}
    result = subprocess.run(
        ["make", "--no-print-directory", "bench", "BENCH=exec"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    measured = json.loads((BUILD / "benchmarks" / "exec.json").read_text())
    medians = {row["variant"]: row["median"] for row in measured["rows"]}
    assert set(medians) == {"plain", "empty", "ours, no name", "ours", "obvious"}
    assert medians["obvious"] > medians["ours"]
    assert all(name in result.stdout for name in medians)
    assert (BUILD / "benchmarks" / "exec.svg").read_text().startswith("<?xml")
