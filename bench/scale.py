# SPDX-License-Identifier: MIT
"""scale: many preloaded processes on one machine, and many services of one library handle.  All
start, nothing happens for a while, then all end, without an error."""
import os
import signal
import time

from harness.wait import wait_until

from .frame.context import PROGRAMS, agent_processes, environments, lines_of
from .frame.rows import Result, Row
from .frame.usage import peak_kb, process_ns

PATIENCE_S = 180
AGENT_PEAK_MB = 32


class Tally:
    """The keys that a registry's watch has reported, and the time of the last change."""

    def __init__(self, watch):
        self._watch = watch
        self._seen = 0
        self._there = set()
        self.latest = None

    def _catch_up(self):
        events = self._watch.events[self._seen :]
        self._seen += len(events)
        for when, kind, key in events:
            (self._there.add if kind == "put" else self._there.discard)(key)
            self.latest = when

    def count(self):
        self._catch_up()
        return len(self._there)

    def changes(self):
        self._catch_up()
        return self._seen

    def wait(self, count):
        """Returns the time of the event that made the number equal to `count`."""
        try:
            wait_until(lambda: self.count() == count, PATIENCE_S, f"{count} keys", 0.05)
        except AssertionError:
            pass
        return self.latest


def seconds_since(since_ns, when):
    return when - int(since_ns) / 1e9


def complaints(log, host):
    """Returns the warnings and errors of the agent, and the lines on the host's stderr."""
    lines = log.read_text().splitlines() if log.exists() else []
    bad = [line for line in lines if any(f" {level}: " in line for level in ("warn", "error"))]
    return bad + host.stderr.splitlines()


def tell(host, how=signal.SIGUSR1):
    os.kill(host.process.pid, how)


def processes(context, count, idle_s):
    etcd = context.etcd()
    registry = context.registry(etcd)
    rows = {}

    def row(what, unit, value):
        rows[what] = Row(f"{count:,} processes: {what}", "ours", unit, [value])
        return rows[what]

    with registry.watch() as watch:
        tally, before = Tally(watch), etcd.writes()
        environment = environments(registry)["ours"]
        crowd = context.host(
            [PROGRAMS / "crowd", str(count), PROGRAMS / "listens", "1"], environment
        )
        begun, started = (words[0] for words in lines_of(crowd, 2))
        all_there = tally.wait(count)
        row("start of the first to start of the last", "s", (int(started) - int(begun)) / 1e9)
        row("start of the first until all are registered", "s", seconds_since(begun, all_there))
        row("registered", "", tally.count()).aim("all", tally.count(), at_least=count)
        row("writes until then", "", etcd.writes() - before)
        agent = agent_processes(registry)
        changes, used_ns = tally.changes(), sum(map(process_ns, agent))
        time.sleep(idle_s)
        lost = tally.changes() - changes
        row(f"changes in {idle_s} s of heartbeats", "", lost).aim("none", lost, at_most=0)
        used_s = (sum(map(process_ns, agent)) - used_ns) / 1e9
        row("processor of the agent meanwhile", "ms/s", used_s * 1000 / idle_s)
        peak_mb = peak_kb(agent[1]) / 1000
        row("peak memory of the agent", "MB", peak_mb).aim(
            f"≤ {AGENT_PEAK_MB} MB", peak_mb, at_most=AGENT_PEAK_MB
        )
        before = etcd.writes()
        tell(crowd)
        kill_begun, killed, reaped = (words[0] for words in lines_of(crowd, 5)[2:])
        all_gone = tally.wait(0)
        first, last = "SIGKILL of the first until", "SIGKILL of the last until"
        row(f"{first} all are waited for", "s", (int(reaped) - int(kill_begun)) / 1e9)
        row(f"{first} none is registered", "s", seconds_since(kill_begun, all_gone))
        row(f"{last} none is registered", "s", seconds_since(killed, all_gone))
        row("writes that took them out", "", etcd.writes() - before)
        row("still registered", "", tally.count()).aim("none", tally.count(), at_most=0)
        said = complaints(registry.log, crowd)
        row("warnings and errors", "", len(said)).aim("none", len(said), at_most=0)
    return list(rows.values()), said[:5]


def one_handle(context, count, idle_s):
    registry = context.registry(context.etcd())
    rows = []

    def row(what, unit, value):
        rows.append(Row(f"{count:,} services of one handle: {what}", "ours", unit, [value]))
        return rows[-1]

    with registry.watch() as watch:
        tally = Tally(watch)
        host = context.host([PROGRAMS / "handles", "1", str(count)], registry.settings())
        took_ns = lines_of(host, 1)[0][0]
        tally.wait(count)
        row("until all are registered", "s", int(took_ns) / 1e9)
        row("registered", "", tally.count()).aim("all", tally.count(), at_least=count)
        time.sleep(idle_s)
        tell(host)
        _, lost, errors, *_ = lines_of(host, 2)[1]
        row("lost", "", int(lost)).aim("none", int(lost), at_most=0)
        row("errors", "", int(errors)).aim("none", int(errors), at_most=0)
        row("peak memory of its process", "MB", peak_kb(host.process.pid) / 1000)
        tell(host, signal.SIGTERM)
        took_ns = lines_of(host, 3)[2][0]
        tally.wait(0)
        row("until all are out", "s", int(took_ns) / 1e9)
        row("still registered", "", tally.count()).aim("none", tally.count(), at_most=0)
    return rows


def run(context):
    rows, said = processes(context, context.count(1000, 300), context.count(60, 12))
    rows += one_handle(context, context.count(5000, 1000), context.count(20, 6))
    return Result(rows, notes=said)
