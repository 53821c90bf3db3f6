"""bench: what every case has at hand: the programs, the server, the receiver, and where the peers are."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile

import psycopg
from cluster import Cluster
from provider import Provider

BENCH = pathlib.Path(__file__).resolve().parents[1]
ROOT = BENCH.parent
BUILD = ROOT / "build/bench"
RELEASE = ROOT / "build/release"
FOREIGN_CORES_MAX = 0.25
LIBRARIES = {"provider": ["-luv", "-lhttp_parser"], "curlceil": ["-lcurl", "-luv"], "webhooks/post": ["-D_GNU_SOURCE", "-lcrypto"],
             "webhooks/answer": ["-lmicrohttpd"],
             "webhooks/read": ["-D_GNU_SOURCE", f"-I{ROOT}/include", *(RELEASE / f"libfollowupd_{name}.a" for name in ("inbound", "secret", "base")),
                               *"-ljansson -lsodium -lgmime-3.0 -lgio-2.0 -lgobject-2.0 -lglib-2.0 -lcrypto -lm".split()]}

# A durable server, as it comes; only memory and the size of the WAL are raised. Every side of a comparison runs on it,
# over its unix socket.
SETTINGS = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "512MB",
            "max_wal_size": "4GB"}


class Bench:
    """A context: what it starts ends with it."""

    source, build, release = BENCH, BUILD, RELEASE

    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="followupd-bench."))
        self.log = open(self.folder / "log", "w", encoding="utf-8")
        self.details = []
        self.keep_log = False
        self._cluster = self._provider = None

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if self._provider:
            self._provider.__exit__()
        if self._cluster:
            self._cluster.__exit__()
        self.log.close()
        if failure or self.keep_log:
            print(f"bench/run: the log is {self.log.name}", file=self.options.progress)
        else:
            (self.folder / "log").unlink()
            self.folder.rmdir()

    # --- made when first asked for ------------------------------------------------------------------------------------

    @property
    def cluster(self):
        if self._cluster is None:
            self._cluster = Cluster(SETTINGS)
            self._cluster.__enter__()
        return self._cluster

    @property
    def provider(self):
        if self._provider is None:
            self._provider = Provider(self.program("provider"))
        return self._provider

    def program(self, name):
        """A C program of bench/, compiled when it is older than its sources and libraries."""
        source, program = BENCH / f"{name}.c", BUILD / name
        made_of = [source, *source.parent.glob("*.h"), *(word for word in LIBRARIES[name] if isinstance(word, pathlib.Path))]
        if not program.exists() or program.stat().st_mtime < max(path.stat().st_mtime for path in made_of):
            program.parent.mkdir(parents=True, exist_ok=True)
            self.command(["cc", "-O2", "-o", program, source, *LIBRARIES[name]])
        return program

    @property
    def uri(self):
        """Of a database that anybody may fill: as libpq and node both read it."""
        return f"postgres://postgres@localhost/postgres?host={self.cluster.socket_folder}"

    def followupd(self):
        """The command that answers setup, enqueue, work and sent for us."""
        return [BENCH / "peer"]

    def graphile(self):
        """The same for graphile-worker; npm brings it at the first call."""
        folder = BUILD / "graphile"
        manifest = (BENCH / "graphile/package.json").read_text(encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "graphile.mjs").write_text((BENCH / "graphile/graphile.mjs").read_text(encoding="utf-8"), encoding="utf-8")
        installed = folder / "installed.json"
        if not installed.exists() or installed.read_text(encoding="utf-8") != manifest:
            (folder / "package.json").write_text(manifest, encoding="utf-8")
            self.command(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=folder)
            installed.write_text(manifest, encoding="utf-8")
        return [folder / "node_modules/.bin/node", folder / "graphile.mjs"]


    # --- commands -----------------------------------------------------------------------------------------------------

    def command(self, command, seconds_max=600, **more):
        """Its output; raises with the end of its complaint."""
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True, capture_output=True,
                              timeout=seconds_max, check=False, **more)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} exited {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}")
        return done.stdout

    def measured(self, measure):
        """What measure() answers; again, up to --tries times, while other processes were in the way, and then the run that
        they disturbed least."""
        runs = []
        while len(runs) < self.options.tries and not (runs and runs[-1]["foreign_cores"] <= FOREIGN_CORES_MAX):
            runs.append(measure())
        return min(runs, key=lambda run: run["foreign_cores"])

    def psql(self, text, database="postgres", **variables):
        """Its output; `variables` as psql's."""
        options = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
        return self.cluster.psql(*options, dbname=database, text=text)

    @contextlib.contextmanager
    def snapshot(self, database):
        """A transaction elsewhere that keeps its snapshot open, as a report or a backup does."""
        with psycopg.connect(self.cluster.conninfo(database)) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SELECT count(*) FROM followup.account")
            yield

    def vacuum(self, database):
        """As autovacuum would have left it, and no checkpoint due."""
        self.psql("VACUUM (ANALYZE)", database)
        self.psql("CHECKPOINT", database)

    def json(self, command, **more):
        return json.loads(self.command(command, **more))

    def say(self, text):
        """Progress, for whoever waits; the figures go to standard output."""
        if not self.options.quiet:
            print(text, file=self.options.progress, flush=True)


def build():
    """The release build, by its preset."""
    for command in (["cmake", "--preset", "release"], ["cmake", "--build", RELEASE, "-j", str(os.cpu_count())]):
        done = subprocess.run([str(word) for word in command], cwd=ROOT, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
