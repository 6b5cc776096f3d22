# SPDX-License-Identifier: MIT
"""calls: what fork(), putc() and malloc() cost a host that is registered, and a plain one.

A libc takes locks in them, and does more at a fork, in a process that has another thread which the
libc knows.
"""
from harness.registry import document
from harness.wait import wait_until

from .frame.context import EMPTY, PROGRAMS
from .frame.rows import Result, compare, interleave

ROUND_S = 60
OURS = "ours"
# The figures of a line: name, unit, and the divisor of the number that the host prints.
FIGURES = (
    ("fork to end of the child", "µs", 1000),
    ("putc()", "ns", 1000),
    ("malloc() and free()", "ns", 1000),
    ("page faults of a fork, parent", "faults", 100),
    ("page faults of a fork, child", "faults", 100),
)
AT_MOST = 1.02
FAULTS_MORE = 1


def one_round(_name, host):
    before = host.stdout.count("\n")
    host.tell()
    wait_until(lambda: host.stdout.count("\n") > before, ROUND_S, "the end of a round", 0.001)
    numbers = map(int, host.stdout.splitlines()[-1].split())
    return [number / divisor for number, (_, _, divisor) in zip(numbers, FIGURES)]


def run(context):
    registry = context.registry(context.etcd())
    plain = registry.settings()
    variants = {
        "plain": plain,
        "empty": plain | {"LD_PRELOAD": str(EMPTY)},
        OURS: registry.preloaded(OURS),
    }
    hosts = {name: context.host([PROGRAMS / "calls"], env) for name, env in variants.items()}
    for host in hosts.values():
        host.read_ports()
    registry.expect(document(OURS, hosts[OURS].port))
    samples = interleave(context.count(100, 10), hosts, one_round)
    result = Result([])
    for at, (what, unit, _) in enumerate(FIGURES):
        here = {name: [figures[at] for figures in rounds] for name, rounds in samples.items()}
        if unit == "faults":
            rows = compare(what, unit, here, of="empty")
            more = rows[OURS].median - rows["empty"].median
            rows[OURS].aim(f"≤ {FAULTS_MORE} more than empty", more, at_most=FAULTS_MORE)
        else:
            rows = compare(what, unit, here, of="plain")
            rows[OURS].aim(f"≤ {AT_MOST} × plain", rows[OURS].ratio, at_most=AT_MOST)
        result.rows += rows.values()
    return result
