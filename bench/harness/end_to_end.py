"""end_to_end: so many messages due at once, from the wheel to the committed result, against graphile-worker that records
and against what libcurl alone can post to the same receiver."""

from peer import measure
from soak import hot_and_dead
from table import Row

IN_FLIGHT = 64
# Seconds between the start of enqueueing and the first due time: the same for both, enough for the slower one.
LEADS = {20_000: 12, 100_000: 30}


def run(bench):
    bench.say("libcurl alone")
    curl = ceiling(bench)
    rows = []
    for n in bench.options.sizes:
        rows += burst(bench, n, curl)
    return rows


def ceiling(bench):
    provider = bench.provider
    provider.reset()
    curl = bench.json([bench.program("curlceil"), provider.url + "/send", "100000", str(IN_FLIGHT)])
    if curl["failed"]:
        raise RuntimeError(f"libcurl alone: {curl['failed']} of {curl['requests']} requests failed")
    bench.details.append({"name": "libcurl alone", **curl})
    return curl


def peer(bench, name, command, n, **env):
    bench.say(f"{n:,} at once: {name}")
    lead = LEADS.get(n) or 6 + n // 4000
    env = {"N": str(n), "RATE": "0", "LEAD": str(lead), "PEER_PG": bench.uri, "PEER_CONC": str(IN_FLIGHT), **env}
    return bench.measured(lambda: measure(name, [str(word) for word in command], env, bench.cluster, bench.provider, bench.log))


def burst(bench, n, curl):
    case = f"{n // 1000}k at once"
    graphile = peer(bench, "graphile-worker", bench.graphile(), n)
    ours = peer(bench, "followupd", bench.followupd(), n)
    hot, dead, *_ = hot_and_dead(bench, "followupd_bench")
    steps = peer(bench, "followupd, two steps", bench.followupd(), n, STEPS="2")
    rows = [
        Row(case, "sent and recorded", ours["jobs_per_s"], "/s", "graphile-worker", graphile["jobs_per_s"], ">= 3"),
        Row(case, "sent and recorded", ours["jobs_per_s"], "/s", "libcurl alone", curl["rate"], ">= 0.5"),
        Row(case, "and the next step planned", steps["jobs_per_s"], "/s", "graphile-worker", graphile["jobs_per_s"]),
        Row(case, "CPU a message", ours["us"], "us", "graphile-worker", graphile["us"], "<= 0.4"),
        Row(case, "of it the worker", ours["us_worker"], "us", "graphile-worker", graphile["us_worker"]),
        Row(case, "of it PostgreSQL", ours["us_store"], "us", "graphile-worker", graphile["us_store"]),
        Row(case, "CPU with the next step", steps["us"], "us", "graphile-worker", graphile["us"]),
    ]
    rows.append(Row(case, "claims that were HOT", 100 * hot / n, "%", note=f"{dead:,} dead rows"))
    rows[0].note = f"body {ours['body_bytes']:.0f} and {graphile['body_bytes']:.0f} B"
    for row, figures in ((rows[3], ours), (rows[6], steps)):
        row.note = " ".join(f"{role} {us:.1f}" for role, us in figures["us_store_by_role"].items())
    bench.details += [graphile, ours, steps]
    return rows
