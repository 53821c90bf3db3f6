#!/usr/bin/python3
"""idle.py: what the statements that the engine repeats by the clock cost PostgreSQL, in microseconds of CPU a call.

Beside nothing at all, and beside a burst: a backlog that is due, of which half is sent. Every call is the daemon's: prepared, on a
connection of its own; user and system time of the backend from /proc.

    bench/sql/idle.py                            20,000 messages due
    bench/sql/idle.py --against ../main          beside the functions of another source tree
"""

import argparse
import datetime
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from send_path import ROOT, SERVER, Cluster, Side, Subject, int8s  # noqa: E402

WARM = 7    # plpgsql settles on its plans at the sixth call


def statements(worker):
    now = datetime.datetime.now(datetime.timezone.utc)
    minute = datetime.timedelta(minutes=1)
    leases = worker.leases
    return {
        "sweep_due": ("SELECT * FROM followup.sweep_due(%b::int4[], %b::timestamptz, %b::timestamptz, NULL, NULL, NULL, 1000)",
                      [leases[1], now - 60 * minute, now + minute]),
        "sweep_sending": ("SELECT * FROM followup.sweep_sending(%b::uuid, %b::int4[], %b::int8[], %b::int8[], %b::int8[], followup.claim_mark(), 30000, 1000)",
                          leases + [int8s([]), int8s([])]),
        "settle_by_policy": ("SELECT * FROM followup.settle_by_policy(%b::uuid, %b::int4[], %b::int8[], 600000, 100)", leases),
        "claim_in_doubt": ("SELECT * FROM followup.claim_in_doubt(%b::uuid, %b::int4[], %b::int8[], %b::text[], %b::int8[], "
                           "'{64}', 5000, 'main')", leases + [["main"], int8s([86400000])]),
        "renew_leases": ("SELECT * FROM followup.renew_leases(%b::uuid, %b::int4[], %b::int8[], 3600000)", leases),
    }


def measure(conninfo, worker, calls):
    figures = {}
    for name, (query, values) in statements(worker).items():
        side = Side(conninfo, query)
        costs = []
        for i in range(WARM + calls):
            before = side.cpu_us()
            side.call(values)
            if i >= WARM:
                costs.append(side.cpu_us() - before)
        figures[name] = statistics.median(costs)
        side.connection.close()
    return figures


def main(args):
    with Cluster(SERVER) as cluster:
        subjects = [Subject(cluster, "other", args.against, None, args)] if args.against else []
        subjects.append(Subject(cluster, "this", ROOT, None, args))
        for subject in subjects:
            conninfo = cluster.conninfo(subject.name)
            due = measure(conninfo, subject.worker, args.calls)
            while subject.refs:
                batch, subject.refs = subject.refs[:500], subject.refs[500:]
                subject.worker.record(subject.worker.claim(batch))
                subject.done += len(batch)
                if subject.done * 2 >= args.messages and subject.done * 2 < args.messages + 1000:
                    half = measure(conninfo, subject.worker, args.calls)
            subject.check()
            sent = measure(conninfo, subject.worker, args.calls)
            for name in due:
                print(f"{subject.name:5}  {name:16}  {due[name]:9.0f}  {half[name]:9.0f}  {sent[name]:9.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=20000)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--calls", type=int, default=5)
    parser.add_argument("--steps", type=int, choices=(1, 2), default=1)
    parser.add_argument("--fresh", action="store_true", help="no ANALYZE")
    parser.add_argument("--order", choices=("planned", "shuffled"), default="planned")
    parser.add_argument("--against", metavar="TREE")
    parser.set_defaults(plans=None)
    print("us of CPU a call:         all due  half sent   all sent")
    main(parser.parse_args())
