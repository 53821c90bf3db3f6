#!/usr/bin/python3
"""replies.py: what it costs to read a reply (read_reply), CPU of the server's process.

A throwaway server with one account reads the labelled replies of tests/data/replies.json one after the other in one session, as a
worker does: its 32 compiled regular expressions are what it costs most to lose.

    bench/sql/replies.py
"""

import json
import pathlib
import sys

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/system")]
import schema  # noqa: E402
from cluster import Cluster  # noqa: E402
from test_replies import REPLIES, reading  # noqa: E402


def main():
    with Cluster() as cluster:
        cluster.createdb("read")
        schema.load(cluster, "read")
        with psycopg.connect(cluster.conninfo("read"), autocommit=True) as db:
            account = db.execute("SELECT followup.add_account('Acme', 'Europe/Berlin', p_postal_address => 'Street 1')").fetchone()[0]
            stat = pathlib.Path(f"/proc/{db.info.backend_pid}/schedstat")
            spent = []
            for reply in REPLIES:
                before = int(stat.read_text(encoding="ascii").split()[0])
                reading(db, account, reply)
                spent.append((int(stat.read_text(encoding="ascii").split()[0]) - before) / 1e6)
        rest = sorted(spent[1:])
        print(f"{len(spent)} replies: the first of a session {spent[0]:.0f} ms of CPU, then {sum(rest) / len(rest):.1f} ms on average, "
              f"median {rest[len(rest) // 2]:.1f} ms, at most {rest[-1]:.0f} ms")


if __name__ == "__main__":
    main()
