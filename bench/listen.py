# SPDX-License-Identifier: MIT
"""listen: the time inside listen(), for the first socket of a process and for its hundredth, with
the object's thread and without."""
from .frame.context import PROGRAMS, discard, environments, lines_of
from .frame.rows import Result, compare, interleave

SOCKETS = 100
THREADLESS = "ours, no thread"
FIRST_ADDED_US = 100
HUNDREDTH_ADDED_US = 5


def run(context):
    registry = context.registry(context.etcd())
    variants = environments(registry)
    variants[THREADLESS] = variants["ours"] | {"ETCD_REGISTRY_THREAD": "0"}
    resident = context.host([PROGRAMS / "listens", "1"], variants["ours"])
    lines_of(resident, 1)

    def measure(_name, environment):
        host = context.host([PROGRAMS / "listens", str(SOCKETS)], environment)
        took = [int(ns) / 1000 for _, ns, _ in lines_of(host, SOCKETS)]
        discard(host)
        return took

    samples = interleave(context.count(200, 20), variants, measure)
    discard(resident)
    result = Result([])
    for what, at, limit in (
        ("first listen()", 0, FIRST_ADDED_US),
        (f"{SOCKETS}th listen()", SOCKETS - 1, HUNDREDTH_ADDED_US),
    ):
        here = {name: [took[at] for took in all_took] for name, all_took in samples.items()}
        rows = compare(what, "µs", here, of="plain")
        added = rows["ours"].median - rows["plain"].median
        rows["ours"].aim(f"≤ {limit} µs added to plain", added, at_most=limit)
        result.rows += rows.values()
    return result
