# SPDX-License-Identifier: MIT
"""The benchmarks run, and their figures have the expected meaning."""
import json
import os
import re
import subprocess
import sys

import pytest
from harness.product import BUILD, ROOT

sys.path.insert(0, str(ROOT))
from bench import __main__ as bench
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


def write_measured(folder, names):
    """Writes the files of a full run, of benchmarks with one row and two charts each."""
    machine = {"date": "", "load_before": 0, "seconds": 0, "processors": 2, "processor": ""}
    machine |= {"memory_gb": 1, "system": "", "kernel": "", "virtual": False, "versions": {}}
    for name in names:
        charts = [f"{name}.svg", f"{name}-writes.svg"]
        rows = [Row("what", "ours", "ms", [2]).as_json()]
        result = {"machine": machine, "rows": rows, "notes": [], "charts": charts}
        (folder / f"{name}.json").write_text(json.dumps(result))
        for chart in charts:
            (folder / chart).write_text(chart)


def test_what_is_published_is_the_table_and_three_charts(tmp_path):
    measured, published = tmp_path / "measured", tmp_path / "published"
    measured.mkdir()
    published.mkdir()
    write_measured(measured, bench.NAMES)
    bench.publish(measured, published)
    files = {path.name for path in published.iterdir()}
    assert files == {"results.md", *bench.PUBLISHED_CHARTS}
    table = (published / "results.md").read_text()
    assert re.findall(r"^## (.*)$", table, re.MULTILINE) == list(bench.NAMES)
    assert set(re.findall(r"\]\((.*?\.svg)\)", table)) == set(bench.PUBLISHED_CHARTS)


def test_a_table_with_a_gap_is_not_published(tmp_path):
    write_measured(tmp_path, bench.NAMES[:-1])
    with pytest.raises(SystemExit, match=rf"no {bench.NAMES[-1]}\.json"):
        bench.publish(tmp_path, tmp_path)
    assert not (tmp_path / "results.md").exists()


def test_the_documents_link_to_files_that_are_there():
    folder = ROOT / "docs" / "benchmarks"
    for page in folder.glob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
            assert (folder / link).exists(), f"{page.name}: {link}"


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
    measured = json.loads((BUILD / "bench" / "quick" / "exec.json").read_text())
    medians = {row["variant"]: row["median"] for row in measured["rows"]}
    assert set(medians) == {"plain", "empty", "ours, no name", "ours", "obvious"}
    assert medians["obvious"] > medians["ours"]
    assert all(name in result.stdout for name in medians)
    assert (BUILD / "bench" / "quick" / "exec.svg").read_text().startswith("<?xml")
