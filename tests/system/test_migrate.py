"""migrate, on databases that somebody has worked with: what is missing is run, what is not ours is refused, nobody waits behind it."""
import json
import subprocess

import pytest

import schema

# Before a body was a column of its attempt (0017), places had a lock of their own, the inbox, the replies and all that came later.
EARLY = 13
WORLD = """
INSERT INTO followup.account (id, name, postal_address) VALUES (1, 'Acme', '1 Main St'), (2, 'Other', '2 Main St');
INSERT INTO followup.profile (account_id, name, builtin, permissions) SELECT a, 'rep', true, '{skip}' FROM generate_series(1, 2) AS a;
INSERT INTO followup.app_user (account_id, id, name, email) SELECT a, a, 'Rita', 'rita@a.example' FROM generate_series(1, 2) AS a;
INSERT INTO followup.assistant (account_id, id, name, from_address, daily_cap) SELECT a, a, 'Ann', 'ann@a.example', CASE a WHEN 1 THEN 50 END FROM generate_series(1, 2) AS a;
INSERT INTO followup.sequence (account_id, id, name) SELECT a, a, 'Main' FROM generate_series(1, 2) AS a;
INSERT INTO followup.sequence_version (account_id, sequence_id, version) SELECT a, a, 1 FROM generate_series(1, 2) AS a;
INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text)
SELECT a, a, 1, 'sequence', n, 'step' || n, '2 days', 'S', 'B' FROM generate_series(1, 2) AS a, generate_series(1, 2) AS n;
INSERT INTO followup.lead (account_id, id, email, state, sub_state) SELECT a, a * 100 + n, 'l' || n || '@l.example', 'active', 'sequence'
  FROM generate_series(1, 2) AS a, generate_series(1, 20) AS n;
INSERT INTO followup.conversation (account_id, id, lead_id, sequence_id, version, assistant_id, next_position, started_at)
SELECT account_id, id, id, account_id, 1, account_id, 3, now() FROM followup.lead;
INSERT INTO followup.message (account_id, id, conversation_id, lead_id, kind, version, position, step_key, due_at, state, attempts, posts, epoch,
                              claimed_by, claimed_at, sent_at, finished_at, cap_assistant_id, cap_day)
SELECT account_id, id, id, id, 'sequence', 1, 1, 'step1', now() - interval '1 hour', 'sent', 1, 1, 1, gen_random_uuid(), now(), now(), now(),
       CASE account_id WHEN 1 THEN 1 END, CASE account_id WHEN 1 THEN current_date END FROM followup.lead;
INSERT INTO followup.message (account_id, id, conversation_id, lead_id, kind, version, position, step_key, due_at, cap_assistant_id, cap_day)
SELECT account_id, id + 1000, id, id, 'sequence', 1, 2, 'step2', now() + interval '2 days', CASE account_id WHEN 1 THEN 1 END,
       CASE account_id WHEN 1 THEN current_date + 2 END FROM followup.lead;
INSERT INTO followup.cap_use (account_id, assistant_id, day, used) SELECT 1, 1, current_date + d, 20 FROM unnest(ARRAY[0, 2]) AS d;
INSERT INTO followup.attempt (account_id, message_id, no, post, epoch, outcome, http_status, started_at, ended_at)
SELECT account_id, id, 1, 1, 1, 'sent', 200, now(), now() FROM followup.message WHERE state = 'sent';
INSERT INTO followup.message_body (account_id, message_id, subject, text) SELECT account_id, id, 'S', 'As it left ' || id FROM followup.message WHERE state = 'sent';
INSERT INTO followup.provider_event (account_id, provider, event_id, kind, message_id, occurred_at, applied_at)
SELECT account_id, 'p', 'e' || id, 'delivered', id, now(), now() FROM followup.message WHERE state = 'sent';
INSERT INTO followup.reply (account_id, lead_id, received_at, outcome) VALUES (1, 101, now(), 'keep_messaging');
INSERT INTO followup.suppression (account_id, address, reason, source) VALUES (1, 'nobody@l.example', 'asked', 'test');
INSERT INTO followup.holiday (account_id, date, name) VALUES (1, '2030-01-01', 'New year');
"""
CATALOG = [
    "SELECT oid::regprocedure::text, prosecdef, proconfig::text, md5(prosrc) FROM pg_proc WHERE pronamespace = 'followup'::regnamespace",
    "SELECT pg_get_triggerdef(t.oid), '', '', '' FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid WHERE c.relnamespace = 'followup'::regnamespace AND NOT t.tgisinternal",
    "SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod) || a.attnotnull, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute AS a"
    " JOIN pg_class AS c ON c.oid = a.attrelid LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " WHERE c.relnamespace = 'followup'::regnamespace AND c.relkind IN ('r', 'v', 'c') AND a.attnum > 0 AND NOT a.attisdropped",
    "SELECT indexdef, '', '', '' FROM pg_indexes WHERE schemaname = 'followup'",
    "SELECT conrelid::regclass::text, pg_get_constraintdef(oid), '', '' FROM pg_constraint WHERE connamespace = 'followup'::regnamespace",
    "SELECT c.relname, c.relrowsecurity, c.reloptions::text, (SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM unnest(c.relacl) AS x) FROM pg_class AS c WHERE c.relnamespace = 'followup'::regnamespace",
    "SELECT tablename, policyname, roles::text, qual FROM pg_policies WHERE schemaname = 'followup'",
    "SELECT version::text, name, '', '' FROM followup.migration",
]


def migrate(cluster, name):
    return subprocess.run([schema.program("followupctl"), "migrate", "--json", "--conninfo", cluster.conninfo(name)], text=True,
                          capture_output=True, check=False, timeout=60)


def catalog(cluster, name):
    return {line for query in CATALOG for line in cluster.psql("-c", query, dbname=name).splitlines()}


@pytest.fixture
def early(cluster):
    """A database of the early migrations, with data."""
    cluster.createdb("early")
    files = [file for file in sorted((schema.SQL / "migrations").glob("*.sql")) if int(file.name[:4]) <= EARLY]
    for file in files:
        cluster.psql("-1", "-f", str(file), "-c", f"INSERT INTO followup.migration (version, name) VALUES ({int(file.name[:4])}, '{file.name}')", dbname="early")
    cluster.psql(text=WORLD, dbname="early")
    yield "early"
    cluster.dropdb("early")


def test_an_early_database_with_data_comes_to_the_last_schema_and_keeps_it(cluster, early):
    done = migrate(cluster, early)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["version_before"] == EARLY
    cluster.createdb("fresh")
    assert migrate(cluster, "fresh").returncode == 0
    assert catalog(cluster, early) ^ catalog(cluster, "fresh") == set()
    cluster.dropdb("fresh")
    assert cluster.psql("-c", "SELECT count(*), count(DISTINCT text) FROM followup.message_body WHERE text = 'As it left ' || message_id", dbname=early) == "40|40\n"
    assert cluster.psql("-c", "SELECT invariant, examples FROM followup.invariants(true) WHERE broken > 0", dbname=early) == ""
    assert cluster.psql("-c", "SELECT count(*) FROM followup.stop_messaging(1, ARRAY[101]) WHERE done", dbname=early) == "1\n"


def test_a_migration_that_is_missing_is_run_though_later_ones_are_there(cluster, database):
    before = database.rows("SELECT version, name FROM followup.migration ORDER BY 1")
    database.rows("DELETE FROM followup.migration WHERE version = 61")
    done = migrate(cluster, database.name)
    assert done.returncode == 0 and json.loads(done.stdout)["migrations"] == 1, done.stderr
    assert json.loads(done.stdout)["version"] == before[-1][0]
    assert database.rows("SELECT version, name FROM followup.migration ORDER BY 1") == before


@pytest.mark.parametrize("version, name", [(61, "0061_of_somebody_else.sql"), (15, "0015_never_ours.sql")])
def test_a_migration_that_is_not_this_programs_is_named_and_refused(cluster, database, version, name):
    database.rows("INSERT INTO followup.migration (version, name) VALUES (%s, %s) ON CONFLICT (version) DO UPDATE SET name = excluded.name", version, name)
    database.rows("DELETE FROM followup.migration WHERE version = 70")
    done = migrate(cluster, database.name)
    assert done.returncode == 1 and name in done.stderr, done.stderr
    assert database.value("SELECT count(*) FROM followup.migration WHERE version = 70") == 0, "nothing was run"


def test_no_migration_is_run_while_somebody_works(cluster, database, daemon):
    one = daemon()
    assert migrate(cluster, database.name).returncode == 0, "functions alone may be loaded beside it"
    database.rows("DELETE FROM followup.migration WHERE version = 61")
    done = migrate(cluster, database.name)
    assert done.returncode == 1 and "stop every followupd" in done.stderr, done.stderr
    assert database.value("SELECT count(*) FROM followup.migration WHERE version = 61") == 0
    one.stop()
    assert migrate(cluster, database.name).returncode == 0


def test_what_a_dump_does_not_bring_to_a_new_server_is_granted_again(cluster, database):
    database.rows("REVOKE SET ON PARAMETER followup.quiet FROM followup_owner")
    done = migrate(cluster, database.name)
    assert done.returncode == 0, done.stderr


def test_behind_a_dump_it_gives_up_and_says_so(cluster, database):
    with database.connect(autocommit=False) as dump:
        dump.execute("LOCK TABLE followup.message IN ACCESS SHARE MODE")
        done = migrate(cluster, database.name)
        assert done.returncode == 1 and "sql/triggers/" in done.stderr and "in use" in done.stderr, done.stderr
    assert migrate(cluster, database.name).returncode == 0
