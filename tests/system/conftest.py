"""What a system test is given. Each database, sandbox and daemon is the test's own and gone after it.

    cluster    one PostgreSQL server for the file
    database   a database with the schema loaded: .conninfo, .connect(), .rows(sql, *params), .value(sql, *params)
    sandbox    the stand-in provider, running;  sandbox_factory(args=[...]) for others
    daemon     daemon(): a followupd on that database and sandbox, ready;  daemon(start=False, label="b", config={...})
    ctl        ctl("lead", "list", "--json"): followupctl on that database; answers the finished process

A test's folder (tmp_path) lies beside the database, in memory where there is room, so that no disk holds up a ledger that is
written through; those of a run that failed stay. A test has 150 s unless it is marked with @pytest.mark.timeout(SECONDS).
"""

import datetime as dt
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import psycopg
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

# pylint: disable=wrong-import-position
import schema  # noqa: E402
from cluster import Cluster, scratch_folder  # noqa: E402
from processes import Daemon, ProgramError, Sandbox  # noqa: E402

TEST_SECONDS_MAX = 150
CTL_SECONDS_MAX = 60


@pytest.hookimpl(tryfirst=True)  # before pytest reads where tmp_path begins
def pytest_configure(config):
    if config.option.basetemp is None:
        config.option.basetemp = tempfile.mkdtemp(prefix="fu-test.", dir=scratch_folder())
    config.addinivalue_line("markers", "timeout(seconds): how long the test may take, fixtures included")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ctest's patience is at an end: tidy up


def pytest_sessionfinish(session, exitstatus):
    if exitstatus == pytest.ExitCode.OK:
        shutil.rmtree(session.config.option.basetemp, ignore_errors=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    marker = item.get_closest_marker("timeout")
    seconds = marker.args[0] if marker else TEST_SECONDS_MAX

    def over(_number, _frame):
        pytest.fail(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


class Database:
    """A database of the test's own."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        self.excused = []  # invariants that a test breaks on purpose, by the clock it sets

    @property
    def conninfo(self):
        return self.cluster.conninfo(self.name)

    def connect(self, **kwargs):
        """A connection in autocommit; use `with conn.transaction():` for more than one statement."""
        return psycopg.connect(self.conninfo, **{"autocommit": True, **kwargs})

    def rows(self, sql, *params):
        """Runs one statement on a connection of its own; [] when it answers no rows."""
        with self.connect() as conn:
            cursor = conn.execute(sql, params or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, *params):
        """The first column of the only row."""
        rows = self.rows(sql, *params)
        assert len(rows) == 1, f"{len(rows)} rows instead of one: {sql}"
        return rows[0][0]

    def broken_invariants(self):
        """What may never be and is: (invariant, how often, examples) a row."""
        return self.rows("SELECT invariant, broken, examples FROM followup.invariants(true)"
                         " WHERE broken > 0 AND invariant <> ALL (%s)", self.excused)

    def fast_clock(self, rate, business=None):
        """Business time as in the demo, in this database only; before a daemon is started. Answers the clock that turns
        the real time of a ledger line into business time."""
        real = dt.datetime.now(dt.timezone.utc)
        business = business or real
        schema.fast_clock(self.cluster, self.name, business, real, rate)
        return lambda at_us: business + (dt.datetime.fromtimestamp(at_us / 1e6, dt.timezone.utc) - real) * rate


@pytest.fixture(scope="session")
def cluster():
    with Cluster(parent=scratch_folder()) as server:
        yield server


@pytest.fixture
def database(cluster, request):
    name = f"test_{request.node.name}"[:40].lower().replace("[", "_").replace("]", "")
    cluster.createdb(name, template=schema.template(cluster))
    one = Database(cluster, name)
    yield one
    broken = one.broken_invariants()
    cluster.dropdb(name)
    assert not broken, f"the test left behind what may never be: {broken}"


@pytest.fixture
def sandbox_factory(tmp_path):
    made = []

    def make(args=(), label=None, start=True):
        one = Sandbox(tmp_path, args, label or f"sandbox{len(made) or ''}")
        made.append(one)
        return one.start() if start else one

    yield make
    _end(made)


@pytest.fixture
def sandbox(sandbox_factory):
    return sandbox_factory()


@pytest.fixture
def daemon(tmp_path, database, sandbox):
    made = []

    def make(label=None, config=None, start=True, conninfo=None, url=None, **kwargs):
        one = Daemon(tmp_path, conninfo or database.conninfo, url or sandbox.url, label or f"followupd{len(made) or ''}",
                     config, **kwargs)
        made.append(one)
        return one.start() if start else one

    yield make
    for one in made:
        if one.running:
            one.thaw()
    _end(made)


@pytest.fixture
def ctl(database):
    def call(*args, check=True, text=None):
        path = schema.program("followupctl")
        if path is None:
            raise ProgramError(f"followupctl is not built (FOLLOWUPD_BIN={os.environ.get('FOLLOWUPD_BIN')})")
        done = subprocess.run([path, *map(str, args), "--conninfo", database.conninfo], text=True, input=text or "",
                              capture_output=True, check=False, timeout=CTL_SECONDS_MAX)
        if check and done.returncode != 0:
            raise ProgramError(f"followupctl {' '.join(map(str, args))} exited {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    return call


def _end(programs):
    """Stops what is running, newest first. One that does not stop well fails the test, after all have been ended."""
    failures = []
    for one in reversed(programs):
        try:
            one.stop()
        except ProgramError as failure:
            failures.append(str(failure).split("\n", 1)[0])
        finally:
            getattr(one, "close", one.kill)()
            print(one.log_tail())  # shown by pytest only when the test failed
    if failures:
        pytest.fail("; ".join(failures))
