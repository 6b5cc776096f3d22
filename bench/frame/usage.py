# SPDX-License-Identifier: MIT
"""The use of memory and processor by processes, from /proc."""
import os
import re

from harness.process import read_proc


def memory_kb(pid):
    """Returns {"Rss", "Pss", "Private"} of a process."""
    text = read_proc(pid, "smaps_rollup").decode()
    fields = {name: int(kb) for name, kb in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
    private = fields["Private_Clean"] + fields["Private_Dirty"]
    return {"Rss": fields["Rss"], "Pss": fields["Pss"], "Private": private}


def peak_kb(pid):
    """Returns the largest resident memory so far."""
    return int(re.search(r"VmHWM:\s*(\d+)", read_proc(pid, "status").decode())[1])


def tasks(pid):
    """Returns the thread names by thread id."""
    names = os.listdir(f"/proc/{pid}/task")
    return {int(name): read_proc(pid, f"task/{name}/comm").decode().strip() for name in names}


def task_ns(pid, task):
    """Returns the processor time of one thread."""
    return int(read_proc(pid, f"task/{task}/schedstat").split()[0])


def process_ns(pid):
    """Returns the processor time of all current threads of the process."""
    return sum(task_ns(pid, task) for task in tasks(pid))
