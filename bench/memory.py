# SPDX-License-Identifier: MIT
"""memory: the memory added to a host, and the size of the agent with 1 to 1,000 services.

An agent is two processes, the keeper and the worker.  Its size is all resident memory of the worker
and the private memory of the keeper.
"""
import statistics

from harness.process import descriptors
from harness.wait import wait_until

from .frame.context import PROGRAMS, agent_processes, discard, environments, lines_of
from .frame.rows import Curve, Result, Row, interleave
from .frame.usage import memory_kb, tasks

LISTENS = [PROGRAMS / "listens", "1"]
AGENT_MB = {1: 12, 1000: 32}


def _facts(host):
    pid = host.process.pid
    return {**memory_kb(pid), "threads": len(tasks(pid)), "fds": len(descriptors(pid))}


def measure_hosts(context):
    registry = context.registry(context.etcd())
    variants = environments(registry)

    def measure(_name, environment):
        host = context.host(LISTENS, environment)
        lines_of(host, 1)
        if "ETCD_REGISTRY_NAME" in environment:
            wait_until(registry.documents, 10, "the host is registered")
        facts = _facts(host)
        discard(host)
        wait_until(lambda: not registry.documents(), 15, "the service is gone")
        return facts

    return interleave(context.count(10, 2), variants, measure)


def host_rows(samples):
    fields = samples["plain"][0]
    plain = {name: statistics.median(one[name] for one in samples["plain"]) for name in fields}
    result = []
    for field, what, unit, limit in (
        ("Private", "private memory added", "kB", 150),
        ("Pss", "proportional memory added", "kB", None),
        ("threads", "threads added", "", 1),
        ("fds", "descriptors added", "", 0),
    ):
        added = {
            name: [one[field] - plain[field] for one in all_of]
            for name, all_of in samples.items()
            if name != "plain"
        }
        rows = {name: Row(what, name, unit, mine) for name, mine in added.items()}
        if limit is not None:
            text = f"≤ {limit} {unit}".strip()
            rows["ours"].aim(text, rows["ours"].median, at_most=limit)
        result += rows.values()
    return result


def agent_kb(registry):
    keeper, worker = agent_processes(registry)
    return memory_kb(keeper)["Private"] + memory_kb(worker)["Rss"]


def measure_agent(context, counts):
    """Returns kB of both processes by number of services.  Each service has its own host."""
    registry = context.registry(context.etcd())
    environment = environments(registry)["ours"]
    hosts, sizes = [], {}
    for count in counts:
        while len(hosts) < count:
            hosts.append(context.host(LISTENS, environment))
        wait_until(lambda: len(registry.documents()) == count, 120, f"{count} services", 0.2)
        sizes[count] = agent_kb(registry)
    for host in hosts:
        host.process.kill()
    wait_until(lambda: not registry.documents(), 60, "none is registered", 0.1)
    return sizes


def run(context):
    result = Result(host_rows(measure_hosts(context)))
    sizes = measure_agent(context, context.count((1, 10, 100, 300, 1000), (1, 10, 100)))
    for count, kb in sizes.items():
        row = Row(f"agent that holds {count:,}", "ours", "MB", [kb / 1000])
        if count in AGENT_MB:
            row.aim(f"≤ {AGENT_MB[count]} MB", row.median, at_most=AGENT_MB[count])
        result.rows.append(row)
    points = [(count, kb / 1000) for count, kb in sizes.items()]
    result.curves.append(
        Curve("agent", "Memory of the agent", "services", "MB", {"keeper and worker": points})
    )
    return result
