"""load: a daemon starts where so many messages wait. Its time to hold them all against what the same COPY gives to a client
that throws the rows away; its memory; whether it answers its watchdog meanwhile; and that the first ones leave in time."""

import statistics
import time

import fixture
import processes
from daemon import Daemon
from table import Row

DATABASE = "followupd_load"
ACCOUNTS = 1000
# As the loader writes it, but to the end of what is there.
COPY = "COPY (SELECT account_id, id, due_at FROM followup.message_to_load WHERE due_at < now() + interval '72 h') TO STDOUT (FORMAT binary)"
HORIZON = "[engine]\nwheel_rows_max = 100000000\n"
MIB = 1 << 20


def run(bench):
    fixture.create(bench, DATABASE, {"Load": ACCOUNTS})
    rows, filled = [], 0
    for n in sorted(bench.options.load_sizes):
        bench.say(f"{n:,} pending: filling")
        # Due when nobody looks, in an order that has nothing to do with how they lie in the table.
        fixture.fill(bench, DATABASE, "Load", 1 + filled, n - filled, "now() + interval '1 h' + random() * interval '70 h'", leads=False)
        filled = n
        bench.vacuum(DATABASE)
        rows += _rows(n, _measure(bench, n))
    bench.cluster.dropdb(DATABASE)
    return rows


def _rows(n, m):
    case = f"{n // 1_000_000}M pending" if n >= 1_000_000 else f"{n:,} pending"
    rows = [
        Row(case, "cold start", n / m["load_s"], "rows/s", "COPY alone", n / m["copy_s"], ">= 0.8", f"{m['load_s']:.2f} s"),
        Row(case, "longest silence meanwhile", m["silence_s"] * 1000, "ms", note="a sign of life is asked for every 100 ms"),
        Row(case, "memory", m["rss_bytes"] / MIB, "MiB", goal="<= 64" if n == 1_000_000 else None),
        Row(case, "memory while it is loaded anew", m["swap_bytes"] / MIB, "MiB", goal="<= 110" if n == 1_000_000 else None),
    ]
    return rows


def _copy_s(bench):
    started = time.monotonic()
    bench.command(["psql", "-XqAt", "-d", bench.cluster.conninfo(DATABASE), "-o", "/dev/null", "-c", COPY])
    return time.monotonic() - started


def _measure(bench, n):
    bench.say(f"{n:,} pending: COPY alone, and followupd")
    copies = [_copy_s(bench) for _ in range(2)]
    with Daemon(bench, DATABASE, HORIZON, debug=True) as daemon:
        leases = daemon.wait_for("leases_changed", 30)
        loaded = daemon.wait_for("messages_loaded", 30 + n // 50_000)
        # The two clocks of the log lines and of the watchdog's socket differ by a constant.
        shift = time.monotonic() - time.time()
        time.sleep(3)
        daemon.read()
        silence = daemon.longest_silence_s(leases[0] + shift, loaded[0] + shift)
        rss = processes.memory_bytes(daemon.pid)
        processes.reset_peak(daemon.pid)
        seen = len(daemon.events)
        bench.psql("NOTIFY followup, 'r *'", DATABASE)
        again = daemon.wait_for("messages_loaded", 30 + n // 50_000, after=seen)
        swap = processes.memory_bytes(daemon.pid, "VmHWM")
    copies += [_copy_s(bench)]
    for event in (loaded, again):
        if int(event[2]["rows"]) != n:
            raise RuntimeError(f"{event[2]['rows']} rows were loaded, not {n}")
    figures = {"n": n, "load_s": loaded[0] - leases[0], "copy_s": statistics.median(copies), "copies_s": copies, "silence_s": silence,
               "rss_bytes": rss, "swap_bytes": swap}
    bench.details.append({"name": "load", **figures})
    return figures
