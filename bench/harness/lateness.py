"""lateness: messages spread evenly over time; how long after its due time each reaches the receiver. Never before."""

from peer import measure
from table import Row

SECONDS = 10
IN_FLIGHT = 64
RATES = (100, 500, 2000)
GOALS = {500: {"p50": "<= 3", "p99": "<= 15"}, 2000: {"p99": "<= 25"}}
PEER_RATES = (500,)


def run(bench):
    rows = []
    for rate in RATES:
        ours = _measure(bench, "followupd", bench.followupd(), rate)
        peer = _measure(bench, "graphile-worker", bench.graphile(), rate) if rate in PEER_RATES else None
        for quantile in ("p50", "p99", "max"):
            goal = GOALS.get(rate, {}).get(quantile)
            rows.append(Row(f"{rate:,}/s", f"late, {quantile}", ours["late_ms"][quantile], "ms", goal=goal,
                            note=f"graphile-worker {peer['late_ms'][quantile]:.0f} ms" if peer else ""))
        rows.append(Row(f"{rate:,}/s", "CPU a message", ours["us"], "us", "graphile-worker" if peer else None,
                        peer["us"] if peer else None, note=f"worker {ours['us_worker']:.0f}, PostgreSQL {ours['us_store']:.0f}"))
    return rows


def _measure(bench, name, command, rate):
    bench.say(f"{rate:,}/s for {SECONDS} s: {name}")
    env = {"N": str(rate * SECONDS), "RATE": str(rate), "LEAD": str(8 + rate // 200), "PEER_PG": bench.uri, "PEER_CONC": str(IN_FLIGHT)}
    figures = bench.measured(lambda: measure(name, [str(word) for word in command], env, bench.cluster, bench.provider, bench.log))
    bench.details.append(figures)
    return figures
