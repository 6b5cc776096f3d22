# SPDX-License-Identifier: MIT
"""fleet: many machines against a cluster of three nodes, all on this machine.

A machine is a handle of the library, like that of an agent.  The benchmark measures more and more
services on each machine: their cost in etcd while nothing happens, and the cost of a change to
another service.  With the largest number it kills the leader, and starts it again when the cluster
has worked without it for a while.  Short TTLs cause as many heartbeats as a larger fleet.
"""
import contextlib
import json
import signal
import threading
import time

from harness.process import descriptors
from harness.registry import Registry
from harness.wait import wait_until

from .frame.context import PROGRAMS, lines_of
from .frame.rows import Curve, Result, Row, counted
from .frame.usage import memory_kb, process_ns
from .scale import Tally, tell

MACHINES = 200
TTL_S = 10
LATE_S = 1
SETTLED_S = 7
CHANGES = 50
# Machines, and their TTL in seconds.
RATES = ((200, 3), (600, 3))
WITHOUT_LEADER_S = 15


class Fleet:
    def __init__(self, context, cluster, machines, services, ttl_s=TTL_S):
        self.nodes = cluster.nodes
        self.name = f"{machines} machines, {counted(services, 'service')} each"
        if ttl_s != TTL_S:
            self.name += f", ttl {ttl_s} s"
        self.due = machines / (ttl_s / 2)
        self.count = machines * services
        first, *others = cluster.nodes
        folder = context.new_folder("fleet")
        namespace = folder.name
        self.registry = Registry(first, "v3", namespace, folder, [node.host for node in others])
        program = [PROGRAMS / "handles", str(machines), str(services), str(ttl_s)]
        self.host = context.host(program, self.registry.settings(SPREAD="1"))
        self._lines = 0

    def next_line(self):
        self._lines += 1
        return lines_of(self.host, self._lines)[-1]

    def counts(self):
        """Returns the numbers since the start (registered, lost, errors, failovers) and the latest
        error."""
        tell(self.host)
        words = self.next_line()
        return [int(word) for word in words[:4]], " ".join(words[4:])

    def stop(self):
        """Stops the fleet.  Returns the seconds until all services were out of etcd."""
        tell(self.host, signal.SIGTERM)
        took_ns = self.next_line()[0]
        self.host.process.wait(30)
        return int(took_ns) / 1e9


def look(nodes):
    return {
        "time": time.monotonic(),
        "beats": sum(node.calls().get("LeaseKeepAlive", 0) for node in nodes),
        "requests": sum(sum(node.calls().values()) for node in nodes),
        "writes": nodes[0].writes(),
        "cpu": sum(process_ns(node.pid) for node in nodes) / 1e9,
    }


def cost(nodes, seconds):
    """Returns the cost per second, over all nodes."""
    before = look(nodes)
    time.sleep(seconds)
    after = look(nodes)
    passed = after["time"] - before["time"]
    return {name: (after[name] - before[name]) / passed for name in before if name != "time"}


def memory_mb(nodes):
    return sum(memory_kb(node.pid)["Rss"] for node in nodes) / 1000


def database_mb(nodes):
    """Returns the size of one node's database without the space that compaction freed.  All nodes
    have the same."""
    return nodes[0].metrics()["etcd_mvcc_db_total_size_in_use_in_bytes"] / 1e6


def leader_of(nodes):
    for node in nodes:
        status = node.call("maintenance/status", {})
        if status["leader"] == status["header"]["member_id"]:
            return node
    raise AssertionError("the cluster has no leader")


class LeaseWatch:
    """A thread that repeatedly checks how much time each lease has left."""

    def __init__(self, node):
        self._node = node
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.looks = self.late = 0
        self.least_s = TTL_S

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._closed.set()
        self._thread.join()

    def _look(self, lease):
        left_s = int(self._node.call("lease/timetolive", {"ID": lease}).get("TTL", 0))
        self.looks += 1
        self.late += left_s < TTL_S / 2 - LATE_S
        self.least_s = min(self.least_s, left_s)

    def _run(self):
        while not self._closed.wait(0.2):
            with contextlib.suppress(OSError, json.JSONDecodeError):
                for lease in self._node.call("lease/leases", {}).get("leases", []):
                    self._look(lease["ID"])


def measure_idle(context, fleet, idle):
    """Returns the cost beyond that of a cluster without services."""
    joined_s = int(fleet.next_line()[0]) / 1e9
    time.sleep(SETTLED_S)
    facts = cost(fleet.nodes, context.count(20, 10))
    facts["cpu"] -= idle["cpu"]
    return facts | {
        "joined_s": joined_s,
        "memory": memory_mb(fleet.nodes),
        "database": database_mb(fleet.nodes),
        "connections": sum(len(descriptors(node.pid)) for node in fleet.nodes) - idle["fds"],
    }


def change_ms(fleet, facts, idle):
    """Returns the processor time that a change of another service costs all nodes."""
    store = fleet.registry.store
    before = look(fleet.nodes)
    for number in range(CHANGES):
        key = f"{store.prefix}service-x/{number}"
        store.put(key, "{}")
        store.delete(key)
    time.sleep(1)
    after = look(fleet.nodes)
    passed = after["time"] - before["time"]
    used = after["cpu"] - before["cpu"] - (facts["cpu"] + idle["cpu"]) * passed
    return used * 1000 / (2 * CHANGES)


def kill_leader(cluster, fleet):
    """Returns what the services of the cluster notice when its leader is killed."""
    leader = leader_of(cluster.nodes)
    others = [node for node in cluster.nodes if node is not leader]
    fleet.registry.store.etcd = others[0]
    with fleet.registry.watch() as watch, LeaseWatch(others[1]) as leases:
        before, _ = fleet.counts()
        tally = Tally(watch)
        leader.kill()
        time.sleep(WITHOUT_LEADER_S)
        leader.start()
        time.sleep(SETTLED_S)
        after, error = fleet.counts()
        deleted = sum(kind == "delete" for _, kind, _ in watch.events)
        changes = tally.changes()
    there = len(fleet.registry.documents())
    delta = [now - then for now, then in zip(after, before)]
    return {
        "deleted": deleted,
        "changes": changes,
        "there": there,
        "lost": delta[1],
        "errors": delta[2],
        "failovers": delta[3],
        "late": leases.late,
        "looks": leases.looks,
        "least_s": leases.least_s,
        "error": error,
    }


def idle_rows(fleet, facts):
    def row(what, unit, value):
        return Row(f"{fleet.name}: {what}", "ours", unit, [value])

    beats = row("heartbeats", "/s", facts["beats"])
    return [
        row("until all are registered", "s", facts["joined_s"]),
        beats.aim(f"the {fleet.due:.0f} that are due", facts["beats"], at_least=0.95 * fleet.due),
        row("requests", "/s", facts["requests"]),
        row("writes", "/s", facts["writes"]),
        row("connections", "", facts["connections"]),
        row("processor of all nodes", "ms/s", facts["cpu"] * 1000),
        row("processor per service", "µs/s", facts["cpu"] * 1e6 / fleet.count),
        row("memory of all nodes", "MB", facts["memory"]),
        row("database of a node", "MB", facts["database"]),
    ]


def leader_rows(count, facts):
    name = "leader killed and started again"

    def row(what, key, unit=""):
        return Row(f"{name}: {what}", "ours", unit, [facts[key]])

    return [
        row("services deleted", "deleted").aim("none", facts["deleted"], at_most=0),
        row("services that are there", "there").aim("all", facts["there"], at_least=count),
        row("services that the library found lost", "lost").aim("none", facts["lost"], at_most=0),
        row("leases seen later than 1 s", "late"),
        row("looks at a lease", "looks"),
        row("least time that one had left", "least_s", "s"),
        row("failed attempts", "errors"),
        row("failovers", "failovers"),
    ]


def one_size(context, cluster, machines, services, idle):
    """Returns the rows, the cost, and the fleet, which still runs."""
    fleet = Fleet(context, cluster, machines, services)
    facts = measure_idle(context, fleet, idle)
    rows = idle_rows(fleet, facts)
    facts["change"] = change_ms(fleet, facts, idle)
    what = f"{fleet.name}: processor for another's change"
    rows.append(Row(what, "ours", "ms", [facts["change"]]))
    return rows, facts, fleet


def one_rate(context, cluster, machines, ttl_s, idle):
    fleet = Fleet(context, cluster, machines, 1, ttl_s)
    facts = measure_idle(context, fleet, idle)
    rows = idle_rows(fleet, facts)
    per_beat_ms = facts["cpu"] * 1000 / facts["beats"]
    rows.append(Row(f"{fleet.name}: processor for a heartbeat", "ours", "ms", [per_beat_ms]))
    fleet.stop()
    return rows, (facts["beats"], facts["cpu"] * 1000)


def measure_nothing(context, cluster):
    wait_until(lambda: leader_of(cluster.nodes), 10, "a node leads")
    time.sleep(SETTLED_S)
    idle = cost(cluster.nodes, context.count(20, 5))
    return idle | {"fds": sum(len(descriptors(node.pid)) for node in cluster.nodes)}


def run(context):
    machines = context.count(MACHINES, 50)
    each = context.count((1, 5, 10, 25, 50), (1, 10))
    cluster = context.etcd_cluster()
    idle = measure_nothing(context, cluster)
    rows, rates, costs = [], [], {}
    for fleet_size, ttl_s in context.count(RATES, RATES[:1]):
        more, rate = one_rate(context, cluster, fleet_size, ttl_s, idle)
        rows += more
        rates.append(rate)
    for services in each:
        more, costs[services], fleet = one_size(context, cluster, machines, services, idle)
        rows += more
        if services == each[-1]:
            rows += leader_rows(fleet.count, kill_leader(cluster, fleet))
        rows.append(Row(f"{fleet.name}: until all are out", "ours", "s", [fleet.stop()]))
    rates.append((costs[each[0]]["beats"], costs[each[0]]["cpu"] * 1000))
    note = f"without services the nodes use {idle['cpu'] * 1000:.0f} ms/s"
    return Result(rows, curves(machines, costs, sorted(rates)), [note])


def curves(machines, costs, rates):
    def line(key, scale):
        return [(n, facts[key] * scale / (machines * n)) for n, facts in costs.items()]

    x = "services of each machine"
    time_title = f"Processor time of three nodes, {machines} machines"
    return [
        Curve("processor", time_title, x, "µs/s per service", {"ours": line("cpu", 1e6)}),
        Curve(
            "requests",
            f"Requests, {machines} machines",
            x,
            "requests/s per service",
            {"ours": line("requests", 1)},
        ),
        Curve(
            "change",
            f"A service of somebody else comes or goes, {machines} machines",
            x,
            "ms of three nodes",
            {"ours": [(n, facts["change"]) for n, facts in costs.items()]},
        ),
        Curve(
            "rate",
            "Processor time of three nodes, by heartbeats",
            "heartbeats/s",
            "ms/s",
            {"ours": rates},
        ),
    ]
