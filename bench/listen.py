# SPDX-License-Identifier: MIT
"""listen: the time inside listen(), for the first socket of a process and for its hundredth.

A host that may call chroot() leaves its folders to the thread in its first listen().  So there is
one more variant, which may not.  A user other than root has only that one.
"""
import os

from .frame.context import PROGRAMS, discard, environments, lines_of
from .frame.rows import Result, compare, interleave

SOCKETS = 100
NO_CHROOT = ["setpriv", "--bounding-set", "-sys_chroot"]
MAY_NOT = "ours, may not chroot"
FIRST_ADDED_US = 100
HUNDREDTH_ADDED_US = 5


def run(context):
    registry = context.registry(context.etcd())
    variants = environments(registry)
    if os.geteuid() == 0:
        variants[MAY_NOT] = variants["ours"]
    resident = context.host([PROGRAMS / "listens", "1"], variants["ours"])
    lines_of(resident, 1)

    def measure(name, environment):
        before = NO_CHROOT if name == MAY_NOT else []
        host = context.host([*before, PROGRAMS / "listens", str(SOCKETS)], environment)
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
        for name in {"ours", MAY_NOT} & set(rows):
            added = rows[name].median - rows["plain"].median
            rows[name].aim(f"≤ {limit} µs added to plain", added, at_most=limit)
        result.rows += rows.values()
    return result
