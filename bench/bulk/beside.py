#!/usr/bin/python3
"""beside.py: how late the messages of others leave while the daemon does a large bulk.

    FOLLOWUPD_BIN=build/release/bin beside.py [--leads 200000] [--rate 500] [--action restart] [--seconds 60] [--json]

A throwaway PostgreSQL (bulk.SETTINGS), followup-sandbox as the provider (its ledger is fsynced) and followupd share the
machine. Account 1 has the leads of the bulk (see bulk.py), another account so many messages a second, one every 1/rate s,
for so many seconds. Ten seconds later the bulk is committed and the daemon does it. Lateness is from due_at to the start
of the POST, in ms, of the messages due before the bulk, while it ran and after it. A chunk is one transaction; no lock of
a bulk is held longer.
"""

import argparse
import json
import sys
import tempfile
import time

import psycopg

from bulk import ACTIONS, SETTINGS, WORLDS, Bench
from cluster import Cluster
from processes import Daemon, Sandbox, wait_until

QUIET_SECONDS = 10  # of sending before the bulk
START_SECONDS = 8   # until the first message is due: the daemon starts meanwhile, after ANALYZE and a checkpoint of all that was filled
LEADS_A_SECOND = 50_000  # that these two get through
AFTER_SECONDS = 3
OTHERS = 2          # the account that goes on sending
# A server that has been at work writes over old segments of its WAL. A fresh one would make each, 16 MiB of zeros and an
# fsync while every commit waits.
KEEPS_WAL = {"min_wal_size": "8GB"}
CONFIG = {
    "engine": {"in_flight_max": "64", "lease": "10s", "lease_margin": "2s", "sweep": "5s", "sweep_old": "60s", "sending_grace": "15s",
               "busy_again": "50ms", "batch_rows": "100", "batch_wait": "5ms", "settle_after": "30s", "settle_interval": "5s"},
    "provider.sandbox": {"timeout": "10s", "connect_timeout": "5s"},
    "log": {"level": "info"},
}
MESSAGES = """
    INSERT INTO followup.account (id, name, postal_address) VALUES (%(account)s, 'Others', '1 Main Street');
    INSERT INTO followup.assistant (account_id, id, name, from_address) VALUES (%(account)s, 1, 'Bob', 'bob@others.example');
    INSERT INTO followup.sequence (account_id, id, name) VALUES (%(account)s, 1, 'Main');
    INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (%(account)s, 1, 1);
    INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text)
    VALUES (%(account)s, 1, 1, 'sequence', 1, 'one', '0', 'Hello', 'Hello {{first_name|there}}');
    INSERT INTO followup.lead (account_id, id, email, state, sub_state, sequence_id, assistant_id)
    SELECT %(account)s, n, 'other' || n || '@others.example', 'active', 'sequence', 1, 1 FROM generate_series(%(first)s, %(last)s) AS n;
    INSERT INTO followup.conversation (account_id, id, lead_id, sequence_id, version, assistant_id, started_at)
    SELECT %(account)s, n, n, 1, 1, 1, now() FROM generate_series(%(first)s, %(last)s) AS n;
    INSERT INTO followup.message (account_id, id, conversation_id, lead_id, kind, version, position, step_key, due_at, planned_reason)
    SELECT %(account)s, n, n, n, 'sequence', 1, 1, 'one', clock_timestamp() + make_interval(secs => %(start)s + (n - %(first)s) / %(rate)s::float8), 'start'
      FROM generate_series(%(first)s, %(last)s) AS n;
    SELECT setval(pg_get_serial_sequence('followup.' || t, 'id'), %(last)s) FROM unnest('{lead,conversation,message,activity}'::text[]) AS t"""
LATE = """
    SELECT count(*), percentile_disc(ARRAY[0.5, 0.99, 0.999, 1]) WITHIN GROUP (ORDER BY round(extract(epoch FROM a.started_at - m.due_at) * 1000, 1))
      FROM followup.message AS m JOIN followup.attempt AS a ON a.account_id = m.account_id AND a.message_id = m.id AND a.no = 1 AND a.post = 1
     WHERE m.account_id = %s AND m.state = 'sent' AND m.due_at >= %s AND m.due_at < %s"""


def run(cluster, folder, args):
    count = args.rate * args.seconds
    Bench(cluster, args.leads, 1, False).fill(WORLDS[args.action])
    with psycopg.connect(cluster.conninfo("filled"), autocommit=True, cursor_factory=psycopg.ClientCursor) as db:
        sandbox, daemon = Sandbox(folder), Daemon(folder, cluster.conninfo("filled"), "http://127.0.0.1:1/")
        try:
            sandbox.start()
            daemon.configure({**CONFIG, "provider.sandbox": {**CONFIG["provider.sandbox"], "url": sandbox.url}})
            bulk, planned = db.execute("SELECT bulk_id, would_be_done FROM followup.bulk_plan(1, %s, '', p_sequence => %s)",
                                       (args.action, 1 if args.action == "start" else None)).fetchone()
            db.execute("SET followup.notify = 'off'; SET ROLE followup_owner")
            db.execute(MESSAGES, {"account": OTHERS, "first": args.leads + 1, "last": args.leads + count, "rate": args.rate,
                                  "start": START_SECONDS + args.leads / LEADS_A_SECOND})
            db.execute("RESET ROLE; RESET followup.notify")
            db.execute("ANALYZE")
            db.execute("CHECKPOINT")
            daemon.start()
            first = db.execute("SELECT min(due_at) FROM followup.message WHERE account_id = %s", (OTHERS,)).fetchone()[0]
            time.sleep(max(0, first.timestamp() + QUIET_SECONDS - time.time()))
            began = db.execute("SELECT followup.bulk_commit(1, %s, %s), followup.now()", (bulk, planned)).fetchone()[1]
            ended = wait_until(lambda: db.execute("SELECT finished_at FROM followup.bulk WHERE account_id = 1 AND id = %s",
                                                  (bulk,)).fetchone()[0], "the bulk is done", 900)
            last = db.execute("SELECT max(due_at) FROM followup.message WHERE account_id = %s", (OTHERS,)).fetchone()[0]
            time.sleep(min(max(0, last.timestamp() - time.time()), AFTER_SECONDS) + 1)
            late = {name: dict(zip(("messages", "ms_p50_p99_p999_max"), db.execute(LATE, (OTHERS, *span)).fetchone()))
                    for name, span in (("before", (first, began)), ("during", (began, ended)), ("after", (ended, last)))}
            unsent = db.execute("SELECT count(*) FROM followup.message WHERE account_id = %s AND state <> 'sent' AND due_at < %s",
                                (OTHERS, ended)).fetchone()[0]
            chunks = db.execute("SELECT count(*), sum(done), round(extract(epoch FROM max(ran_at - before)) * 1000) FROM (SELECT ran_at, done, lag(ran_at) "
                                "OVER (ORDER BY ran_at) AS before FROM followup.bulk_chunk) AS c").fetchone()
            daemon.stop()
        finally:
            daemon.close()
            sandbox.kill()
    for span in late.values():
        span["ms_p50_p99_p999_max"] = [float(ms) for ms in span["ms_p50_p99_p999_max"] or []]
    return {"action": args.action, "leads": int(chunks[1]), "bulk_s": round((ended - began).total_seconds(), 1), "chunks": chunks[0],
            "chunk_ms_max": int(chunks[2] or 0), "rate": args.rate, "unsent": unsent, "late": late,
            "covered": last >= ended}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=200_000)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--action", choices=ACTIONS, default="restart")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with Cluster({**SETTINGS, **KEEPS_WAL}) as cluster, tempfile.TemporaryDirectory(prefix="followupd-beside.") as folder:
        result = run(cluster, folder, args)
    if args.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{result['action']} of {result['leads']} leads: {result['bulk_s']} s, {result['chunks']} chunks, the longest {result['chunk_ms_max']} ms; "
          f"{result['rate']} messages/s beside it{'' if result['covered'] else ', which ended before the bulk'}, {result['unsent']} not sent")
    for name, span in result["late"].items():
        print(f"{name:7}{span['messages']:8} messages late by p50 p99 p99.9 max {span['ms_p50_p99_p999_max']} ms")


if __name__ == "__main__":
    sys.exit(main())
