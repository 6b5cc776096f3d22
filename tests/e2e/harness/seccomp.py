# SPDX-License-Identifier: MIT
"""System calls by number, and systemd's sets of them, for tests/hosts/filtered."""
import functools
import re
import subprocess

from .product import HOSTS

FILTERED = HOSTS / "filtered"
NUMBER = re.compile(r"#define __NR_(\w+) (\d+)")


@functools.cache
def _numbers():
    """Returns the numbers by name, from the C library's headers."""
    command = ["cc", "-dM", "-E", "-include", "sys/syscall.h", "-x", "c", "/dev/null"]
    macros = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(NUMBER.findall(macros))


@functools.cache
def _members(group):
    """Returns the names in a set such as @process, and in the sets inside it."""
    command = ["systemd-analyze", "syscall-filter", group]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = set()
    for word in re.findall(r"^ +([@\w-]+)$", output, re.MULTILINE):
        found |= _members(word) if word.startswith("@") else {word}
    return found


def _filter(how, calls):
    return [FILTERED, how, ",".join(calls)]


def _listed(names):
    """Returns the numbers of these calls.  NAME:ARGUMENT matches only that first argument.  It
    leaves out names that this machine does not have."""
    calls = (name.partition(":") for name in names)
    numbers = _numbers()
    return [numbers[n] + colon + a for n, colon, a in calls if n in numbers]


def refuse(*names):
    """Returns a filter that refuses these calls with EPERM."""
    return _filter("refuse", _listed(names))


def kill(*names):
    """Returns a filter that kills for these calls, or for those of a set such as @process, as
    SystemCallFilter=~NAME of a unit does."""
    members = [_members(name) if name.startswith("@") else {name} for name in names]
    return _filter("kill", _listed(sorted(set().union(*members))))


# The calls that docker, podman and containerd refuse by default to a container without
# additional capabilities; clone3, which is answered with ENOSYS, left out.
CONTAINER = refuse(
    "acct", "add_key", "bpf", "clock_adjtime", "clock_settime", "delete_module",
    "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "get_mempolicy",
    "init_module", "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load",
    "keyctl", "lookup_dcookie", "mbind", "mount", "mount_setattr", "move_mount", "move_pages",
    "name_to_handle_at", "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root",
    "quotactl", "reboot", "request_key", "set_mempolicy", "setdomainname", "sethostname", "setns",
    "settimeofday", "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd", "vhangup",
)  # fmt: skip


def services_only(without=()):
    """Returns a filter that kills for every call outside a service's
    SystemCallFilter=@system-service and SystemCallFilter=~@privileged @resources."""
    names = _members("@system-service") - _members("@privileged") - _members("@resources")
    numbers = _numbers()
    return _filter("only", sorted(numbers[name] for name in names - set(without) if name in numbers))
