#!/usr/bin/python3
"""cluster: a PostgreSQL server of one's own, thrown away at the end. Tests and the demo run on it.

    with Cluster() as cluster:                       # initdb and start: about 0.7 s
        cluster.createdb("one")
        psycopg.connect(cluster.conninfo("one"))

    cluster.py run [--database NAME] [--link PATH] [--set name=value] -- COMMAND...

Everything lies in one folder, /var/tmp/followupd.XXXXXX: data/, socket/, postgresql.log. It listens on a unix socket
only and lets in whoever may enter the folder. PostgreSQL refuses to run as root, so root drops to user postgres, who
could not enter a home of mode 0700: hence /var/tmp. An ordinary user runs it as himself. The superuser is `postgres`.
Tests lay theirs into memory (parent=scratch_folder()): a database is some thousand files, and the suite makes hundreds.

The server never outlives us: the kernel sends it SIGINT (fast shutdown) when the thread that started it ends, however
that came about, so start it from the main thread. A watcher removes the folder when we could not do it ourselves.
"""

import argparse
import contextlib
import ctypes
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOCKET_PATH_BYTES_MAX = 107  # struct sockaddr_un on Linux, less its closing NUL
DISK_FOLDER = "/var/tmp"
MEMORY_FOLDER = "/dev/shm"
MEMORY_BYTES_MIN = 6 << 30  # two suites side by side with 1 GB of WAL each, and as much again
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
PORT = 5432  # names the socket file; nothing listens on a network port
PR_SET_PDEATHSIG = 1
STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}

SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "max_connections": 200,
    "shared_buffers": "64MB",
    "fsync": "off",  # thrown away anyway; a killed server still recovers, only a power cut would not
    "full_page_writes": "off",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%a ",
    "unix_socket_permissions": "0700",
}


class ClusterError(Exception):
    """The server did not do what was asked; the text holds the end of its log."""


def scratch_folder():
    """Where what a test throws away lies: in memory, which no other program's disk writes hold up, where there is room."""
    with contextlib.suppress(OSError):
        room = os.statvfs(MEMORY_FOLDER)
        with open("/proc/meminfo", encoding="ascii") as meminfo:
            available = next(int(line.split()[1]) * 1024 for line in meminfo if line.startswith("MemAvailable:"))
        if os.access(MEMORY_FOLDER, os.W_OK | os.X_OK) and min(room.f_bavail * room.f_frsize, available) >= MEMORY_BYTES_MIN:
            return MEMORY_FOLDER
    return DISK_FOLDER


def postgres_bin():
    """The folder of PostgreSQL's programs: version 15, else the newest that is installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    for path in ["/usr/lib/postgresql/15/bin"] + found[::-1]:
        if os.access(os.path.join(path, "initdb"), os.X_OK):
            return path
    raise ClusterError("no PostgreSQL server in /usr/lib/postgresql: run scripts/install-dependencies")


def die_with_parent(sig, parent_pid):
    """A preexec_fn that makes the kernel send sig to the child when the thread that forked it ends."""
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare():
        if libc.prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0) != 0 or os.getppid() != parent_pid:
            os._exit(127)  # the parent is gone already, so no signal would ever come

    return prepare


class Cluster:
    """One server in one folder. Not for use from several threads at once."""

    def __init__(self, settings=None, parent=DISK_FOLDER):
        self.settings = {**SETTINGS, **(settings or {})}
        self.parent = parent
        self.bin = postgres_bin()
        self.folder = None
        self.process = None
        self._watcher = None

    # --- life ---------------------------------------------------------------------------------------------------

    def __enter__(self):
        try:
            self.create()
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def create(self):
        """Makes the folder and the data directory; the server is not started."""
        self.folder = tempfile.mkdtemp(prefix="followupd.", dir=self.parent)  # mode 0700
        socket_path = f"{self.socket_folder}/.s.PGSQL.{PORT}"
        if len(socket_path.encode()) > SOCKET_PATH_BYTES_MAX:
            raise ClusterError(f"socket path over {SOCKET_PATH_BYTES_MAX} bytes: {socket_path}")
        os.mkdir(self.socket_folder, 0o700)
        if self._user:
            for path in (self.folder, self.socket_folder):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        self._watch()
        self._as_server_user(["initdb", "-D", self.data_folder, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8",
                              "--locale=C.UTF-8", "--no-instructions"])
        self.set(**self.settings, unix_socket_directories=self.socket_folder)

    def set(self, **settings):
        """Adds settings; the last one of a name wins. They act from the next start, restart or reload on."""
        with open(f"{self.data_folder}/postgresql.conf", "a", encoding="utf-8") as conf:
            for name, value in settings.items():
                conf.write("{} = '{}'\n".format(name, str(value).replace("'", "''")))

    def start(self):
        """Returns when the server takes connections."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            log_start = self._log_size()
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(
                    [f"{self.bin}/postgres", "-D", self.data_folder], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd=self.folder, start_new_session=True, preexec_fn=die_with_parent(signal.SIGINT, os.getpid()),
                    **self._identity())
            while self.process.poll() is None and time.monotonic() < deadline:
                if self._ready():
                    return
                time.sleep(0.01)
            if self.process.poll() is None:
                self.kill()
                raise ClusterError(f"the server was not ready within {START_SECONDS_MAX} s\n{self.log_tail()}")
            self.process = None
            # Processes of a killed server live on for a moment and hold its shared memory; they end by themselves.
            if b"still in use" not in self._log_since(log_start) or time.monotonic() > deadline:
                raise ClusterError(f"the server did not start\n{self.log_tail()}")
            time.sleep(0.05)

    def stop(self, mode="fast"):
        """smart waits for clients to leave, fast ends them, immediate crashes and recovers at the next start."""
        if self.process is None:
            return
        self.process.send_signal(STOP_SIGNALS[mode])
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ClusterError(f"a {mode} stop took over {STOP_SECONDS_MAX} s\n{self.log_tail()}") from None
        self.process = None

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def reload(self):
        """Reads the settings again; the server applies them on its own time."""
        self.process.send_signal(signal.SIGHUP)

    def kill(self):
        """kill -9 of the postmaster. Its children notice and end; start() recovers."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self):
        """Ends the server and removes the folder; fine to call twice."""
        try:
            self.stop("immediate" if sys.exc_info()[0] else "fast")
        finally:
            if self.folder is not None:
                shutil.rmtree(self.folder, ignore_errors=True)
            if self._watcher is not None:
                self._watcher.stdin.close()
                self._watcher.wait()
                self._watcher = None
            self.folder = None

    # --- use ----------------------------------------------------------------------------------------------------

    def conninfo(self, dbname="postgres", **extra):
        """A libpq connection string; extra keywords such as application_name or options are added."""
        words = {"host": self.socket_folder, "port": PORT, "user": "postgres", "dbname": dbname, **extra}
        return " ".join("{}='{}'".format(key, str(value).replace("\\", "\\\\").replace("'", "\\'"))
                        if not str(value).replace("/", "").replace(".", "").replace("_", "").isalnum()
                        else f"{key}={value}" for key, value in words.items())

    def environ(self, dbname="postgres", base=None):
        """The environment in which libpq's programs, and ours, find this database."""
        env = {key: value for key, value in (os.environ if base is None else base).items() if not key.startswith("PG")}
        return {**env, "PGHOST": self.socket_folder, "PGPORT": str(PORT), "PGUSER": "postgres", "PGDATABASE": dbname,
                "FOLLOWUPD_CONNINFO": self.conninfo(dbname), "FOLLOWUPD_CLUSTER": self.folder}

    def psql(self, *args, dbname="postgres", text=None):
        """psql without a .psqlrc that stops at the first error; returns its output, raises with its complaint."""
        done = subprocess.run([f"{self.bin}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *args], input=text, text=True,
                              env=self.environ(dbname), capture_output=True, check=False)
        if done.returncode != 0:
            raise ClusterError(f"psql on {dbname}: {done.stderr.strip()}")
        return done.stdout

    def createdb(self, name, template=None):
        """A new database, a copy of template when one is named; nobody may be connected to the template."""
        self.psql("-c", f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(template or 'template1')}")
        return name

    def dropdb(self, name):
        """Drops it if it is there, and ends whoever is connected."""
        self.psql("-c", f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    def log_tail(self, lines=40):
        with contextlib.suppress(FileNotFoundError), open(self.log_path, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])
        return "(no log)"

    @property
    def pid(self):
        """Of the postmaster; None while it is down."""
        return self.process.pid if self.process else None

    @property
    def data_folder(self):
        return f"{self.folder}/data"

    @property
    def socket_folder(self):
        return f"{self.folder}/socket"

    @property
    def log_path(self):
        return f"{self.folder}/postgresql.log"

    # --- inside -------------------------------------------------------------------------------------------------

    @property
    def _user(self):
        """Whom root becomes for the server; None: we run it as ourselves."""
        return pwd.getpwnam("postgres") if os.geteuid() == 0 else None

    def _identity(self):
        user = self._user
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}

    def _as_server_user(self, command):
        done = subprocess.run([f"{self.bin}/{command[0]}", *command[1:]], cwd=self.folder, text=True, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
                              **self._identity())
        if done.returncode != 0:
            raise ClusterError(f"{command[0]} failed: {done.stderr.strip()}")

    def _watch(self):
        """A process that sees only our end: its input closes when we are gone, and it removes what we left behind."""
        script = 'cat >/dev/null; for i in $(seq 100); do [ -e "$1/data/postmaster.pid" ] || break; sleep 0.1; done; rm -rf "$1"'
        self._watcher = subprocess.Popen(["/bin/sh", "-c", script, "watch-cluster", self.folder], stdin=subprocess.PIPE,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                                         start_new_session=True)

    def _ready(self):
        """The eighth line of postmaster.pid says so, the first one that it is ours and not a dead server's."""
        with contextlib.suppress(OSError), open(f"{self.data_folder}/postmaster.pid", encoding="utf-8") as file:
            lines = file.read().splitlines()
            return len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"
        return False

    def _log_size(self):
        with contextlib.suppress(FileNotFoundError):
            return os.path.getsize(self.log_path)
        return 0

    def _log_since(self, offset):
        with open(self.log_path, "rb") as log:
            log.seek(offset)
            return log.read()


def _quoted(name):
    return '"' + name.replace('"', '""') + '"'


# --- the command --------------------------------------------------------------------------------------------------


def run(command, database, link, settings):
    """Runs command beside a new cluster and answers its exit status; 128 + signal when one ended it."""
    child = None

    def pass_on(number, _frame):
        if child is None:
            raise SystemExit(128 + number)
        if number != signal.SIGINT:  # a terminal's Ctrl-C reaches the child by itself; here we only stay to tidy up
            child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(Cluster(settings))
        if database != "postgres":
            cluster.createdb(database)
        if link:
            _link(link, cluster.folder)
            stack.callback(_unlink, link, cluster.folder)
        child = subprocess.Popen(command, env=cluster.environ(database),
                                 preexec_fn=die_with_parent(signal.SIGTERM, os.getpid()))
        status = child.wait()
        return status if status >= 0 else 128 - status


def _link(path, target):
    if os.path.islink(path):
        os.unlink(path)
    os.symlink(target, path)


def _unlink(path, target):
    with contextlib.suppress(OSError):
        if os.readlink(path) == target:  # another run may have taken the name over
            os.unlink(path)


def main():
    parser = argparse.ArgumentParser(prog="cluster.py", description="Runs a command beside a throwaway PostgreSQL.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("run", help="run COMMAND with PGHOST, PGUSER, PGDATABASE and FOLLOWUPD_CONNINFO set")
    verb.add_argument("--database", default="followupd", help="created empty (default: followupd)")
    verb.add_argument("--link", metavar="PATH", help="a symbolic link to the cluster's folder while it lives")
    verb.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="a setting of the server")
    verb.add_argument("command", nargs="+", metavar="COMMAND")
    args = parser.parse_args()
    settings = {}
    for pair in args.set:
        name, equals, value = pair.partition("=")
        if not equals:
            parser.error(f"--set wants NAME=VALUE, not '{pair}'")
        settings[name] = value
    try:
        return run(args.command, args.database, args.link, settings)
    except (ClusterError, OSError) as failure:
        print(f"cluster.py: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
