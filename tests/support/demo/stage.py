"""stage: everything the demo runs on, started and ended in one place: a private PostgreSQL with followupd's schema and a
fast clock, the stand-in provider, the daemon. Nothing is installed, nothing outlives it.

The programs come from FOLLOWUPD_BIN. Business time runs `rate` times faster than real time, in this database only, from
the instant that clock_starts() is called.
"""
import datetime as dt
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))
import cluster as postgres  # noqa: E402  (tests/support is no package)
import schema  # noqa: E402

UTC = dt.timezone.utc
START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 35
DATABASE = "followupd"
ACCOUNT = "Demo"

CONFIGURATION = """\
[database]
conninfo = {conninfo}

[engine]
worker = demo
state_dir = {folder}
provider = sandbox
lease = 5s
settle_after = 400ms
settle_interval = 100ms

[provider.sandbox]
type = generic
url = http://{provider}/send
concurrency_max = 32
rate = 2000/s
timeout = 300ms

[http]
public_url = https://demo.example
"""


class Stage:
    def __init__(self, link=None):
        self.link = link
        self.cluster = postgres.Cluster()
        self.bin = pathlib.Path(os.environ["FOLLOWUPD_BIN"])
        self.sandbox = self.daemon = self.database = None
        self.origin = None

    # --- life -------------------------------------------------------------------------------------------------------

    def __enter__(self):
        try:
            self.cluster.__enter__()
            if self.link:
                self._link()
            self.cluster.createdb(DATABASE)
            self.folder = pathlib.Path(self.cluster.folder, "demo")
            self.folder.mkdir(mode=0o755)
            self.ledger_path = self.folder / "ledger.jsonl"
            schema.load(self.cluster, DATABASE)
            self.database = psycopg.connect(self.cluster.conninfo(DATABASE), autocommit=True)
            return self
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, *exception):
        for process in (self.daemon, self.sandbox):
            end(process)
        if self.database is not None:
            self.database.close()
        if self.link and os.path.islink(self.link):
            os.unlink(self.link)
        self.cluster.__exit__(*exception)

    def _link(self):
        if os.path.islink(self.link):
            os.unlink(self.link)
        os.symlink(self.cluster.folder, self.link)

    # --- the programs -----------------------------------------------------------------------------------------------

    def ctl(self, *words):
        """followupctl, with --json; its answer parsed, its complaint raised."""
        command = [str(self.bin / "followupctl"), "--conninfo", self.cluster.conninfo(DATABASE), "--json"]
        done = subprocess.run([*command, *(str(word) for word in words)], text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"followupctl {' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def start_sandbox(self, *options):
        """The stand-in provider; its port is its own choice."""
        command = [str(self.bin / "followup-sandbox"), "--listen", "127.0.0.1:0", "--ledger", str(self.ledger_path)]
        self.sandbox = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
                                        stderr=open(self.folder / "sandbox.log", "ab"), start_new_session=True,
                                        preexec_fn=postgres.die_with_parent(signal.SIGTERM, os.getpid()))
        line = self.sandbox.stdout.readline()
        if not line.startswith("listening "):
            raise RuntimeError(f"the sandbox did not start: {(self.folder / 'sandbox.log').read_text()}")
        self.provider = line.split()[1]
        conf = CONFIGURATION.format(conninfo=self.cluster.conninfo(DATABASE), folder=self.folder, provider=self.provider)
        (self.folder / "followupd.conf").write_text(conf, encoding="utf-8")

    def start_daemon(self):
        """Returns when its log says that it is up."""
        self.log_path = self.folder / "followupd.log"
        seen = self.log_path.stat().st_size if self.log_path.exists() else 0
        self.daemon = subprocess.Popen([str(self.bin / "followupd"), "--config", str(self.folder / "followupd.conf")],
                                       stdin=subprocess.DEVNULL, stderr=open(self.log_path, "ab"), start_new_session=True,
                                       preexec_fn=postgres.die_with_parent(signal.SIGTERM, os.getpid()))
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.daemon.poll() is None:
            with open(self.log_path, encoding="utf-8") as log:
                log.seek(seen)
                if "followupd_ready" in log.read():
                    return
            time.sleep(0.01)
        raise RuntimeError(f"followupd did not start:\n{self.log_path.read_text()[-4000:]}")

    def kill_daemon(self):
        """kill -9."""
        self.daemon.kill()
        self.daemon.wait()

    def ledger(self):
        """What the stand-in provider accepted so far, oldest first; a line still being written is left for later."""
        if not self.ledger_path.exists():
            return []
        with open(self.ledger_path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    # --- business time ----------------------------------------------------------------------------------------------

    def clock_starts(self, business, rate):
        """From now on it is `business`, and time runs that much faster."""
        real = dt.datetime.now(UTC)
        self.origin = {"business": business.astimezone(UTC).isoformat(), "real": real.isoformat(), "rate": rate}
        schema.fast_clock(self.cluster, DATABASE, business.astimezone(UTC), real, rate)

    def now(self):
        passed = dt.datetime.now(UTC) - dt.datetime.fromisoformat(self.origin["real"])
        return dt.datetime.fromisoformat(self.origin["business"]) + passed * self.origin["rate"]

    def sleep_until(self, business):
        """Until that business instant has come."""
        while (left := (business - self.now()) / self.origin["rate"]) > dt.timedelta():
            time.sleep(min(left.total_seconds(), 0.5))


def end(process):
    """Asks it to stop, and makes it when it does not; by its id."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
