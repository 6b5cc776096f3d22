# SPDX-License-Identifier: MIT
"""cpu: the processor time of a registered host's thread, and of its agent, while nothing happens,
scaled to an hour."""
import statistics
import time

from harness.wait import wait_until

from .frame.context import PROGRAMS, agent_processes, environments, lines_of
from .frame.rows import Result, Row, counted
from .frame.usage import process_ns, task_ns, tasks

HOSTS = 10
HOUR_S = 3600
MOST_S = 2
SETTLED_S = 3
LISTENS = [PROGRAMS / "listens", "1"]


def thread_of(host, name):
    """Returns the host's thread of that name, or the one that is not the first."""
    pid = host.process.pid
    (task,) = (task for task in tasks(pid) if task != pid)
    assert name in (None, tasks(pid)[task])
    return pid, task


def start(context, variant, count, name=None):
    """Returns a registry and the threads in its hosts."""
    registry = context.registry(context.etcd())
    environment = environments(registry)[variant]
    hosts = [context.host(LISTENS, environment) for _ in range(count)]
    for host in hosts:
        lines_of(host, 1)
    wait_until(lambda: len(registry.documents()) == count, 20, counted(count, "service"))
    return registry, [thread_of(host, name) for host in hosts]


def per_hour(begin, end, seconds):
    return [(after - before) / 1e9 * HOUR_S / seconds for before, after in zip(begin, end)]


def run(context):
    seconds = context.count(120, 15)
    alone, _ = start(context, "ours", 1)
    registry, ours = start(context, "ours", HOSTS, "etcd-registry")
    _, obvious = start(context, "obvious", HOSTS)
    agents = [agent_processes(alone), agent_processes(registry)]
    time.sleep(SETTLED_S)

    def look():
        threads = [[task_ns(*task) for task in one] for one in (ours, obvious)]
        return threads + [[sum(map(process_ns, agent))] for agent in agents]

    before = look()
    time.sleep(seconds)
    after = look()
    names = (
        ("thread in the host", "ours"),
        ("thread in the host", "obvious"),
        ("agent with 1 host", "ours"),
        (f"agent with {HOSTS} hosts", "ours"),
    )
    rows = [
        Row(what, variant, "s/h", per_hour(*times, seconds))
        for (what, variant), *times in zip(names, before, after)
    ]
    for at in (0, 2):
        median = statistics.median(rows[at].samples)
        rows[at].aim(f"≤ {MOST_S} s an hour", median, at_most=MOST_S)
    return Result(rows, notes=[f"measured for {seconds} s"])
