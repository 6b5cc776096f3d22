# SPDX-License-Identifier: MIT
"""Minimal roots of other releases of Debian, made and filled by scripts/test-distros, and hosts
that run inside.  A host shares the processes and the network of this machine, and has its own
mounts."""
import os
import pathlib

from .host import Host
from .process import free_port
from .product import BUILD

DISTROS = pathlib.Path(os.environ.get("DISTROS_DIR", BUILD / "distros"))
SUITES = ("bullseye", "bookworm", "trixie", "sid")
PRELOAD = "/usr/local/lib/libetcd-registry-preload.so"
SECOND = "/usr/local/lib/second.so"
# The agent's binary is linked to the libraries of the machine that built it.
AGENT_RUNS = ("bookworm", "trixie", "sid")
# Before glibc 2.34, a program without libpthread has no threads, and one without libdl no dlsym().
LIBPTHREAD_APART = ("bullseye",)

FOLDER = "/mnt"  # the test's folder, as seen inside the root
ENTER = f"""\
set -e
root=$1 folder=$2
shift 2
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$folder" "$root{FOLDER}"
exec chroot "$root" env "$@"
"""

PYTHON = "/usr/bin/python3"
PYTHON_DAEMON = """\
import http.server, os, sys
handler = http.server.SimpleHTTPRequestHandler
with http.server.HTTPServer(("0.0.0.0", int(sys.argv[1])), handler) as server:
    for _ in range(2):
        if os.fork():
            os._exit(0)
        os.setsid()
    server.serve_forever()
"""
# Python 3.12 and later warns if a process with several threads forks, as docs/design.md says.
QUIET = ["-W", "ignore::DeprecationWarning"]

# By program and by life, the command line.  The port goes between its two parts.
PROGRAMS = {
    "C without threads": {
        "foreground": (["/usr/local/bin/simple"], []),
        "daemon": (["/usr/local/bin/simple"], ["daemon"]),
    },
    "C with threads": {
        "foreground": (["/usr/local/bin/simple-threads"], []),
        "daemon": (["/usr/local/bin/simple-threads"], ["daemon"]),
    },
    "python": {
        "foreground": ([PYTHON, "-m", "http.server", "--bind", "0.0.0.0"], []),
        "daemon": ([PYTHON, *QUIET, "-c", PYTHON_DAEMON], []),
    },
}


def why_missing(suite):
    """Returns the reason why the suite's root is missing, None if it is there."""
    if (DISTROS / suite).is_dir():
        return None
    log = DISTROS / f"{suite}.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return f"{suite}: {lines[-1] if lines else 'scripts/test-distros has not made its root'}"


def start(suite, program, life, settings, folder, preload=PRELOAD):
    """Starts a Host with a port of its own.  Files that it writes to FOLDER appear in `folder`."""
    port = free_port()
    words, more = PROGRAMS[program][life]
    command = [f"LD_PRELOAD={preload}", *words, port, *more]
    enter = ["unshare", "--mount", "sh", "-c", ENTER, "sh", DISTROS / suite, folder]
    return Host([*enter, *command], settings, folder, port)
