# SPDX-License-Identifier: MIT
"""exit: the time that exit() takes a host, with etcd up, down and hanging."""
import os
import signal

from harness.registry import document
from harness.wait import wait_until

from .frame.context import PROGRAMS, environments, lines_of
from .frame.rows import Result, compare, interleave

LISTENS = [PROGRAMS / "listens", "1"]
EXIT_TIMEOUT_MS = 1000
SLACK_MS = 50
VARIANTS = ("plain", "ours", "obvious")


def start_registered(context, registry, environment):
    host = context.host(LISTENS, environment)
    port = int(lines_of(host, 1)[0][0])
    if "LD_PRELOAD" in environment:
        registry.wait_for(document("web", port))
    return host


def exit_ms(host):
    os.kill(host.process.pid, signal.SIGUSR1)
    took_ns = lines_of(host, 2)[1][0]
    assert host.process.wait(10) == 0
    return int(took_ns) / 1e6


def up(context, _etcd, registry, environment):
    return exit_ms(start_registered(context, registry, environment))


def down(context, etcd, registry, environment):
    host = start_registered(context, registry, environment)
    etcd.kill()
    took_ms = exit_ms(host)
    etcd.start()
    return took_ms


def hanging(context, etcd, registry, environment):
    host = start_registered(context, registry, environment)
    with etcd.stopped():
        return exit_ms(host)


STATES = {
    "etcd up": (up, (100, 10), 10, "≤ 10 ms"),
    "etcd down": (down, (10, 3), 50, "≤ 50 ms"),
    "etcd hanging": (hanging, (10, 3), EXIT_TIMEOUT_MS + SLACK_MS, "≤ 1 s (the timeout) + 50 ms"),
}


def run(context):
    result = Result([])
    for state, (measure, counts, limit, text) in STATES.items():
        etcd = context.etcd()
        registry = context.registry(etcd)
        variants = {name: environments(registry)[name] for name in VARIANTS}
        samples = interleave(
            context.count(*counts),
            variants,
            lambda _, environment: measure(context, etcd, registry, environment),
        )
        rows = compare(f"exit(), {state}", "ms", samples, of="obvious")
        rows["ours"].aim(text, rows["ours"].median, at_most=limit)
        result.rows += rows.values()
        wait_until(lambda: not registry.agents(), 10, "the agent has ended")
    return result
