# SPDX-License-Identifier: MIT
"""exec: the cost of preloading for every program that starts.  It starts /bin/true and waits for
it."""
import subprocess

from harness.product import PRELOAD, clean_environment

from .frame.context import EMPTY, OBVIOUS, PROGRAMS, TRUE
from .frame.rows import Result, compare

VARIANTS = {
    "plain": "",
    "empty": f"LD_PRELOAD={EMPTY}",
    "ours, no name": f"LD_PRELOAD={PRELOAD}",
    "ours": f"LD_PRELOAD={PRELOAD} ETCD_REGISTRY_NAME=web",
    "obvious": f"LD_PRELOAD={OBVIOUS} ETCD_REGISTRY_NAME=web",
}


def run(context):
    rounds = context.count(2000, 200)
    command = [PROGRAMS / "starts", str(rounds), *VARIANTS.values(), "--", TRUE]
    output = subprocess.run(
        command, check=True, capture_output=True, text=True, env=clean_environment()
    ).stdout
    columns = zip(*(map(int, line.split()) for line in output.splitlines()))
    samples = {name: [ns / 1000 for ns in column] for name, column in zip(VARIANTS, columns)}
    rows = compare("start to end of /bin/true", "µs", samples, of="empty")
    for name in ("ours, no name", "ours"):
        rows[name].aim("≤ 1.03 × empty", rows[name].ratio, at_most=1.03)
    return Result(list(rows.values()))
