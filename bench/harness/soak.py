"""soak: 500 messages a second for ten minutes, with a snapshot that somebody keeps open for the middle five: how many of the
claims were HOT updates, and how many dead rows are left."""

import time

import fixture
import processes
from daemon import Daemon
from table import Row

DATABASE = "followupd_soak"
RATE = 500


def run(bench):
    seconds = bench.options.soak_seconds
    messages = RATE * seconds
    fixture.create(bench, DATABASE, {"Soak": 200})
    bench.say(f"{messages:,} messages: filling")
    fixture.fill(bench, DATABASE, "Soak", 1, messages,
                 f"date_trunc('milliseconds', now()) + interval '{10 + messages // 20_000} s' + (no - 1) * 1000 / {RATE} * interval '1 ms'")
    bench.vacuum(DATABASE)
    bench.provider.reset()
    bench.say(f"{RATE} a second for {seconds} s")
    with Daemon(bench, DATABASE) as daemon:
        daemon.wait_for("leases_changed", 30)
        processes.wait_until(lambda: bench.provider.count() >= messages // 4, seconds, "a quarter of the messages")
        with bench.snapshot(DATABASE):
            time.sleep(seconds // 2)
        processes.wait_until(lambda: bench.provider.count() >= messages, seconds, f"{messages} messages")
        rss = processes.memory_bytes(daemon.pid)
    stats = bench.provider.stats()
    if (stats["total"], stats["duplicates"], stats["early"]) != (messages, 0, 0):
        raise RuntimeError(f"{stats['total']} arrived, {stats['duplicates']} twice, {stats['early']} early of {messages}")
    hot, dead, live, size = hot_and_dead(bench, DATABASE)
    bench.cluster.dropdb(DATABASE)
    case = f"{RATE}/s for {seconds} s"
    return [Row(case, "claims that were HOT", 100 * hot / messages, "%", note=f"a snapshot was open for {seconds // 2} s"),
            Row(case, "dead rows of message", dead, "rows", note=f"{live:,} live, {size / (1 << 20):.0f} MiB"),
            Row(case, "late, p50", stats["late_p50"], "ms"), Row(case, "late, p99", stats["late_p99"], "ms"),
            Row(case, "late, max", stats["late_max"], "ms"), Row(case, "memory", rss / (1 << 20), "MiB")]


def hot_and_dead(bench, database):
    """HOT updates of message so far (a result's update never is one: it leaves an index), dead and live rows, bytes. Of what
    the ended connections reported."""
    bench.psql("SELECT pg_stat_force_next_flush()", database)
    return [int(value) for value in bench.psql(
        "SELECT n_tup_hot_upd, n_dead_tup, n_live_tup, pg_table_size(relid) FROM pg_stat_user_tables WHERE relid = 'followup.message'::regclass",
        database).strip().split("|")]
