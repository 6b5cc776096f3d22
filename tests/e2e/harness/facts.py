# SPDX-License-Identifier: MIT
"""Facts about a host that other processes can see.  Parts that differ from run to run are removed,
so that two runs compare equal."""
import re

from .process import children, command_line, descriptors, environment, read_proc, status, threads

# The thread's name.  libc catches the signals 32 and 33 for itself once a process creates a thread.
OUR_THREAD = "etcd-registry"
LIBC_SIGNALS = 0b11 << 31
SIGNAL_MASKS = ("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt")
SAME_STATUS = (
    "Name",
    "Umask",
    "Uid",
    "Gid",
    "Groups",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "NoNewPrivs",
    "Seccomp",
)


def anonymous(text, folder):
    """Returns the text without numbers and the folder's name."""
    return re.sub(r"\d+", "N", text.replace(str(folder), "FOLDER"))


def _status(pid):
    fields = status(pid)
    masks = {name: int(fields[name], 16) & ~LIBC_SIGNALS for name in SIGNAL_MASKS if name in fields}
    return {**{name: fields.get(name) for name in SAME_STATUS}, **masks}


def _process(pid, folder):
    return {
        "command line": [anonymous(word, folder) for word in command_line(pid)],
        "environment": sorted(
            anonymous(v, folder) for v in environment(pid) if v and not v.startswith("LD_PRELOAD=")
        ),
        "descriptors": {fd: anonymous(target, folder) for fd, target in descriptors(pid).items()},
        "threads": [name for name in threads(pid) if name != OUR_THREAD],
        "status": _status(pid),
        "limits": read_proc(pid, "limits").decode(),
        "children": [_process(child, folder) for child in children(pid)],
    }


def while_running(host):
    return _process(host.main, host.folder)


def after_the_end(host):
    return {
        "exit status": host.process.returncode,
        "stdout": anonymous(host.stdout, host.folder),
        "stderr": anonymous(host.stderr, host.folder),
    }
