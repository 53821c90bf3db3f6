"""The throwaway server itself: every other test stands on these."""

import os
import pathlib
import signal
import subprocess
import sys

import psycopg
import pytest
from processes import wait_until

CLUSTER = pathlib.Path(__file__).resolve().parents[1] / "support/cluster.py"

HOLD_A_CLUSTER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from cluster import Cluster
with Cluster() as cluster:
    print(cluster.pid, cluster.folder, flush=True)
    time.sleep(600)
"""


def dead(pid):
    """Gone, or a zombie that whoever adopted it has not looked at yet."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def holder():
    """A process with a cluster of its own: (process, postmaster's pid, folder)."""
    process = subprocess.Popen([sys.executable, "-c", HOLD_A_CLUSTER, str(CLUSTER.parent)], stdout=subprocess.PIPE, text=True)
    pid, folder = process.stdout.readline().split()
    assert not dead(int(pid)) and os.path.isdir(folder)
    return process, int(pid), folder


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_server_and_folder_go_with_their_parent(number):
    process, pid, folder = holder()
    process.send_signal(number)
    process.communicate()
    wait_until(lambda: dead(pid), "the server has ended")
    wait_until(lambda: not os.path.exists(folder), "the folder is gone")


def test_committed_rows_survive_kill_and_start(cluster):
    cluster.createdb("survivor")
    with psycopg.connect(cluster.conninfo("survivor"), autocommit=True) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 1 AS one")
        cluster.kill()
        with pytest.raises(psycopg.OperationalError):
            conn.execute("SELECT 1")
    cluster.start()
    with psycopg.connect(cluster.conninfo("survivor")) as conn:
        assert conn.execute("SELECT one FROM kept").fetchall() == [(1,)]
    cluster.dropdb("survivor")


def test_copy_of_a_database_is_its_own(cluster):
    cluster.createdb("original")
    cluster.psql("-c", "CREATE TABLE t AS SELECT 1 AS i", dbname="original")
    cluster.createdb("copy", template="original")
    cluster.psql("-c", "UPDATE t SET i = 2", dbname="copy")
    assert cluster.psql("-c", "SELECT i FROM t", dbname="original") == "1\n"
    assert cluster.psql("-c", "SELECT i FROM t", dbname="copy") == "2\n"
    cluster.dropdb("copy")
    cluster.dropdb("original")


def test_psql_stops_at_the_first_error(cluster):
    with pytest.raises(Exception, match="division by zero"):
        cluster.psql(text="SELECT 1/0; CREATE TABLE after_error (i int);")
    assert cluster.psql("-c", "SELECT to_regclass('after_error') IS NULL") == "t\n"


@pytest.mark.parametrize("script, status", [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 128 + 15)])
def test_run_answers_the_exit_status_of_its_command(script, status):
    assert subprocess.run([CLUSTER, "run", "--", "bash", "-c", script], check=False).returncode == status


def test_run_links_and_points_its_command_to_the_server(tmp_path):
    link = tmp_path / "here"
    script = 'test -d "$1/data" && psql -XAtc "SELECT current_database()" && psql -XAt -c "SHOW work_mem" "$FOLLOWUPD_CONNINFO"'
    done = subprocess.run([CLUSTER, "run", "--database", "mine", "--link", link, "--set", "work_mem=5MB", "--",
                           "bash", "-c", script, "bash", link], check=False, text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "mine\n5MB\n", "")
    assert not os.path.lexists(link)
