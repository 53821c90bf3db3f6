"""wheel: the timer structure alone, against libuv's own timers and a binary heap's best form (bench/wheel)."""

import glob
import re

from table import Row

FLAGS = ["-O2", "-march=native"]
SHARED = ["-fPIC", "-shared", "-fvisibility=hidden", "-D_GNU_SOURCE", "-std=gnu11"]
IMPLEMENTATIONS = ("wheel", "libuv", "heap4")
WORKLOADS = ("load", "cancel", "churn", "drain")
ROUNDS = 3  # every run does the same steps: what one takes longer than another is other work's, so the least of each figure counts


def run(bench):
    _build(bench)
    rows = []
    for n in bench.options.wheel_sizes:
        figures = {}
        for turn in range(ROUNDS):
            for name in IMPLEMENTATIONS:
                for workload in WORKLOADS:
                    bench.say(f"{n:,} timers: {name} {workload}, {turn + 1} of {ROUNDS}")
                    once = _measure(bench, name, workload, n)
                    figures[name, workload] = {key: min(value, figures.get((name, workload), once)[key]) for key, value in once.items()}
        rows += _rows(n, figures)
        bench.details.append({"name": "wheel", "n": n, "figures": {" ".join(key): value for key, value in figures.items()}})
    noise = min(_measure(bench, "wheel", "noise", 1_000_000)["p99.99"] for _ in range(ROUNDS))
    rows.append(Row("wheel, 1,000", "1 us of arithmetic, p99.99", noise, "us", note="what the machine adds to any pause"))
    sparse = _measure(bench, "wheel", "sparse", 1000)
    rows.append(Row("wheel, 1,000", "wake-ups a timer", sparse["wakeups/timer"], "", goal="<= 2"))
    return rows


def _rows(n, figures):
    def speed(workload, key, name):
        return 1000 / figures[name, workload][key]

    case = f"wheel, {n // 1_000_000}M" if n >= 1_000_000 else f"wheel, {n:,}"
    large = n >= 10_000_000
    goals = {"libuv": {"churn": ">= 15" if large else ">= 10", "drain": ">= 15" if large else ">= 6"},
             "heap4": {"churn": ">= 8" if large else ">= 3"}}
    rows = []
    for workload, key in (("load", "ns/op"), ("cancel", "cancel"), ("cancel", "resched"), ("churn", "ns/op"), ("drain", "ns/timer")):
        what = key if workload == "cancel" else workload
        for other, label in (("libuv", "libuv's timers"), ("heap4", "4-ary heap")):
            rows.append(Row(case, what, speed(workload, key, "wheel"), "M/s", label, speed(workload, key, other),
                            goals[other].get(what)))
    rows.append(Row(case, "memory", figures["wheel", "load"]["bytes/timer"], "B/timer", "libuv's timers",
                    figures["libuv", "load"]["bytes/timer"]))
    rows.append(Row(case, "memory", figures["wheel", "load"]["bytes/timer"], "B/timer", goal="<= 10.5" if large else "<= 11"))
    drain = figures["wheel", "drain"]
    rows.append(Row(case, "one advance, p99.99", drain["p99.99"], "us", goal="<= 12", note=f"max {drain['max']:.0f} us"))
    return rows


def _measure(bench, name, workload, n):
    """{name: figure} of the line that bench prints."""
    line = bench.command([bench.build / "wheel/bench", bench.build / f"wheel/{name}.so", workload, n])
    if "WRONG" in line:
        raise RuntimeError(f"bench/wheel: {line}")
    return {key: float(value) for key, value in re.findall(r"([\w./+()]+)= *([0-9.]+)", line)}


def _build(bench):
    source, out = bench.source / "wheel", bench.build / "wheel"
    out.mkdir(parents=True, exist_ok=True)
    bench.command(["cc", *FLAGS, "-o", out / "bench", source / "bench.c", "-ldl"])
    include = f"-I{bench.source.parent / 'include'}"
    for name, more in (("wheel", [include, *glob.glob(str(bench.source.parent / "src/sched/wheel*.c"))]),
                       ("libuv", ["-luv"]), ("heap4", [])):
        bench.command(["cc", *FLAGS, *SHARED, "-o", out / f"{name}.so", source / f"impl_{name}.c", *more])
