# SPDX-License-Identifier: MIT
"""fork: the cost of a fork for a host, until the child's end, with the object and without it.

It needs root: while it forks, each host has a processor of its own and a real-time priority.
"""
import os

from harness import product
from harness.registry import document
from harness.wait import wait_until

from .frame.rows import Result, compare, interleave

FORKS_A_ROUND = 25
ROUND_S = 30
ALONE = ["taskset", "-c", "0", "chrt", "-f", "10"]
STORM = [*ALONE, product.HOSTS / "forkstorm"]
IDLE = "idle thread, object, no name"


def variants(registry):
    """Returns the host's flags and environment by name."""
    mapped = {"LD_PRELOAD": str(product.PRELOAD)}
    plain = registry.settings()
    return {
        "plain": ([], plain),
        "object, no name": ([], plain | mapped),
        "object, no thread": ([], registry.preloaded("quiet", THREAD="0")),
        "idle thread": (["-i"], plain),
        IDLE: (["-i"], plain | mapped),
        "object": ([], registry.preloaded("storm")),
    }


def one_round(_name, host):
    """Returns the median time of the host's forks, in microseconds."""
    before = host.stdout.count("\n")
    host.tell()
    wait_until(lambda: host.stdout.count("\n") > before, ROUND_S, "the end of a round", 0.001)
    return int(host.stdout.splitlines()[-1]) / 1000


def run(context):
    if os.geteuid() != 0:
        return Result([], notes=["fork: only root can measure it"])
    registry = context.registry(context.etcd())
    hosts = {}
    for name, (flags, environment) in variants(registry).items():
        hosts[name] = context.host([*STORM, *flags, "1", FORKS_A_ROUND], environment)
        hosts[name].read_ports()
    ports = (hosts["object, no thread"].port, hosts["object"].port)
    registry.expect(*map(document, ("quiet", "storm"), ports))
    samples = interleave(context.count(200, 20), hosts, one_round)
    return Result(list(compare("fork to end of the child", "µs", samples, of=IDLE).values()))
