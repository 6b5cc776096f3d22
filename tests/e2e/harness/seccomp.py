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


def refuse(*names):
    """Returns a filter that refuses these calls with EPERM.  NAME:ARGUMENT matches only that first
    argument.  It leaves out names that this machine does not have."""
    calls = (name.partition(":") for name in names)
    numbers = _numbers()
    return _filter("refuse", [numbers[n] + colon + a for n, colon, a in calls if n in numbers])


def services_only(without=()):
    """Returns a filter that kills for every call outside a service's
    SystemCallFilter=@system-service and SystemCallFilter=~@privileged @resources."""
    names = _members("@system-service") - _members("@privileged") - _members("@resources")
    numbers = _numbers()
    return _filter("only", sorted(numbers[name] for name in names - set(without) if name in numbers))
