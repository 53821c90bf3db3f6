#!/usr/bin/python3
"""bulk.py: what a bulk costs, beside the same rows written by bare SQL.

    bulk.py [--leads 200000] [--accounts 1] [--actions start,restart,continue,skip,stop] [--json] [--explain]

A throwaway PostgreSQL (SETTINGS; fsync and synchronous_commit on). For each action a database of so many leads, vacuumed
and analyzed:

    start                new leads
    restart, continue    processed/responded leads with an ended conversation, its first message sent, two steps to go
    skip, stop           active leads with a message scheduled in two days

Then, each in a fresh copy of that database, warm and after a checkpoint:

    bulk      bulk_plan, bulk_commit, CALL bulk_run for every account. Planning is timed by itself.
    inserts   INSERT .. SELECT of the very rows that the bulk inserted (conversation, message, activity), read from a table,
              one statement a table, one transaction, into the same tables with their indexes, foreign keys and checks,
              but with our own triggers off.
    writes    the same, and UPDATE .. FROM a table to what the bulk made of the rows that it changed (lead, conversation,
              message).

CPU is user + system time of the one backend (/proc); WAL what it wrote. Ratios are of wall and of CPU, bulk over bare.
--explain leaves the plans of slow statements inside the bulk on standard error (auto_explain).
"""

import argparse
import contextlib
import json
import os
import pathlib
import sys
import time

import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/support"))
import schema  # noqa: E402
from cluster import Cluster  # noqa: E402

SETTINGS = {
    "shared_buffers": "2GB", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "max_wal_size": "16GB",
    "checkpoint_timeout": "1h", "autovacuum": "off", "work_mem": "16MB", "maintenance_work_mem": "512MB",
    "wal_buffers": "16MB", "jit": "on",
}
ACTIONS = ("start", "restart", "continue", "skip", "stop")
WORLDS = {"start": "new", "restart": "processed", "continue": "processed", "skip": "active", "stop": "active"}
TICKS = os.sysconf("SC_CLK_TCK")

ACCOUNTS = """
    INSERT INTO followup.account (id, name, postal_address) SELECT n, 'Account ' || n, '1 Main Street' FROM generate_series(1, %(accounts)s) AS n;
    INSERT INTO followup.assistant (account_id, id, name, from_address) SELECT id, 1, 'Ada', 'ada@acme.example' FROM followup.account;
    INSERT INTO followup.sequence (account_id, id, name) SELECT id, 1, 'Main' FROM followup.account;
    INSERT INTO followup.sequence_version (account_id, sequence_id, version) SELECT id, 1, 1 FROM followup.account;
    INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text)
    SELECT a.id, 1, 1, s.kind::followup.step_kind, s.position, s.key, '2 days', 'Hello', 'Hello {{first_name|there}}'
      FROM followup.account AS a,
           (VALUES ('sequence', 1, 'one'), ('sequence', 2, 'two'), ('sequence', 3, 'three'), ('follow_up', 1, 'call')) AS s (kind, position, key)"""
LEADS = """
    INSERT INTO followup.lead (account_id, id, email, first_name, last_name, company, state, sub_state, sequence_id, assistant_id)
    SELECT 1 + (n - 1) / (%(leads)s / %(accounts)s), n, 'lead' || n || '@company' || n %% 5000 || '.example', 'Lead', 'Number ' || n,
           'Company ' || n %% 5000, w.state, w.sub_state, w.sequence_id, w.sequence_id
      FROM generate_series(1, %(leads)s) AS n,
           (SELECT %(world)s::followup.lead_state AS state,
                   (CASE %(world)s WHEN 'processed' THEN 'responded' WHEN 'active' THEN 'sequence' END)::followup.lead_sub_state AS sub_state,
                   CASE WHEN %(world)s <> 'new' THEN 1 END AS sequence_id) AS w"""
CONVERSATIONS = """
    INSERT INTO followup.conversation (account_id, id, lead_id, sequence_id, version, assistant_id, state, started_at,
                                       stop_seq, ended_reason, ended_at)
    SELECT l.account_id, l.id, l.id, 1, 1, 1, c.state::followup.conversation_state, now() - interval '30 days',
           CASE c.state WHEN 'ended' THEN nextval('followup.order_seq') END,
           CASE c.state WHEN 'ended' THEN 'responded'::followup.ended_reason END, CASE c.state WHEN 'ended' THEN now() - interval '20 days' END
      FROM followup.lead AS l, (SELECT CASE %(world)s WHEN 'active' THEN 'active' ELSE 'ended' END AS state) AS c
     WHERE l.state <> 'new'
     ORDER BY l.id;
    INSERT INTO followup.message (account_id, id, conversation_id, lead_id, kind, version, position, step_key, due_at, state, attempts,
                                  posts, provider, provider_message_id, sent_at, finished_at, planned_reason)
    SELECT l.account_id, l.id, l.id, l.id, 'sequence', 1, 1, 'one', d.due_at, d.state::followup.message_state, d.sent, d.sent,
           CASE d.sent WHEN 1 THEN 'main' END, CASE d.sent WHEN 1 THEN 'p-' || l.id END, d.sent_at, d.sent_at, 'start'
      FROM followup.lead AS l,
           (SELECT CASE %(world)s WHEN 'active' THEN now() + interval '2 days' ELSE now() - interval '28 days' END AS due_at,
                   CASE %(world)s WHEN 'active' THEN 'scheduled' ELSE 'sent' END AS state,
                   CASE %(world)s WHEN 'active' THEN 0 ELSE 1 END AS sent,
                   CASE %(world)s WHEN 'active' THEN NULL ELSE now() - interval '28 days' END AS sent_at) AS d
     WHERE l.state <> 'new'
     ORDER BY l.id"""
IDENTITIES = "SELECT setval(pg_get_serial_sequence('followup.' || t, 'id'), %(leads)s) FROM unnest('{lead,conversation,message,activity}'::text[]) AS t"

# table -> (which of its rows the bulk inserted, which it changed, the columns of those that may have)
CHANGES = {
    "conversation": ("id > {leads}", "id <= {leads}", "state,version,stop_seq,ended_reason,ended_by,ended_at,hold_until"),
    "message": ("id > {leads}", "id <= {leads} AND state = 'cancelled'", "state,detached,finished_at,detail"),
    "activity": ("id > {leads}", None, None),
    "lead": (None, "true", "state,sub_state,sequence_id,assistant_id"),
}
UPDATED = {"start": ("lead",), "restart": ("lead",), "continue": ("conversation", "lead"), "skip": ("message", "lead"),
           "stop": ("message", "conversation", "lead")}


class Meter:
    """Wall, CPU of the backend and WAL of what runs inside `with meter:`; more than one time adds up."""

    def __init__(self, connection):
        self.connection = connection
        self.stat = f"/proc/{connection.info.backend_pid}/stat"
        self.seconds = self.cpu_s = self.wal_bytes = 0

    def _now(self):
        wal = self.connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()[0]
        with open(self.stat, encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return time.monotonic(), (int(fields[11]) + int(fields[12])) / TICKS, int(wal)

    def __enter__(self):
        self.started = self._now()
        return self

    def __exit__(self, *_):
        ended = self._now()
        self.seconds += ended[0] - self.started[0]
        self.cpu_s += ended[1] - self.started[1]
        self.wal_bytes += ended[2] - self.started[2]

    def figures(self, leads):
        return {"wall_s": round(self.seconds, 2), "cpu_s": round(self.cpu_s, 2), "cpu_us_a_lead": round(self.cpu_s / leads * 1e6, 1),
                "wal_bytes_a_lead": round(self.wal_bytes / leads)}


class Bench:
    def __init__(self, cluster, leads, accounts, explain):
        self.cluster = cluster
        self.leads = leads
        self.accounts = accounts
        self.explain = explain
        self.folder = cluster.data_folder  # the server reads and writes there

    def fill(self, world):
        values = {"leads": self.leads, "accounts": self.accounts, "world": world}
        self.cluster.createdb("filled", template=schema.template(self.cluster))
        with psycopg.connect(self.cluster.conninfo("filled"), autocommit=True, cursor_factory=psycopg.ClientCursor) as db:
            db.execute("SET followup.notify = 'off'; SET ROLE followup_owner")
            for text in (ACCOUNTS, LEADS, CONVERSATIONS, IDENTITIES):
                db.execute(text, values)
            db.execute("RESET ROLE")
            db.execute("VACUUM (FREEZE, ANALYZE)")

    @contextlib.contextmanager
    def copy(self, name):
        self.cluster.psql("-c", f"CREATE DATABASE {name} TEMPLATE filled STRATEGY file_copy")
        with psycopg.connect(self.cluster.conninfo(name), autocommit=True) as db:
            db.execute("CREATE EXTENSION pg_prewarm")
            db.execute("SELECT pg_prewarm(c.oid::regclass) FROM pg_class AS c WHERE c.relnamespace = 'followup'::regnamespace "
                       "AND c.relkind IN ('r', 'i') ORDER BY c.relpages")
            yield db

    def bulk(self, action):
        """The bulk itself; what it wrote is left in files for the bare runs."""
        with self.copy("done") as db:
            if self.explain:
                db.execute("LOAD 'auto_explain'; SET auto_explain.log_nested_statements = on; SET auto_explain.log_min_duration = 20; "
                           "SET auto_explain.log_analyze = on; SET auto_explain.log_timing = off; SET auto_explain.log_triggers = on")
            db.execute("CHECKPOINT")
            plan, run = Meter(db), Meter(db)
            done = 0
            for account in range(1, self.accounts + 1):
                with plan:
                    bulk, would_be_done = db.execute("SELECT bulk_id, would_be_done FROM followup.bulk_plan(%s, %s, '', p_sequence => %s)",
                                                     (account, action, 1 if action == "start" else None)).fetchone()
                db.execute("SELECT followup.bulk_commit(%s, %s, %s)", (account, bulk, would_be_done))
                with run:
                    db.execute("CALL followup.bulk_run(%s, %s)", (account, bulk), prepare=False)
                done += db.execute("SELECT done FROM followup.bulk_status(%s, %s)", (account, bulk)).fetchone()[0]
            if done != self.leads:
                raise SystemExit(f"bulk.py: {action} was done to {done} leads of {self.leads}")
            chunks = db.execute("SELECT count(*), coalesce(extract(epoch FROM max(ran_at - before)) * 1000, 0)::int FROM ("
                                "SELECT ran_at, lag(ran_at) OVER (ORDER BY ran_at) AS before FROM followup.bulk_chunk) AS c").fetchone()
            for table, (inserted, changed, _) in CHANGES.items():
                for kind, condition in (("inserted", inserted), ("changed", changed)):
                    if condition is not None:
                        db.execute(f"COPY (SELECT * FROM followup.{table} WHERE {condition.format(leads=self.leads)} ORDER BY id) "
                                   f"TO '{self.folder}/{table}.{kind}' (FORMAT binary)")
        self.cluster.dropdb("done")
        return plan.figures(self.leads), run.figures(self.leads), chunks

    def bare(self, action):
        """The same rows by bare SQL: figures of the inserts, and of the inserts with the updates."""
        with self.copy("bare") as db:
            inserts, updates = [], []
            for table, (inserted, changed, columns) in CHANGES.items():
                for kind, condition in (("inserted", inserted), ("changed", changed)):
                    if condition is None:
                        continue
                    db.execute(f"CREATE TABLE {table}_{kind} AS SELECT * FROM followup.{table} LIMIT 0")
                    db.execute(f"COPY {table}_{kind} FROM '{self.folder}/{table}.{kind}' (FORMAT binary)")
                db.execute(f"ALTER TABLE followup.{table} DISABLE TRIGGER USER")
                written = db.execute("SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = %s::regclass "
                                     "AND attnum > 0 AND NOT attisdropped AND attgenerated = ''", (f"followup.{table}",)).fetchone()[0]
                if inserted is not None:
                    inserts.append(f"INSERT INTO followup.{table} ({written}) SELECT {written} FROM {table}_inserted")
                if table in UPDATED[action]:
                    updates.append(f"UPDATE followup.{table} AS t SET " + ", ".join(f"{c} = s.{c}" for c in columns.split(","))
                                   + f" FROM {table}_changed AS s WHERE t.account_id = s.account_id AND t.id = s.id")
            db.execute("VACUUM ANALYZE")
            db.execute("CHECKPOINT")
            insert, write = Meter(db), Meter(db)
            with db.transaction(), write:
                for statement in updates:  # first: a message that is to be cancelled makes room for the next one
                    db.execute(statement, prepare=False)
                with insert:
                    for statement in inserts:
                        db.execute(statement, prepare=False)
        self.cluster.dropdb("bare")
        return insert.figures(self.leads), write.figures(self.leads)

    def action(self, action):
        plan, run, (chunks, chunk_ms_max) = self.bulk(action)
        inserts, writes = self.bare(action)
        return {"action": action, "leads": self.leads, "accounts": self.accounts, "plan": plan, "run": run, "chunks": chunks,
                "chunk_ms_max": chunk_ms_max, "inserts": inserts, "writes": writes,
                **{f"{what}_over_{name}": round(run[what] / bare[what], 2) if bare[what] else None
                   for name, bare in (("inserts", inserts), ("writes", writes)) for what in ("wall_s", "cpu_s")}}


def table(results):
    print(f"{'action':9}{'leads':>9}{'accounts':>9} |{'plan':>7}{'run':>8}{'inserts':>8}{'writes':>8} s |{'run':>7}{'inserts':>8}{'writes':>7} us CPU a lead |"
          f"{'run/inserts':>12}{'run/writes':>11} by wall |{'run/inserts':>12}{'run/writes':>11} by CPU | chunks, longest ms")
    for r in results:
        print(f"{r['action']:9}{r['leads']:9}{r['accounts']:9} |{r['plan']['wall_s']:7}{r['run']['wall_s']:8}{r['inserts']['wall_s']:8}{r['writes']['wall_s']:8}   |"
              f"{r['run']['cpu_us_a_lead']:7}{r['inserts']['cpu_us_a_lead']:8}{r['writes']['cpu_us_a_lead']:7}               |"
              f"{r['wall_s_over_inserts']:12}{r['wall_s_over_writes']:11}         |{r['cpu_s_over_inserts']:12}{r['cpu_s_over_writes']:11}        | {r['chunks']}, {r['chunk_ms_max']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=200_000)
    parser.add_argument("--accounts", type=int, default=1)
    parser.add_argument("--actions", default=",".join(ACTIONS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--explain", action="store_true")
    args = parser.parse_args()
    actions = args.actions.split(",")
    if not set(actions) <= set(ACTIONS) or args.accounts < 1 or args.leads < 1 or args.leads % args.accounts:
        parser.error(f"actions are {', '.join(ACTIONS)}; leads must be a multiple of accounts")
    results = []
    with Cluster(SETTINGS) as cluster:
        bench = Bench(cluster, args.leads, args.accounts, args.explain)
        filled = None
        for action in sorted(actions, key=lambda name: WORLDS[name]):
            if WORLDS[action] != filled:
                cluster.dropdb("filled")
                filled = WORLDS[action]
                bench.fill(filled)
            results.append(bench.action(action))
        if args.explain:
            print(cluster.log_tail(100_000), file=sys.stderr)
    results.sort(key=lambda result: ACTIONS.index(result["action"]))
    if args.json:
        print(json.dumps(results, indent=1))
    else:
        table(results)


if __name__ == "__main__":
    main()
