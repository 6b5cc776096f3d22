# SPDX-License-Identifier: MIT
"""etcd: the cost in etcd of one machine's services while nothing happens, per interval of 5 s.

Each number of services, in each way, has its own etcd behind a relay that counts bytes.  All are
measured in the same window.  Writes are proposals to the members of the cluster.  The v2 API itself
writes twice a second as long as any key has a TTL.
"""
import dataclasses
import time

from harness.etcd import Etcd
from harness.process import is_running
from harness.relay import Relay
from harness.wait import wait_until

from .frame.context import PROGRAMS, environments, npm_server
from .frame.rows import Curve, Result, Row, counted
from .frame.usage import process_ns

INTERVAL_S = 5
SETTLED_S = 6
REGISTERED_S = 120
WAYS = ("ours", "ours, v2", "npm")


@dataclasses.dataclass
class Look:
    """The counters of an etcd at one moment."""

    beats: float
    requests: float
    writes: float
    bytes: float
    cpu_s: float

    def per_interval(self, before, seconds):
        return {
            field.name: (getattr(self, field.name) - getattr(before, field.name))
            * INTERVAL_S
            / seconds
            for field in dataclasses.fields(self)
        }


class Machine:
    """The services of one machine, all registered."""

    def __init__(self, context, way, count):
        self.way = way
        self.count = count
        self.etcd = context.etcd()
        self.relay = context.enter_context(Relay(self.etcd))
        api = "v3" if way == "ours" else "v2"
        self.registry = context.registry(Etcd.at(f"http://{self.relay.host}"), api)
        if way == "npm":
            context.host(*npm_server(self.registry, "web", str(count)))
        else:
            environment = environments(self.registry)["ours"]
            crowd = [PROGRAMS / "crowd", str(count), PROGRAMS / "listens", "1"]
            context.host(crowd, environment)

    def wait_registered(self):
        wait_until(
            lambda: len(self.registry.documents()) == self.count,
            REGISTERED_S,
            f"{counted(self.count, 'service')} by {self.way}",
            0.2,
        )

    def look(self):
        metrics = self.etcd.metrics()
        calls = self.etcd.calls()
        by_http = sum(
            value for name, value in metrics.items() if name.startswith("etcd_http_received_total")
        )
        assert is_running(self.etcd.pid)
        return Look(
            beats=calls.get("LeaseKeepAlive", 0),
            requests=by_http + sum(calls.values()),
            writes=metrics["etcd_server_proposals_applied_total"],
            bytes=self.relay.passed,
            cpu_s=process_ns(self.etcd.pid) / 1e9,
        )


def measure(machines, seconds):
    """Returns the cost of each machine per interval."""
    begin = [(machine.look(), time.monotonic()) for machine in machines]
    time.sleep(seconds)
    costs = []
    for machine, (before, since) in zip(machines, begin):
        now = machine.look()
        costs.append(now.per_interval(before, time.monotonic() - since))
    return costs


def rows_of(machine, cost):
    services = counted(machine.count, "service")
    cpu_ms = cost["cpu_s"] * 1000 / INTERVAL_S
    rows = {
        "requests": Row(f"requests per interval, {services}", machine.way, "", [cost["requests"]]),
        "writes": Row(f"writes per interval, {services}", machine.way, "", [cost["writes"]]),
        "bytes": Row(f"traffic, {services}", machine.way, "B/s", [cost["bytes"] / INTERVAL_S]),
        "cpu_s": Row(f"etcd's processor, {services}", machine.way, "ms/s", [cpu_ms]),
    }
    if machine.way == "ours":
        beats = Row(f"heartbeats per interval, {services}", machine.way, "", [cost["beats"]])
        beats.aim("1 per interval", round(cost["beats"], 1), at_most=1.2)
        rows["writes"].aim("none", cost["writes"], at_most=0)
        rows = {"beats": beats, **rows}
    return rows


def curve(name, title, unit, machines, costs, scale=1):
    lines = {way: [] for way in WAYS}
    for machine, cost in zip(machines, costs):
        lines[machine.way].append((machine.count, max(cost[name] * scale, 0.01)))
    return Curve(name, title, "services of the machine", unit, lines, log=True)


def run(context):
    counts = context.count((1, 10, 100, 1000), (1, 10, 100))
    machines = []
    for count in counts:
        for way in WAYS:
            machines.append(Machine(context, way, count))
            machines[-1].wait_registered()
    time.sleep(SETTLED_S)
    costs = measure(machines, context.count(60, 10))
    tables = [rows_of(machine, cost) for machine, cost in zip(machines, costs)]
    fields = ("beats", "requests", "writes", "bytes", "cpu_s")
    rows = [table[field] for field in fields for table in tables if field in table]
    per_s = 1 / INTERVAL_S
    return Result(
        rows,
        [
            curve("requests", "Requests to etcd, idle", "per interval of 5 s", machines, costs),
            curve("writes", "Writes of etcd, idle", "per interval of 5 s", machines, costs),
            curve("bytes", "Traffic with etcd, idle", "B/s", machines, costs, per_s),
        ],
    )
