# SPDX-License-Identifier: MIT
"""kill: the time from SIGKILL until etcd tells a watcher that the service is gone.

Hosts whose keys wait for a TTL are killed all at once, so that the wait happens once.
"""
import os
import signal
import time

from harness.store import V2Store, V3Store
from harness.watch import Watch

from .frame.context import PROGRAMS, environments, lines_of, npm_server
from .frame.rows import Result, compare, interleave
from .join import measure_join

PATIENCE_S = 30
MEDIAN_MS = 10
MOST_MS = 100
LISTENS = [PROGRAMS / "listens", "1"]


def kill(host):
    """Returns when the signal was sent."""
    now = time.monotonic()
    os.kill(host.process.pid, signal.SIGKILL)
    host.process.wait()
    return now


def measure_one(context, watch, registry, environment):
    _, host, key = measure_join(context, watch, registry, LISTENS, environment)
    sent = kill(host)
    return (watch.wait("delete", key, PATIENCE_S) - sent) * 1000


def measure_together(context, watch, registry, command, environment, count):
    """Measures `count` hosts: each registers and is then killed."""
    joined = [
        measure_join(context, watch, registry, command, environment)[1:] for _ in range(count)
    ]
    sent = [(key, kill(host)) for host, key in joined]
    return [(watch.wait("delete", key, PATIENCE_S) - when) * 1000 for key, when in sent]


def run(context):
    etcd = context.etcd()
    rounds = context.count(100, 10)
    registries = {"ours": context.registry(etcd), "ours, v2": context.registry(etcd, "v2")}
    for registry in registries.values():
        lines_of(context.host(LISTENS, environments(registry)["ours"]), 1)
    with Watch(V3Store(etcd, "services/")) as v3, Watch(V2Store(etcd, "services/")) as v2:

        def measure(name, registry):
            watch = v2 if registry.api == "v2" else v3
            return measure_one(context, watch, registry, environments(registry)["ours"])

        samples = interleave(rounds, registries, measure)
        obvious = context.registry(etcd)
        samples["obvious"] = measure_together(
            context, v3, obvious, LISTENS, environments(obvious)["obvious"], context.count(20, 5)
        )
        npm = context.registry(etcd, "v2")
        samples["npm"] = measure_together(
            context, v2, npm, *npm_server(npm, "web"), context.count(20, 5)
        )
    rows = compare("SIGKILL to seen by a watcher", "ms", samples, of="npm")
    most = max(samples["ours"])
    rows["ours"].aim(f"median ≤ {MEDIAN_MS} ms", rows["ours"].median, at_most=MEDIAN_MS)
    slowest = {name: [max(samples[name])] for name in ("ours", "npm")}
    worst = compare("the slowest of them", "ms", slowest, of="npm")
    worst["ours"].aim(f"≤ {MOST_MS} ms", most, at_most=MOST_MS)
    return Result([*rows.values(), *worst.values()])
