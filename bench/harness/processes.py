"""processes: what a tree of processes has used, from /proc. Times in seconds of CPU, to 10 ms."""

import os
import time

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """utime, stime, cutime, cstime in ticks; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return [int(value) for value in fields[11:15]]


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def cpu_s(pid):
    """Of a process, its living children, and those it has waited for."""
    stat = _stat(pid)
    return (sum(stat) / TICKS if stat else 0) + sum(cpu_s(child) for child in children(pid))


def cpu_by_role(postmaster):
    """{role: seconds} of a PostgreSQL server: `backends` serve clients; `ended` is whatever has ended since its start."""
    used = {}
    stat = _stat(postmaster)
    if stat:
        used["postmaster"], used["ended"] = sum(stat[:2]) / TICKS, sum(stat[2:]) / TICKS
    for pid in children(postmaster):
        stat = _stat(pid)
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                title = file.read().strip("\0 ").removeprefix("postgres: ")
        except OSError:
            continue
        role = title if title in AUXILIARY else "autovacuum worker" if "autovacuum worker" in title else "backends"
        used[role] = used.get(role, 0) + (sum(stat) / TICKS if stat else 0)
    return used


AUXILIARY = {"checkpointer", "background writer", "walwriter", "autovacuum launcher", "logical replication launcher"}


def memory_bytes(pid, field="VmRSS"):
    """VmRSS now, or VmHWM, the highest so far; 0 when the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def reset_peak(pid):
    """VmHWM counts from here on."""
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def machine_busy_s():
    """Seconds of CPU that the whole machine has used: user, nice, system, irq, softirq, steal."""
    with open("/proc/stat", encoding="ascii") as file:
        values = [int(value) for value in file.readline().split()[1:]]
    return (values[0] + values[1] + values[2] + values[5] + values[6] + values[7]) / TICKS


def own_cpu_s():
    times = os.times()
    return times.user + times.system


def wait_until(condition, seconds_max, what, interval_s=0.02):
    """Asks until it is true; the bound names what did not happen."""
    deadline = time.monotonic() + seconds_max
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds_max} s")
        time.sleep(interval_s)
