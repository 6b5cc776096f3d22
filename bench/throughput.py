# SPDX-License-Identifier: MIT
"""throughput: requests per second of redis and nginx, with the object and without it.

The server has one processor, and the client another.  Two servers without the object run beside the
one with it: the difference between those two is the noise of the machine.
"""
import re
import subprocess

from harness.host import Host
from harness.process import free_port
from harness.servers import SERVERS

from .frame.context import environments
from .frame.rows import Result, compare, interleave

AT_LEAST = 0.99
SERVER_ALONE = ["taskset", "-c", "0"]
LOAD_ALONE = ["taskset", "-c", "1"]
LOADS = {
    "redis-server": (
        "redis-benchmark -p {port} -n 50000 -c 50 -P 1 -t get --csv",
        r'"GET[^"]*","([\d.]+)"',
    ),
    "nginx-daemon-off": (
        "wrk -t 1 -c 32 -d 1s http://127.0.0.1:{port}/",
        r"Requests/sec: +([\d.]+)",
    ),
}


def start(context, server, environment):
    folder = context.new_folder("server")
    port = free_port()
    host = Host([*SERVER_ALONE, *server.command(port, folder)], environment, folder, port)
    context.callback(host.discard)
    return host.wait_listening()


def measure_server(context, server):
    registry = context.registry(context.etcd())
    by_name = environments(registry)
    variants = {name: by_name[name.split()[0]] for name in ("plain", "plain again", "ours")}
    hosts = {name: start(context, server, environment) for name, environment in variants.items()}
    command, pattern = LOADS[server.name]

    def load(_name, host):
        words = [*LOAD_ALONE, *command.format(port=host.port).split()]
        output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        return float(re.search(pattern, output)[1]) / 1000

    samples = interleave(context.count(30, 8), hosts, load)
    for host in hosts.values():
        host.discard()
    name = server.name.removesuffix("-daemon-off")
    rows = compare(name, "k requests/s", samples, of="plain")
    rows["ours"].aim(f"≥ {AT_LEAST} × plain", rows["ours"].ratio, at_least=AT_LEAST)
    return rows.values()


def run(context):
    result = Result([])
    for server in SERVERS:
        if server.name in LOADS:
            result.rows += measure_server(context, server)
    return result
