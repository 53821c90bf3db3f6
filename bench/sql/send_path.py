#!/usr/bin/python3
"""send_path.py: what claim_messages and record_results cost PostgreSQL, in microseconds of CPU a message.

Starts a throwaway server, plans messages that are due at once, and takes them through claim and record in batches, each
on a connection of its own, with prepared statements and binary parameters, as the daemon does. The backends' user and
system time is read from /proc, so neither this client nor another process on the machine is in the figures. At the end
it checks that every message was recorded, so that a figure is never of work that was not done.

    bench/sql/send_path.py                        one-step conversations, batches of 100, 250 and 500
    bench/sql/send_path.py --steps 2              each record plans a second message
    bench/sql/send_path.py --against ../main      beside the functions of another source tree
    bench/sql/send_path.py --statements           where the time goes, statement by statement
    bench/sql/send_path.py --perf claim.data      perf record of the claiming backend (record.data: of the recording one)
"""

import argparse
import contextlib
import datetime
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import uuid

import psycopg
from psycopg.types.numeric import Int4, Int8

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import schema  # noqa: E402
from cluster import Cluster  # noqa: E402
from world import World  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
SERVER = {"shared_buffers": "1GB", "autovacuum": "off", "full_page_writes": "on", "max_wal_size": "8GB",
          "checkpoint_timeout": "1h"}
PROFILED = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "all"}
PLANNED = ("-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_analyze=on "
           "-c auto_explain.log_nested_statements=on")  # of the two connections that are measured

# The columns as the daemon reads them; of the schema under measurement, which may be another tree's.
CLAIM_COLUMNS = """SELECT string_agg(attname || CASE WHEN atttypid IN ('int8'::regtype, 'int4'::regtype, 'text'::regtype,
    'timestamptz'::regtype) THEN '' ELSE '::text' END, ', ' ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = 'followup.claim_row'::regclass"""
CLAIM = "SELECT {} FROM followup.claim_messages(%b::uuid, %b::int4[], %b::int8[], %b::int8[], %b::int8[], %b::text)"
RECORD = """SELECT account_id, message_id, accepted, next_account_id, next_message_id, next_due_at
    FROM followup.record_results(%b::uuid, %b::int4[], %b::int8[], %b::int8[], %b::int8[], %b::int4[], %b::int4[], %b::int8[],
    %b::text[]::followup.attempt_outcome[], %b::bool[], %b::int4[], %b::int8[], %b::text[], %b::text[], %b::timestamptz[],
    %b::timestamptz[], %b::text[], %b::text[], %b::text[])"""
# About 1 KB as it leaves, the size that the peers' benchmark posts.
SUBJECT = "A word about your order at the workshop"
TEXT = "Hello, we have not heard from you since your last visit. " * 7
HTML = "<p>Hello, we have <b>not heard</b> from you since your last visit.</p>" * 7


class Database:
    """What World wants of one: rows(query, *values)."""

    def __init__(self, connection):
        self.connection = connection

    def rows(self, query, *values):
        with self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else []


def int4s(values):
    return [Int4(value) for value in values]


def int8s(values):
    return [Int8(value) for value in values]


class Side:
    """One of the daemon's connections: runs its statement, a transaction a call, and knows what it cost."""

    def __init__(self, conninfo, statement):
        self.connection = psycopg.connect(conninfo, autocommit=True, prepare_threshold=0)
        self.connection.execute("SET statement_timeout = '60s'")
        self.cursor = self.connection.cursor(binary=True)
        self.statement = statement

    @property
    def pid(self):
        return self.connection.info.backend_pid

    def call(self, values):
        self.cursor.execute(self.statement, values, prepare=True)
        return self.cursor.fetchall()

    def cpu_us(self):
        """schedstat counts nanoseconds on the CPU, user and system together; stat only ticks of 10 ms."""
        with open(f"/proc/{self.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1000


class Worker:
    """Owns all shards; claims and records."""

    def __init__(self, conninfo):
        self.id = uuid.uuid4()
        self.results = Side(conninfo, RECORD)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            self.claims = Side(conninfo, CLAIM.format(connection.execute(CLAIM_COLUMNS).fetchone()[0]))
            leases = connection.execute("SELECT shard, epoch FROM followup.acquire_leases(%s, NULL, 3600000)", [self.id]).fetchall()
        self.leases = [self.id, int4s(row[0] for row in leases), int8s(row[1] for row in leases)]

    def claim(self, refs):
        rows = self.claims.call(self.leases + [int8s(r[0] for r in refs), int8s(r[1] for r in refs), "main"])
        refused = [row for row in rows if row[2] != "claimed"]
        if refused or len(rows) != len(refs):
            raise SystemExit(f"send_path.py: {len(rows)} of {len(refs)} rows, refused: {refused[:1]}")
        return rows

    def record(self, rows):
        count, ended = len(rows), datetime.datetime.now(datetime.timezone.utc)
        provider_ids = [f"sandbox-{uuid.uuid4()}" for _ in rows]
        answer = self.results.call(self.leases + [
            int8s(r[0] for r in rows), int8s(r[1] for r in rows), int4s(r[6] for r in rows), int4s(r[7] for r in rows),
            int8s(r[5] for r in rows), ["sent"] * count, [False] * count, int4s([202] * count), int8s([0] * count),
            [None] * count, provider_ids, [ended - datetime.timedelta(milliseconds=3)] * count, [ended] * count,
            [SUBJECT] * count, [TEXT] * count, [HTML] * count])
        if len(answer) != count or not all(row[2] for row in answer):
            raise SystemExit(f"send_path.py: {len(answer)} of {count} recorded")


def build(connection, accounts, messages, steps, analyze):
    """Messages due now: so many accounts, one lead and one conversation a message."""
    database = Database(connection)
    world = World(database)
    ids = world.accounts(accounts, steps=[("sequence", "0"), ("sequence", "2 days")][:steps])
    world.leads_each(ids, -(-messages // accounts), company="Quarry", last_name="Hill", fields='{"order": "4711"}')
    database.rows("UPDATE followup.step SET subject = %s, body_text = %s, body_html = %s", SUBJECT, TEXT, HTML)
    for account in ids:
        world.start_everywhere([account])
    if analyze:
        connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")
    return database.rows("SELECT account_id, id FROM followup.message WHERE state = 'scheduled' ORDER BY id LIMIT %s", messages)


def written(connection):
    """Of table message: rows updated, and those by a HOT update."""
    return connection.execute("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables "
                              "WHERE relid = 'followup.message'::regclass").fetchone()


def flush(side):
    side.connection.execute("SELECT pg_stat_force_next_flush()")
    side.connection.execute("SELECT")


def measure(sides, batch, share):
    """Takes so many messages of each database through, a batch of each in turn, so that what disturbs one disturbs the
    other as well. Figures a message, of each database."""
    spent = {side: ([], []) for side in sides}
    wal = {side: [0, 0] for side in sides}
    before = {side: written(side.connection) for side in sides}
    for _ in range(share // batch):
        for side in sides:
            chunk, side.refs = side.refs[:batch], side.refs[batch:]
            side.done += batch
            for part, line in enumerate((side.worker.claims, side.worker.results)):
                cpu, lsn = line.cpu_us(), _lsn(side.connection)
                if part == 0:
                    rows = side.worker.claim(chunk)
                else:
                    side.worker.record(rows)
                spent[side][part].append((line.cpu_us() - cpu) / batch)
                wal[side][part] += _lsn(side.connection) - lsn
    answer = []
    for side in sides:
        for line in (side.worker.claims, side.worker.results):
            flush(line)
        after = written(side.connection)
        count = share // batch * batch
        answer.append({"claim": statistics_of(spent[side][0]), "record": statistics_of(spent[side][1]),
                       "claim_wal": wal[side][0] / count, "record_wal": wal[side][1] / count,
                       "hot": (after[1] - before[side][1]) / max(1, after[0] - before[side][0])})
    return answer


def statistics_of(costs):
    """The first quartile of the batches: what it costs while no neighbour disturbs the caches; and the mean."""
    return statistics.quantiles(costs, n=4)[0], statistics.fmean(costs)


def _lsn(connection):
    return int(connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()[0])


def show_statements(connection, messages):
    """Time of each statement inside the two, with what it calls; planning is not in it."""
    rows = connection.execute(
        "SELECT calls, (total_exec_time * 1000)::float8, regexp_replace(query, '\\s+', ' ', 'g') FROM pg_stat_statements "
        "WHERE calls > 1 ORDER BY total_exec_time DESC LIMIT 40").fetchall()
    print("\nstatements, us a message (wall), what a statement calls included:")
    for calls, us, query in rows:
        print(f"{us / messages:8.2f}  {calls:6} calls  {query[:130]}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=60000, help="shared by the batch sizes (default: 60000)")
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--batch", type=int, nargs="+", default=[100, 250, 500])
    parser.add_argument("--steps", type=int, choices=(1, 2), default=1)
    parser.add_argument("--fresh", action="store_true", help="the planner knows nothing: no ANALYZE, as in a database just filled")
    parser.add_argument("--order", choices=("planned", "shuffled"), default="planned", help="in which messages are claimed")
    parser.add_argument("--against", metavar="TREE", help="also the schema of another source tree, batch by batch in turn")
    parser.add_argument("--sql", help="run on the schema before anything else, to try something (with --against . to compare)")
    parser.add_argument("--statements", action="store_true", help="time of each statement inside the two")
    parser.add_argument("--plans", metavar="FILE", help="what EXPLAIN ANALYZE says of each statement inside the two (server's log)")
    parser.add_argument("--perf", metavar="FILE", help="perf record of one backend; the name starts with claim or record")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the server")
    return parser.parse_args()


class Subject:
    """A database with one schema under measurement, its messages still to be sent and its worker."""

    def __init__(self, cluster, name, tree, sql, args):
        self.name, self.done = name, 0
        cluster.createdb(name)
        schema.SQL = pathlib.Path(tree).resolve() / "sql"
        schema.load(cluster, name)
        if sql:
            cluster.psql("-c", sql, dbname=name)
        self.connection = psycopg.connect(cluster.conninfo(name), autocommit=True)
        self.refs = build(self.connection, args.accounts, args.messages, args.steps, not args.fresh)
        if args.order == "shuffled":
            random.Random(4711).shuffle(self.refs)
        self.worker = Worker(cluster.conninfo(name, options=PLANNED) if args.plans else cluster.conninfo(name))

    def check(self):
        sent, bodies = self.connection.execute(
            "SELECT (SELECT count(*) FROM followup.message WHERE state = 'sent'), (SELECT count(*) FROM followup.message_body)"
        ).fetchone()
        if (sent, bodies) != (self.done, self.done):
            raise SystemExit(f"send_path.py: {sent} sent and {bodies} bodies of {self.done}")


def main(args):
    settings = {**SERVER, **(PROFILED if args.statements else {}), **dict(pair.split("=", 1) for pair in args.set)}
    with Cluster(settings) as cluster:
        subjects = [Subject(cluster, "other", args.against, None, args)] if args.against else []
        subjects.append(Subject(cluster, "this", ROOT, args.sql, args))
        run(subjects, args)
        for subject in subjects:
            subject.check()
        if args.plans:
            shutil.copy(cluster.log_path, args.plans)


def run(subjects, args):
    share = args.messages // len(args.batch)
    print(f"{args.steps} step(s), {args.messages} messages of {args.accounts} accounts, {args.order}; a message:")
    print("       batch  claim us mean  record us mean  both us  claim WAL B  record WAL B   HOT")
    last = subjects[-1]
    with contextlib.ExitStack() as stack:
        if args.perf:
            line = last.worker.claims if pathlib.Path(args.perf).name.startswith("claim") else last.worker.results
            perf = subprocess.Popen(["perf", "record", "-q", "-F", "4999", "-g", "-o", args.perf, "-p", str(line.pid)])
            stack.callback(perf.wait)
            stack.callback(perf.terminate)
        if args.statements:
            last.connection.execute("CREATE EXTENSION pg_stat_statements")
            last.connection.execute("SELECT pg_stat_statements_reset()")
        for batch in args.batch:
            for subject, figures in zip(subjects, measure(subjects, batch, share)):
                claim, record = figures["claim"], figures["record"]
                print(f"{subject.name:5}  {batch:5}  {claim[0]:5.1f} ({claim[1]:5.1f})   {record[0]:5.1f} ({record[1]:5.1f})"
                      f"  {claim[0] + record[0]:7.1f}  {figures['claim_wal']:11.0f}  {figures['record_wal']:12.0f}"
                      f"  {figures['hot']:4.0%}", flush=True)
        if args.statements:
            show_statements(last.connection, last.done)


if __name__ == "__main__":
    main(parse())
