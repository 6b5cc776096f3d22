# SPDX-License-Identifier: MIT
"""Runs the named benchmarks, or all of them: `scripts/bench`, which first builds what they need.

Each writes NAME.json and its charts to build/bench, or to build/bench/quick if BENCH_QUICK is set;
results.md there is the table of all that the folder has.  --publish measures nothing: it copies
the table and three charts of build/bench to docs/benchmarks.
"""
import dataclasses
import importlib
import json
import os
import pathlib
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback

from harness.product import BUILD, ROOT

from .frame import charts, machine, table
from .frame.context import Context

NAMES = (
    "exec",
    "listen",
    "join",
    "kill",
    "exit",
    "fork",
    "calls",
    "memory",
    "throughput",
    "cpu",
    "etcd",
    "scale",
    "fleet",
)
MEASURED = BUILD / "bench"
PUBLISHED = ROOT / "docs" / "benchmarks"
PUBLISHED_CHARTS = ("exec.svg", "kill.svg", "etcd-writes.svg")


def chosen(words):
    names = [name for word in words for name in word.split(",") if name]
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.exit(f"bench: no benchmark '{unknown[0]}'; the benchmarks are {', '.join(NAMES)}")
    return names or NAMES


def raise_limits():
    """A thousand hosts need a few descriptors each."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def end_cleanly():
    """Ends all started processes at an interrupt, even if a shell has made the program ignore
    SIGINT."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(1))


def run(name, quick):
    begin = time.monotonic()
    facts = machine.describe()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        with Context(pathlib.Path(folder), quick) as context:
            result = importlib.import_module(f"bench.{name}").run(context)
    return {
        "bench": name,
        "machine": facts | {"quick": quick, "seconds": round(time.monotonic() - begin)},
        "rows": [row.as_json() for row in result.rows],
        "curves": [dataclasses.asdict(curve) for curve in result.curves],
        "notes": result.notes,
    }


def save(folder, name, result):
    for old in [*folder.glob(f"{name}.svg"), *folder.glob(f"{name}-*.svg")]:
        old.unlink()
    result["charts"] = charts.draw(folder, name, result)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n")


def load(folder):
    """Returns all results in this folder, of this run or earlier ones."""
    paths = {name: folder / f"{name}.json" for name in NAMES}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


def publish(measured, published):
    """Copies the table and the charts that the documents show; a table with gaps stays here."""
    results = load(measured)
    missing = [name for name in NAMES if name not in results]
    if missing:
        sys.exit(
            f"bench: cannot publish: {measured} has no {missing[0]}.json; "
            f"run 'scripts/bench {','.join(missing)}' first"
        )
    for chart in PUBLISHED_CHARTS:
        shutil.copyfile(measured / chart, published / chart)
    text = table.as_markdown(results, PUBLISHED_CHARTS)
    (published / "results.md").write_text(text)


def main(words):
    if words == ["--publish"]:
        publish(MEASURED, PUBLISHED)
        return 0
    quick = bool(os.environ.get("BENCH_QUICK"))
    folder = MEASURED / "quick" if quick else MEASURED
    folder.mkdir(parents=True, exist_ok=True)
    raise_limits()
    end_cleanly()
    names, results = chosen(words), {}
    for name in names:
        print(f"bench: {name}", file=sys.stderr, flush=True)
        try:
            results[name] = run(name, quick)
        except Exception:
            traceback.print_exc()
            continue
        save(folder, name, results[name])
    (folder / "results.md").write_text(table.as_markdown(load(folder)))
    print(table.as_text(results))
    return len(names) - len(results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
