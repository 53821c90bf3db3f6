#!/usr/bin/python3
"""invariants.py: how long followup.invariants() takes over a database that has been at work for long.

A throwaway server is filled with so many messages that were sent, ten a conversation, each with its attempt (in bulk, without
triggers), with more that are pending, one an active conversation, and with some that were sent within the last hour. Then
invariants() is asked, five times, and invariants(true) once. Wall time and CPU of the server's process: for the first, run it on an
idle machine.

    bench/sql/invariants.py [--messages 10000000] [--pending 20000] [--recent 20000]
"""

import argparse
import pathlib
import statistics
import sys
import time

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import schema  # noqa: E402
from cluster import Cluster  # noqa: E402

SERVER = {"shared_buffers": "2GB", "autovacuum": "off", "max_wal_size": "16GB", "checkpoint_timeout": "1h", "jit": "off",
          "wal_level": "minimal", "max_wal_senders": "0", "maintenance_work_mem": "1GB"}
ACCOUNTS = 200
STEPS = 10
BASE = """
    INSERT INTO followup.account (id, name, postal_address) SELECT a, 'Account ' || a, 'Street 1' FROM generate_series(1, %(accounts)s) AS a;
    INSERT INTO followup.assistant (account_id, id, name, from_address)
    SELECT a, a, 'Ada', 'ada@firm.example' FROM generate_series(1, %(accounts)s) AS a;
    INSERT INTO followup.sequence (account_id, id, name) SELECT a, a, 'Main' FROM generate_series(1, %(accounts)s) AS a;
    INSERT INTO followup.sequence_version (account_id, sequence_id, version) SELECT a, a, 1 FROM generate_series(1, %(accounts)s) AS a;
    INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text)
    SELECT a, a, 1, 'sequence', s, 'step' || s, '2 days', 'Hello', 'Hello'
      FROM generate_series(1, %(accounts)s) AS a, generate_series(1, %(steps)s) AS s;
    UPDATE followup.lease SET expires_at = clock_timestamp() + '1 day', owner = gen_random_uuid(), epoch = 1"""
# In the transaction that emptied the tables nothing of this is logged. The leads up to `pending` are active; the last message of each
# of the last `recent` of the others left a minute ago, and what was tried last lies last in attempt, as in life.
ROWS = """
    INSERT INTO followup.lead (account_id, id, email, state, sub_state, sequence_id, assistant_id)
    SELECT 1 + n %% %(accounts)s, n, 'lead' || n || '@firm.example',
           (CASE WHEN n <= %(pending)s THEN 'active' ELSE 'processed' END)::followup.lead_state,
           (CASE WHEN n <= %(pending)s THEN 'sequence' ELSE 'completed' END)::followup.lead_sub_state, 1 + n %% %(accounts)s, 1 + n %% %(accounts)s
      FROM generate_series(1, %(leads)s) AS n;
    INSERT INTO followup.conversation (account_id, id, lead_id, sequence_id, version, assistant_id, started_at,
                                       state, ended_reason, ended_at, stop_seq)
    SELECT account_id, id, id, sequence_id, 1, assistant_id, now() - '1 year'::interval,
           (CASE WHEN id <= %(pending)s THEN 'active' ELSE 'ended' END)::followup.conversation_state,
           CASE WHEN id > %(pending)s THEN 'completed'::followup.ended_reason END,
           CASE WHEN id > %(pending)s THEN now() - '1 day'::interval END, CASE WHEN id > %(pending)s THEN 2 END
      FROM followup.lead;
    INSERT INTO followup.message (account_id, id, conversation_id, lead_id, kind, version, position, step_key, due_at, planned_reason, state,
                                  attempts, posts, provider, provider_message_id, claim_seq, claimed_at, claimed_by, epoch, sent_at, finished_at)
    SELECT c.account_id, c.id * 16 + s, c.id, c.lead_id, 'sequence', 1, s, 'step' || s, d.at, 'next', 'sent',
           1, 1, 'main', 'p' || c.id * 16 + s, 1, d.at, c.worker, 1, d.at, d.at
      FROM (SELECT e.*, gen_random_uuid() AS worker FROM followup.conversation AS e WHERE e.state = 'ended') AS c
     CROSS JOIN generate_series(1, %(steps)s) AS s
     CROSS JOIN LATERAL (SELECT now() - make_interval(days => 2 * (%(steps)s - s))
                                - CASE WHEN c.id > %(leads)s - %(recent)s THEN '1 minute' ELSE '1 day' END::interval AS at OFFSET 0) AS d;
    INSERT INTO followup.message (account_id, id, conversation_id, lead_id, kind, version, position, step_key, due_at, planned_reason)
    SELECT c.account_id, c.id * 16, c.id, c.lead_id, 'sequence', 1, 1, 'step1', now() + random() * '30 days'::interval, 'start'
      FROM followup.conversation AS c WHERE c.state = 'active';
    INSERT INTO followup.attempt (account_id, message_id, no, post, epoch, outcome, http_status, started_at, ended_at, subject, text)
    SELECT m.account_id, m.id, 1, 1, 1, 'sent', 200, m.sent_at, m.sent_at, 'Hello', repeat('Hello there. ', 20)
      FROM followup.message AS m WHERE m.sent_at <= now() - '1 hour'::interval;
    INSERT INTO followup.attempt (account_id, message_id, no, post, epoch, outcome, http_status, started_at, ended_at, subject, text)
    SELECT m.account_id, m.id, 1, 1, 1, 'sent', 200, m.sent_at, m.sent_at, 'Hello', repeat('Hello there. ', 20)
      FROM followup.message AS m WHERE m.sent_at > now() - '1 hour'::interval"""
FILLED = ["lead", "conversation", "message", "attempt"]
# Keys that others refer to stay: the data meet them in order. The rest is made when the rows are there.
INDEXES = """
    SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made_by
      FROM pg_index AS i
     WHERE i.indrelid = ANY (%s::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
     ORDER BY 1"""


def fill(db, **numbers):
    """Fills an empty database; numbers: accounts, steps, leads, pending, recent."""
    db.execute(BASE, numbers)
    with db.transaction():
        db.execute("TRUNCATE followup.lead CASCADE")
        db.execute("SET LOCAL session_replication_role = replica")
        indexes = db.execute(INDEXES, ([f"followup.{table}" for table in FILLED],)).fetchall()
        for name, _ in indexes:
            db.execute(f"DROP INDEX {name}")
        for statement in ROWS.split(";\n"):
            db.execute(statement, numbers)
        for _, made_by in indexes:
            db.execute(made_by)
    db.execute("VACUUM ANALYZE")


def main(args):
    with Cluster(SERVER) as cluster:
        cluster.createdb("filled")
        schema.load(cluster, "filled")
        with psycopg.connect(cluster.conninfo("filled"), autocommit=True, cursor_factory=psycopg.ClientCursor) as db:
            began = time.monotonic()
            fill(db, accounts=ACCOUNTS, steps=STEPS, pending=args.pending, recent=args.recent,
                 leads=args.pending + args.messages // STEPS)
            stored = db.execute("SELECT count(*) FROM followup.message").fetchone()[0]
            size = db.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone()[0]
            print(f"{stored} messages stored, {size}, filled in {time.monotonic() - began:.0f} s")

            def cpu_s():
                return int(pathlib.Path(f"/proc/{db.info.backend_pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9

            def ask(full):
                began, cpu = time.monotonic(), cpu_s()
                rows = db.execute("SELECT invariant, broken FROM followup.invariants(%s)", (full,)).fetchall()
                return time.monotonic() - began, cpu_s() - cpu, [row for row in rows if row[1]]

            quick = [ask(False) for _ in range(5)]
            full = ask(True)
            print(f"invariants(): {min(q[0] for q in quick):.2f} s, median {statistics.median(q[0] for q in quick):.2f} s "
                  f"(of CPU {statistics.median(q[1] for q in quick):.2f} s) "
                  f"with {args.pending} pending and {args.recent} of the last hour; broken: {quick[0][2]}")
            print(f"invariants(true): {full[0]:.1f} s (of CPU {full[1]:.1f} s); broken: {full[2]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--pending", type=int, default=20_000)
    parser.add_argument("--recent", type=int, default=20_000)
    main(parser.parse_args())
