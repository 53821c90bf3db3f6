"""bulk: one restart of so many leads, against a bare INSERT .. SELECT of the rows that it wrote; and again by the daemon,
of leads that are active by then, while it sends to others."""

import time

import fixture
import processes
from daemon import Daemon
from table import Row

DATABASE = "followupd_bulk"
ACCOUNT = "(SELECT id FROM followup.account WHERE name = 'Bulk 1')"
SECONDS = 20  # of sending beside the restart
LEAD_SECONDS = 30  # until the first of them is due, for a checkpoint and the daemon's start; and their filling, FILL_RATE a second
FILL_RATE = 5000
REPORT_SECONDS = 3  # a worker tells its figures every two
BULK_SECONDS_MAX = 1200  # 1M leads beside 5,000 messages a second
TABLES = ("conversation", "message", "activity")


def run(bench):
    rows = []
    for n in bench.options.bulk_sizes:
        case = f"bulk, {n // 1_000_000}M" if n >= 1_000_000 else f"bulk, {n:,}"
        bench.say(f"{n:,} leads: filling")
        fixture.create(bench, DATABASE, {"Bulk": 1, "Other": 200})
        fixture.fill(bench, DATABASE, "Bulk", 1, n, state="processed")
        bench.vacuum(DATABASE)
        bench.say(f"{n:,} leads: restart")
        account_id = bench.psql(f"SELECT {ACCOUNT}", DATABASE).strip()
        plan_s, bulk_id = _plan(bench)
        _commit(bench, bulk_id)
        run_s, run_cpu = _timed(bench, lambda: bench.psql(f"CALL followup.bulk_run({account_id}, {bulk_id})", DATABASE))
        _check(bench, bulk_id, n)
        bench.say(f"{n:,} leads: bare INSERT .. SELECT")
        bare_s, bare_cpu = _bare(bench, n)
        rows += [Row(case, "restart", run_s, "s", "INSERT .. SELECT", bare_s, "<= 3", f"{', '.join(TABLES)}; planned in {plan_s:.1f} s"),
                 Row(case, "restart, CPU a lead", run_cpu * 1e6 / n, "us", "INSERT .. SELECT", bare_cpu * 1e6 / n)]
        for rate in bench.options.bulk_rates:
            rows += _while_sending(bench, case, n, rate)
        bench.details.append({"name": "bulk", "n": n, "plan_s": plan_s, "run_s": run_s, "run_cpu_s": run_cpu, "bare_s": bare_s,
                              "bare_cpu_s": bare_cpu})
        bench.cluster.dropdb(DATABASE)
    return rows


def _timed(bench, do):
    """Seconds, and seconds of CPU of the server."""
    cpu, started = processes.cpu_s(bench.cluster.pid), time.monotonic()
    do()
    return time.monotonic() - started, processes.cpu_s(bench.cluster.pid) - cpu


def _plan(bench):
    """Of a restart in two days of all leads: seconds, and its id."""
    started = time.monotonic()
    bulk_id = bench.psql(f"SELECT bulk_id FROM followup.bulk_plan({ACCOUNT}, 'restart', '', followup.now() + interval '2 days')", DATABASE).strip()
    return time.monotonic() - started, bulk_id


def _commit(bench, bulk_id):
    bench.psql(f"SELECT followup.bulk_commit(account_id, id, (plan ->> 'done')::bigint) FROM followup.bulk WHERE id = {bulk_id}", DATABASE)


def _check(bench, bulk_id, n):
    done = bench.psql(f"SELECT state, done FROM followup.bulk_status({ACCOUNT}, {bulk_id})", DATABASE).strip()
    if done != f"done|{n}":
        raise RuntimeError(f"bulk {bulk_id} is {done}, not done|{n}")


def _bare(bench, n):
    """The same rows into the same tables with all their indexes and foreign keys; only our own triggers rest."""
    written = {"conversation": "id > :n", "message": "id > :n", "activity": "action = 'restart'"}
    bench.psql("\n".join(f"CREATE TABLE bare_{table} AS SELECT * FROM followup.{table} WHERE {condition};"
                         for table, condition in written.items())
               + "\nSET session_replication_role = replica;\n"
               + "\n".join(f"DELETE FROM followup.{table} WHERE {condition};" for table, condition in reversed(written.items())),
               DATABASE, n=n + 1)
    bench.vacuum(DATABASE)
    bench.psql("".join(f"ALTER TABLE followup.{table} DISABLE TRIGGER USER;" for table in TABLES), DATABASE)
    columns = {table: bench.psql("SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute "
                                 f"WHERE attrelid = 'followup.{table}'::regclass AND attnum > 0 AND NOT attisdropped "
                                 "AND attgenerated = ''", DATABASE).strip() for table in TABLES}
    script = "".join(f"INSERT INTO followup.{table} ({columns[table]}) SELECT {columns[table]} FROM bare_{table};" for table in TABLES)
    figures = _timed(bench, lambda: bench.psql(script, DATABASE))
    bench.psql("".join(f"ALTER TABLE followup.{table} ENABLE TRIGGER USER; DROP TABLE bare_{table};" for table in TABLES), DATABASE)
    for table in TABLES[:2]:
        count = bench.psql(f"SELECT count(*) FROM followup.{table} WHERE account_id = {ACCOUNT}", DATABASE).strip()
        if count != str(2 * n):
            raise RuntimeError(f"{count} rows in {table}, not {2 * n}")
    return figures


def _longest_turn_s(bench):
    """Of the daemon's loop since its start, as it says itself."""
    return float(bench.psql("SELECT (figures ->> 'loop_turn_max_seconds')::float8 FROM followup.worker_figures ORDER BY at DESC LIMIT 1",
                            DATABASE))


def _while_sending(bench, case, n, rate):
    """The leads are active now: each has a message to be cancelled. The daemon does it, and sends so many a second to others."""
    messages = rate * SECONDS
    bench.vacuum(DATABASE)
    _, bulk_id = _plan(bench)
    bench.psql("CHECKPOINT", DATABASE)  # else the kernel writes back what was filled and planned while this sends
    first = int(bench.psql("SELECT max(id) + 1 FROM followup.message", DATABASE))
    bench.say(f"{n:,} leads: filling {messages:,} messages of others")
    begins = time.time() + LEAD_SECONDS + messages / FILL_RATE
    fixture.fill(bench, DATABASE, "Other", first, messages,
                 f"to_timestamp({begins:.3f}) + (no - {first}) * 1000 / {rate} * interval '1 ms'")
    bench.psql("CHECKPOINT", DATABASE)
    bench.say(f"{n:,} leads: restart by the daemon, which sends {rate:,} a second")
    bench.provider.reset()
    with Daemon(bench, DATABASE) as daemon:
        daemon.wait_for("leases_changed", 30)
        spare = begins - 1 - time.time()
        if spare < 0:
            raise RuntimeError(f"the daemon was ready {-spare:.0f} s too late: LEAD_SECONDS are too few")
        time.sleep(spare)
        turn_before = _longest_turn_s(bench)
        started = time.monotonic()
        _commit(bench, bulk_id)
        processes.wait_until(lambda: bench.provider.count() >= messages, 240, f"{messages} messages")
        sent, reached = time.monotonic(), messages / (time.time() - begins)
        daemon.wait_for("bulk_ended", BULK_SECONDS_MAX)
        took = time.monotonic() - started
        silence = daemon.longest_silence_s(started, min(sent, started + took))
        time.sleep(REPORT_SECONDS)
        turn = _longest_turn_s(bench)
    stats = bench.provider.stats()
    _check(bench, bulk_id, n)
    if (stats["total"], stats["duplicates"], stats["early"]) != (messages, 0, 0):
        raise RuntimeError(f"{stats['total']} arrived, {stats['duplicates']} twice, {stats['early']} early of {messages}")
    what = f"{rate:,}/s meanwhile"
    return [Row(case, f"restart of active leads, by the daemon, {rate:,}/s", took, "s", note=f"while it sends {rate:,}/s for {SECONDS} s"),
            Row(case, f"{what}: reached", reached, "/s"),
            *(Row(case, f"{what}, late {quantile}", stats[f"late_{quantile}"], "ms") for quantile in ("p50", "p99", "max")),
            Row(case, f"{what}, longest turn of the loop", turn * 1000, "ms", goal="<= 20", note=f"before the restart {turn_before * 1000:.1f} ms"),
            Row(case, f"{what}, longest silence", silence * 1000, "ms", note="a sign of life is asked for every 100 ms")]
