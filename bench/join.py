# SPDX-License-Identifier: MIT
"""join: the time from the return of listen() until etcd tells a watcher of the service."""
from harness.registry import document
from harness.store import V2Store, V3Store
from harness.watch import Watch

from .frame.context import PROGRAMS, discard, environments, lines_of, npm_server
from .frame.rows import Result, Row, compare, interleave

PATIENCE_S = 15
COLD_MS = 20
WARM_MS = 5


def measure_join(context, watch, registry, command, environment):
    """Returns the milliseconds, the host, which still runs, and its key."""
    host = context.host(command, environment)
    port, _, returned_ns = lines_of(host, 1)[0]
    key = registry.key(document("web", int(port)))
    seen = watch.wait("put", key, PATIENCE_S)
    return (seen - int(returned_ns) / 1e9) * 1000, host, key


def run(context):
    etcd = context.etcd()
    listens = [PROGRAMS / "listens", "1"]
    warm = {api: context.registry(etcd, api) for api in ("v3", "v2")}
    for registry in warm.values():
        lines_of(context.host(listens, environments(registry)["ours"]), 1)

    def ours_cold(watches):
        registry = context.registry(etcd)
        return watches["v3"], registry, listens, environments(registry)["ours"]

    def ours_warm(api):
        environment = environments(warm[api])["ours"]
        return lambda watches: (watches[api], warm[api], listens, environment)

    def obvious(watches):
        return watches["v3"], warm["v3"], listens, environments(warm["v3"])["obvious"]

    def npm(watches):
        return watches["v2"], warm["v2"], *npm_server(warm["v2"], "web")

    variants = {
        "ours, agent cold": ours_cold,
        "ours, agent warm": ours_warm("v3"),
        "ours, agent warm, v2": ours_warm("v2"),
        "obvious": obvious,
        "npm": npm,
    }
    with Watch(V3Store(etcd, "services/")) as v3, Watch(V2Store(etcd, "services/")) as v2:

        def measure(_name, variant):
            took_ms, host, _ = measure_join(context, *variant({"v3": v3, "v2": v2}))
            discard(host)
            return took_ms

        samples = interleave(context.count(100, 5), variants, measure)
    rows = compare("listen() returned to seen by a watcher", "ms", samples, of="obvious")
    aim(rows["ours, agent cold"], COLD_MS)
    aim(rows["ours, agent warm"], WARM_MS)
    return Result(list(rows.values()))


def aim(row: Row, limit):
    row.aim(f"median ≤ {limit} ms", row.median, at_most=limit)
