# SPDX-License-Identifier: MIT
"""Facts from /proc about processes and sockets.  A process that is gone, or a zombie, has none."""
import os
import pathlib
import random
import re
import socket
import struct

# <linux/netlink.h>, <linux/sock_diag.h>, <linux/inet_diag.h>
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLMSG_DONE = 3
NLM_F_REQUEST_DUMP = 0x301
INODE_OFFSET = 16 + 68
DUMP_PART_LEN = 32768
LISTEN = 10

PORTS = range(20000, 32000)
# Each xdist worker has ports of its own: one that was given is free until its host listens.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))

_given_ports = set()


def read_proc(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def status(pid):
    lines = read_proc(pid, "status").decode().splitlines()
    return dict(re.split(r":\s*", line, maxsplit=1) for line in lines)


def has_capability(number):
    """Returns whether this process has the capability."""
    return bool(int(status("self")["CapEff"], 16) >> number & 1)


def is_running(pid):
    return status(pid).get("State", "Z")[0] not in "ZX"


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def parent(pid):
    return int(status(pid).get("PPid", 0))


def children(pid):
    return [child for child in all_pids() if parent(child) == pid and is_running(child)]


def threads(pid):
    """Returns the names of the process's threads, sorted."""
    try:
        names = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return sorted(read_proc(pid, f"task/{name}/comm").decode().strip() for name in names)


def environment(pid):
    return [
        variable.decode(errors="replace") for variable in read_proc(pid, "environ").split(b"\0")
    ]


def command_line(pid):
    return [word.decode(errors="replace") for word in read_proc(pid, "cmdline").split(b"\0")[:-1]]


def descriptors(pid):
    """Returns the open file descriptors: target by number."""
    found = {}
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    except OSError:
        pass
    return found


def _listeners(family, port):
    """Returns the inodes of the TCP sockets of one family, by SOCK_DIAG_BY_FAMILY.  /proc/net/tcp
    would walk over every connection of the machine, which takes tens of milliseconds."""
    port_and_zeros = struct.pack("!H46x", port)
    request = struct.pack("=BBxxI", family, socket.IPPROTO_TCP, 1 << LISTEN) + port_and_zeros
    header = struct.pack("=IHHII", 16 + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as diag:
        diag.send(header + request)
        while True:
            messages = diag.recv(DUMP_PART_LEN)
            while messages:
                length, kind = struct.unpack_from("=IH", messages)
                if kind == NLMSG_DONE:
                    return
                assert kind == SOCK_DIAG_BY_FAMILY, "the kernel refuses a dump"
                yield str(struct.unpack_from("=I", messages, INODE_OFFSET)[0])
                messages = messages[(length + 3) & ~3 :]


def listening_inodes(port):
    """Returns the inodes of the TCP sockets that listen on the port, IPv4 or IPv6."""
    families = (socket.AF_INET, socket.AF_INET6)
    return {inode for family in families for inode in _listeners(family, port)}


def holders_of(ports):
    """Returns for each port the processes that hold a listening socket on it, parents before
    children.  It looks at all processes once."""
    owners = {f"socket:[{inode}]": port for port in ports for inode in listening_inodes(port)}
    found = {port: [] for port in ports}
    for pid in all_pids() if owners else []:
        for port in {owners[target] for target in owners.keys() & descriptors(pid).values()}:
            found[port].append(pid)
    return {
        port: sorted(pids, key=lambda pid, pids=pids: (parent(pid) in pids, pid))
        for port, pids in found.items()
    }


def holders(port):
    return holders_of([port])[port]


def local_addresses():
    """Returns the IPv4 addresses of this machine, without loopback."""
    routes = pathlib.Path("/proc/net/fib_trie").read_text()
    found = re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", routes)
    return {address for address in found if not address.startswith("127.")}


def _is_free(port):
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def free_port():
    """Returns an unused port, outside the range that the kernel gives to clients.  It never returns
    the same port twice, nor one of another worker."""
    while True:
        port = random.choice(PORTS[WORKER::WORKERS])
        if port not in _given_ports and _is_free(port):
            _given_ports.add(port)
            return port
