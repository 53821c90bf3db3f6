#!/usr/bin/python3
"""with_schema.py COMMAND...: runs a command beside a throwaway PostgreSQL whose database has the schema.

The command finds it in FOLLOWUPD_TEST_CONNINFO; its exit status is ours.
"""

import subprocess
import sys

import schema
from cluster import Cluster, ClusterError, scratch_folder

DATABASE = "followupd"


def main(command):
    try:
        with Cluster(parent=scratch_folder()) as cluster:
            cluster.createdb(DATABASE)
            schema.load(cluster, DATABASE)
            env = {**cluster.environ(DATABASE), "FOLLOWUPD_TEST_CONNINFO": cluster.conninfo(DATABASE)}
            return subprocess.run(command, env=env, check=False).returncode
    except (ClusterError, schema.SchemaError) as failure:
        print(f"with_schema.py: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
