#!/usr/bin/python3
"""run_pgtap.py FILE...: runs pgTAP files through pg_prove on a throwaway server.

Every file has a database of its own, a copy of one with the schema and pgTAP, so a file may commit what it likes. It says
how many tests it has: of `SELECT is(...) FROM t WHERE ...` nothing is left, and nothing fails, when no row is as it should be.
"""

import os
import pathlib
import signal
import subprocess
import sys

import schema
from cluster import Cluster, ClusterError, die_with_parent, scratch_folder

JOBS = 2


def main(files):
    if not files:
        print("run_pgtap.py: no files", file=sys.stderr)
        return 2
    for file in files:
        if "no_plan()" in pathlib.Path(file).read_text(encoding="utf-8"):
            print(f"run_pgtap.py: {file}: no_plan() lets tests vanish; say plan(N)", file=sys.stderr)
            return 2
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    own_database = pathlib.Path(__file__).with_name("psql_own_database.sh")
    try:
        with Cluster(parent=scratch_folder()) as cluster:
            name = schema.template(cluster, extensions=["pgtap"])
            env = {**cluster.environ("postgres"), "FOLLOWUPD_TEMPLATE": name, "FOLLOWUPD_PSQL": f"{cluster.bin}/psql"}
            prove = subprocess.run(["pg_prove", "--psql-bin", str(own_database), "--jobs", str(JOBS), "--timer", *files],
                                   env=env, stdin=subprocess.DEVNULL, check=False,
                                   preexec_fn=die_with_parent(signal.SIGTERM, os.getpid()))
            return prove.returncode
    except (ClusterError, schema.SchemaError) as failure:
        print(f"run_pgtap.py: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
