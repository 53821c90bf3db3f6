"""machine: what a figure was measured on, and of what."""

import datetime
import os
import platform
import re


def describe(bench):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory_kib = int(file.readline().split()[1])
    with open("/etc/os-release", encoding="utf-8") as file:
        system = re.search(r'^PRETTY_NAME="(.*)"$', file.read(), re.M)
    return {
        "date": datetime.date.today().isoformat(),
        "version": bench.command(["git", "-C", bench.source, "log", "-1", "--format=%h of %cs"]).strip(),
        "cpu": f"{os.cpu_count()} x {model[1] if model else platform.machine()}",
        "memory_gib": round(memory_kib / (1 << 20)), "system": system[1] if system else "", "kernel": platform.release(),
        "compiler": bench.command(["cc", "--version"]).splitlines()[0],
        "postgresql": bench.command([f"{bench.cluster.bin}/postgres", "--version"]).strip(),
        "fsync_ms": fsync_ms(),
    }


def fsync_ms(folder="/var/tmp", count=50):
    """Median time of a write of 8 KiB with fdatasync where the server's data lies."""
    import tempfile
    import time
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(count):
            os.pwrite(file.fileno(), b"x" * 8192, 0)
            started = time.monotonic()
            os.fdatasync(file.fileno())
            times.append(time.monotonic() - started)
    return round(sorted(times)[count // 2] * 1000, 3)
