#!/usr/bin/python3
"""schema: followup's schema in a test's database, and a template of it to copy quickly.

    load(cluster, "one")                  the schema in a database that is there already
    template(cluster)                     makes, once, a database with the schema; answers its name
    fast_clock(cluster, "one", ...)       replaces the clock (sql/demo/fast_clock.sql), as the demo does

`followupctl migrate` loads it where that program has been built (FOLLOWUPD_BIN), so that every test runs on what an
operator would get. Without it the files are run by psql in the same order.
"""

import os
import pathlib
import subprocess

SOURCE = pathlib.Path(os.environ.get("FOLLOWUPD_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
SQL = SOURCE / "sql"
TEMPLATE = "template_followup"
MIGRATE_SECONDS_MAX = 120


class SchemaError(Exception):
    """The schema could not be loaded; the text says which file and why."""


def load(cluster, dbname):
    """Loads the whole schema into an empty database."""
    ctl = program("followupctl")
    if ctl is None:
        _load_files(cluster, dbname)
        return
    done = subprocess.run([ctl, "migrate", "--conninfo", cluster.conninfo(dbname)], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=MIGRATE_SECONDS_MAX, check=False)
    if done.returncode != 0:
        raise SchemaError(f"followupctl migrate exited {done.returncode}: {done.stdout}{done.stderr}")


def template(cluster, extensions=()):
    """The name of a database with the schema, made at the first call; copy it with createdb(name, template=...)."""
    name = "_".join([TEMPLATE, *extensions])
    if cluster.psql("-c", f"SELECT 1 FROM pg_database WHERE datname = '{name}'").strip() != "1":
        making = f"{name}_making"  # renamed when whole, so that a failure half way leaves nothing that looks usable
        cluster.createdb(making)
        try:
            load(cluster, making)
            for extension in extensions:
                cluster.psql("-c", f"CREATE EXTENSION {extension}", dbname=making)
            cluster.psql("-c", f"ALTER DATABASE {making} RENAME TO {name}")
        except BaseException:
            cluster.dropdb(making)
            raise
    return name


def fast_clock(cluster, dbname, business, real, rate):
    """Replaces followup.now() and followup.clock() in this database only: `business` at the instant `real`, and `rate`
    times faster from there on."""
    cluster.psql("-1", "-v", f"business={business.isoformat()}", "-v", f"real={real.isoformat()}", "-v", f"rate={rate}",
                 "-f", str(SQL / "demo/fast_clock.sql"), dbname=dbname)


def program(name):
    """The path of a program that was built, or None."""
    folder = os.environ.get("FOLLOWUPD_BIN")
    path = pathlib.Path(folder, name) if folder else None
    return str(path) if path and os.access(path, os.X_OK) else None


def _load_files(cluster, dbname):
    migrations = sorted((SQL / "migrations").glob("*.sql"))
    if not migrations:
        raise SchemaError(f"no migrations in {SQL / 'migrations'}")
    for file in migrations:
        note = f"INSERT INTO followup.migration (version, name) VALUES ({int(file.name[:4])}, '{file.stem}')"
        cluster.psql("-1", "-f", str(file), "-c", note, dbname=dbname)
    # They call one another: bodies are checked when they run, and none is there unless all are. Owned by followup_owner.
    owned = [file for folder in ("functions", "views", "triggers") for file in sorted((SQL / folder).glob("**/*.sql"))]
    if owned:
        files = [word for file in owned for word in ("-f", str(file))]
        cluster.psql("-1", "-c", "SET check_function_bodies = off; SET ROLE followup_owner", *files, dbname=dbname)
    for file in sorted((SQL / "seed").glob("*.sql")):
        cluster.psql("-1", "-f", str(file), dbname=dbname)
