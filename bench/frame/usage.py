# SPDX-License-Identifier: MIT
"""What processes use, by /proc."""
import os
import re

from harness.process import read_proc


def memory_kb(pid):
    """{"Rss", "Pss", "Private"} of a process."""
    text = read_proc(pid, "smaps_rollup").decode()
    fields = {name: int(kb) for name, kb in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
    private = fields["Private_Clean"] + fields["Private_Dirty"]
    return {"Rss": fields["Rss"], "Pss": fields["Pss"], "Private": private}


def peak_kb(pid):
    """The most that was ever resident."""
    return int(re.search(r"VmHWM:\s*(\d+)", read_proc(pid, "status").decode())[1])


def tasks(pid):
    """Thread id to name."""
    names = os.listdir(f"/proc/{pid}/task")
    return {int(name): read_proc(pid, f"task/{name}/comm").decode().strip() for name in names}


def task_ns(pid, task):
    """The processor time of one thread."""
    return int(read_proc(pid, f"task/{task}/schedstat").split()[0])


def process_ns(pid):
    """The processor time of all threads that it has."""
    return sum(task_ns(pid, task) for task in tasks(pid))
