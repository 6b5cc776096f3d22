# SPDX-License-Identifier: MIT
"""The machine and the versions of a measurement."""
import os
import pathlib
import platform
import re
import subprocess
import time

from harness.product import COMMAND

VERSIONS = {
    "etcd-registry": [COMMAND, "--version"],
    "etcd": ["etcd", "--version"],
    "libcurl": ["pkg-config", "--modversion", "libcurl"],
    "cJSON": ["pkg-config", "--modversion", "libcjson"],
    "gcc": ["gcc", "-dumpfullversion"],
    "glibc": ["getconf", "GNU_LIBC_VERSION"],
    "node": ["node", "--version"],
    "redis": ["redis-server", "--version"],
    "nginx": ["nginx", "-v"],
}


def _first_line(command):
    try:
        result = subprocess.run(
            command,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
        )
    except OSError:
        return "none"
    return (result.stdout.splitlines() or ["none"])[0]


def _number(text):
    found = re.search(r"\d+(\.\d+)+", text)
    return found[0] if found else text


def _field(path, name):
    found = re.search(rf"^{name}\s*[:=]\s*\"?([^\"\n]*)", pathlib.Path(path).read_text(), re.M)
    return found[1] if found else "unknown"


def describe():
    memory_kb = int(_field("/proc/meminfo", "MemTotal").split()[0])
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": _field("/proc/cpuinfo", "model name"),
        "processors": os.cpu_count(),
        "memory_gb": round(memory_kb / 1e6),
        "virtual": "hypervisor" in _field("/proc/cpuinfo", "flags").split(),
        "kernel": platform.release().split("-")[0],
        "system": _field("/etc/os-release", "PRETTY_NAME"),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {name: _number(_first_line(command)) for name, command in VERSIONS.items()},
    }
