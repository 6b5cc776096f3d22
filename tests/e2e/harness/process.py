# SPDX-License-Identifier: MIT
"""What /proc says about processes and sockets.  A process that is gone or a zombie has nothing to
say."""
import os
import pathlib
import random
import re
import socket

LISTEN = "0A"
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
    """This process."""
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
    """The names of its threads, sorted."""
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
    """Its open descriptors, number to target."""
    found = {}
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    except OSError:
        pass
    return found


def listening_inodes(port):
    """The inodes of the TCP sockets that listen on the port, IPv4 or IPv6."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in pathlib.Path(table).read_text().splitlines()[1:]:
            columns = row.split()
            if columns[3] == LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                inodes.add(columns[9])
    return inodes


def holders(port):
    """The processes that hold a socket listening on the port, parents before their children."""
    targets = {f"socket:[{inode}]" for inode in listening_inodes(port)}
    if not targets:
        return []
    found = [pid for pid in all_pids() if targets & set(descriptors(pid).values())]
    return sorted(found, key=lambda pid: (parent(pid) in found, pid))


def local_addresses():
    """The IPv4 addresses of this machine, loopback left out."""
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
    """A port that nobody uses, outside of the range from which the kernel gives ports to
    clients; never the same twice."""
    while True:
        port = random.randrange(20000, 32000)
        if port not in _given_ports and _is_free(port):
            _given_ports.add(port)
            return port
