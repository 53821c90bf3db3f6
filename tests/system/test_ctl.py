"""followupctl against a real server: what it does, what it refuses, what it leaves untouched."""

import json
import subprocess

import pytest

import schema
from processes import wait_until

SEQUENCE = {
    "name": "Welcome",
    "steps": [
        {"key": "hello", "kind": "sequence", "delay": "2 days", "subject": "Hi {{first_name|there}}", "body_text": "Hello"},
        {"key": "again", "kind": "sequence", "delay": "1 day", "subject": "Again", "body_text": "Hello again"},
        {"key": "ask", "kind": "follow_up", "delay": "0", "subject": "Well?", "body_text": "Did we help?"},
    ],
}
LEADS = ["ann@x.example", "bob@x.example", "cem@x.example", "dora@x.example", "eva@x.example"]


def answer(done):
    return json.loads(done.stdout)


@pytest.fixture
def account(ctl, tmp_path):
    """An account with an assistant and a sequence."""
    ctl("account", "add", "Acme", "--timezone", "Europe/Berlin", "--postal-address", "Street 1")
    ctl("assistant", "add", "Ada", "--from-address", "ada@acme.example")
    path = tmp_path / "sequence.json"
    path.write_text(json.dumps(SEQUENCE), encoding="utf-8")
    ctl("sequence", "import", path)
    return "Acme"


@pytest.fixture
def leads(ctl, tmp_path, account):
    """Five started leads."""
    path = tmp_path / "five.csv"
    path.write_text("email,country\n" + "".join(f"{lead},{'DE' if lead < 'c' else 'FR'}\n" for lead in LEADS), encoding="utf-8")
    ctl("lead", "import", path, "--sequence", "Welcome")
    return LEADS


def states(database):
    return dict(database.rows("SELECT email, concat_ws('/', state, sub_state) FROM followup.lead"))


# --- migrate ----------------------------------------------------------------------------------------------------------


def test_migrate_twice_changes_nothing(ctl, database):
    before = database.rows("SELECT * FROM followup.migration ORDER BY 1")
    done = answer(ctl("migrate", "--json"))
    assert done["migrations"] == 0 and done["version"] == done["version_before"] == before[-1][0]
    assert database.rows("SELECT * FROM followup.migration ORDER BY 1") == before


def test_migrate_makes_everything_the_owners(database):
    strays = database.rows("SELECT p.oid::regprocedure::text FROM pg_proc AS p WHERE p.pronamespace = 'followup'::regnamespace"
                           " AND p.proowner <> 'followup_owner'::regrole")
    assert strays == []


def test_migrate_puts_a_changed_function_back(ctl, database):
    database.rows("CREATE OR REPLACE FUNCTION followup.require_account(p_account bigint) RETURNS void LANGUAGE sql AS ''")
    ctl("migrate")
    with pytest.raises(Exception, match="there is no account 0"):
        database.rows("SELECT followup.require_account(0)")


def test_migrate_forgets_a_zone_that_the_server_no_longer_knows(ctl, database):
    database.rows("INSERT INTO followup.timezone (key, name) VALUES ('europe/atlantis', 'Europe/Atlantis')")
    ctl("migrate")
    assert database.rows("SELECT followup.known_timezone('Europe/Atlantis'), followup.known_timezone('Europe/Rome')") == [(False, True)]


def test_migrate_refuses_a_replaced_clock(ctl, database):
    database.fast_clock(10)
    done = ctl("migrate", check=False)
    assert done.returncode == 1 and "the clock of this database is replaced" in done.stderr


def test_migrate_refuses_a_database_that_cannot_hold_every_name(cluster):
    cluster.psql("-c", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    done = subprocess.run([schema.program("followupctl"), "migrate", "--conninfo", cluster.conninfo("latin")],
                          capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1 and "UTF8" in done.stderr
    cluster.dropdb("latin")


def test_a_newer_database_is_refused_by_every_verb(ctl, database):
    database.rows("INSERT INTO followup.migration (version, name) VALUES (9999, 'from the future')")
    for words in (["migrate"], ["status"]):
        done = ctl(*words, check=False)
        assert done.returncode == 1 and "schema version 9999" in done.stderr, done.stderr


def test_without_a_schema_it_says_what_to_do(cluster):
    cluster.createdb("empty_one")
    done = subprocess.run([schema.program("followupctl"), "--conninfo", cluster.conninfo("empty_one"), "status"],
                          text=True, capture_output=True, check=False)
    assert done.returncode == 1 and "run followupctl migrate" in done.stderr


def test_a_failed_migration_leaves_nothing_and_names_its_file(cluster):
    cluster.createdb("in_the_way")
    cluster.psql("-c", "CREATE SCHEMA followup", "-c", "CREATE TABLE followup.account ()", dbname="in_the_way")
    done = subprocess.run([schema.program("followupctl"), "--conninfo", cluster.conninfo("in_the_way"), "migrate"],
                          text=True, capture_output=True, check=False)
    assert done.returncode == 1 and "sql/migrations/0001_types_and_roles.sql: " in done.stderr
    assert cluster.psql("-Atc", "SELECT count(*) FROM pg_class WHERE relnamespace = 'followup'::regnamespace", dbname="in_the_way").strip() == "1"


# --- accounts and sequences -------------------------------------------------------------------------------------------


def test_accounts_users_and_assistants_are_added_and_listed(ctl, account):
    assert answer(ctl("user", "add", "Rita", "--email", "rita@acme.example", "--profile", "manager", "--json"))["name"] == "Rita"
    assert [user["profile"] for user in answer(ctl("user", "list", "--json"))] == ["manager"]
    assert [a["timezone"] for a in answer(ctl("account", "list", "--json"))] == ["Europe/Berlin"]
    assert [a["from_address"] for a in answer(ctl("assistant", "list", "--json"))] == ["ada@acme.example"]
    [administrator] = [p for p in answer(ctl("profile", "list", "--json")) if p["name"] == "administrator"]
    assert administrator["permissions"] in ctl("profile", "list").stdout, "the last column is shown whole"
    done = ctl("account", "add", "acme", check=False)
    assert done.returncode == 1 and 'there is an account "acme" already' in done.stderr


def test_with_two_accounts_one_must_be_named(ctl, account):
    ctl("account", "add", "Zeta")
    done = ctl("lead", "list", check=False)
    assert done.returncode == 2 and "which account?" in done.stderr and "Acme, Zeta" in done.stderr
    assert answer(ctl("--account", "zeta", "lead", "list", "--json")) == []


def test_a_sequence_goes_in_and_comes_out_the_same(ctl, account, tmp_path):
    shown = ctl("sequence", "show", "Welcome", "--json").stdout
    assert [step["key"] for step in json.loads(shown)["steps"]] == ["hello", "again", "ask"]
    path = tmp_path / "shown.json"
    path.write_text(shown, encoding="utf-8")
    assert answer(ctl("sequence", "import", path, "--json")) == {"sequence_id": json.loads(shown)["sequence_id"], "version": 1,
                                                                 "steps": 3, "changed": False}


@pytest.mark.parametrize("text, complaint", [
    ('{"name": "W",\n "steps": [}', "bad.json:2: "),
    ('{"name": "W", "name": "V"}', "duplicate"),
    (json.dumps({"name": "W", "steps": [{**SEQUENCE["steps"][0], "subject": "{{first name}}"}]}),
     'bad.json: step 1 (hello) subject: "{{first name}}" is no merge tag'),
])
def test_a_bad_sequence_is_told_by_its_place(ctl, account, tmp_path, text, complaint):
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    done = ctl("sequence", "import", path, check=False)
    assert done.returncode == 2 and complaint in done.stderr


# --- import -----------------------------------------------------------------------------------------------------------

MIXED = ('email,first_name,timezone,shoe\n'
         'ann@x.example,"Ann, the ""first""",Europe/Paris,42\n'
         'not an address,B,,\n'
         'cem@x.example,C,Mars/Olympus,\n'
         'dora@x.example,"D"x,,\n'
         'ANN@x.example,Again,,\n'
         'eva@x.example\n')


def test_refused_lines_are_told_and_kept_and_can_be_mended(ctl, database, account, tmp_path):
    path = tmp_path / "leads.csv"
    path.write_bytes(b"\xef\xbb\xbf" + MIXED.encode())
    done = answer(ctl("lead", "import", path, "--sequence", "Welcome", "--json"))
    assert (done["lines"], done["imported"], done["refused"]) == (6, 2, 4)
    assert [(d["line"], d["outcome"]) for d in done["details"]] == [
        (3, "refused"), (4, "imported"), (5, "refused"), (6, "refused"), (7, "refused")]
    assert [d["reason"] for d in done["details"]] == [
        "email: is not an address", 'timezone: "Mars/Olympus" is unknown, the account\'s is used',
        "field 2: something follows its closing quote", "email: line 2 has the same address", "1 fields where the header has 4"]
    assert database.rows("SELECT email, first_name, timezone, fields->>'shoe', state::text FROM followup.lead ORDER BY 1") == [
        ("ann@x.example", 'Ann, the "first"', "Europe/Paris", "42", "active"), ("cem@x.example", "C", None, None, "active")]
    refused = tmp_path / "leads.refused.csv"
    assert done["refused_file"] == str(refused)
    lines = refused.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "email,first_name,timezone,shoe,refused_because"
    assert lines[1] == 'not an address,B,,,email: is not an address'
    refused.write_text("\n".join([lines[0], lines[1].replace("not an address", "bea@x.example")]), encoding="utf-8")
    assert answer(ctl("lead", "import", refused, "--json"))["imported"] == 1
    assert database.value("SELECT fields FROM followup.lead WHERE email = 'bea@x.example'") == {}


def test_a_refused_line_stays_one_line_of_its_file_round_after_round(ctl, database, account, tmp_path):
    header, far = 'email,"Company, legal",shoe', 'far@x.example,A,"B ""b""",C'
    bad, dora = 'bad,"Acme, Inc.",42', 'dora@x.example,"D"x,'
    path, refused, again = (tmp_path / f"leads{name}.csv" for name in ("", ".refused", ".refused.refused"))
    path.write_text("\n".join([header, bad, dora, "eva@x.example", far, ""]), encoding="utf-8")
    assert ctl("lead", "import", path, check=False).returncode == 1
    header, bad, dora = (f"{header},refused_because", f"{bad},email: is not an address",
                         f"{dora},field 2: something follows its closing quote")
    assert refused.read_text(encoding="utf-8").splitlines() == [
        header, bad, dora, "eva@x.example,,,1 fields where the header has 3", f"{far},4 fields where the header has 3"]
    done = answer(ctl("lead", "import", refused, "--json"))
    assert (done["imported"], done["refused"]) == (1, 3)
    assert again.read_text(encoding="utf-8").splitlines() == [header, bad, dora, f"{far},5 fields where the header has 4"]
    mended = again.read_text(encoding="utf-8").replace("\nbad,", "\nbea@x.example,").replace('"D"x', '"D""x"').replace(',C', '')
    again.write_text(mended, encoding="utf-8")
    assert answer(ctl("lead", "import", again, "--json"))["imported"] == 3
    assert database.rows("SELECT email, fields->>'Company, legal', fields->>'shoe' FROM followup.lead ORDER BY 1") == [
        ("bea@x.example", "Acme, Inc.", "42"), ("dora@x.example", 'D"x', None), ("eva@x.example", None, None),
        ("far@x.example", "A", 'B "b"')]


def test_strict_imports_nothing_when_one_line_is_refused(ctl, database, account, tmp_path):
    path = tmp_path / "leads.csv"
    path.write_text("email\n" + "".join(f"l{i}@x.example\n" for i in range(2500)) + "bad\n", encoding="utf-8")
    done = ctl("lead", "import", path, "--strict", "--json", check=False)
    assert done.returncode == 1 and answer(done)["refused"] == 1 and answer(done)["written"] is False
    assert database.value("SELECT count(*) FROM followup.lead") == 0


def test_many_lines_are_one_import(ctl, database, account, tmp_path):
    path = tmp_path / "leads.csv"
    path.write_text("email\n" + "".join(f"l{i}@x.example\n" for i in range(2500)) + "l0@x.example\n", encoding="utf-8")
    done = answer(ctl("lead", "import", path, "--sequence", "Welcome", "--duplicates", "update", "--json"))
    assert (done["imported"], done["updated"], done["refused"]) == (2500, 0, 1)
    assert database.value("SELECT count(*) FROM followup.message WHERE state = 'scheduled'") == 2500
    assert answer(ctl("lead", "import", path, "--duplicates", "skip", "--json"))["skipped"] == 2501


@pytest.mark.parametrize("content, complaint", [
    (b"", "line 1: the file is empty"),
    (b"name\nx\n", 'line 1: there is no column "email"'),
    (b"email\n\"a@x.example\n", "line 2: a quote is never closed; nothing was imported"),
    (b"email,email\n", 'line 1: column "email" is there twice'),
])
def test_a_file_that_is_no_list_of_leads_is_told(ctl, database, account, tmp_path, content, complaint):
    path = tmp_path / "leads.csv"
    path.write_bytes(content)
    done = ctl("lead", "import", path, check=False)
    assert done.returncode == 2 and complaint in done.stderr
    assert database.value("SELECT count(*) FROM followup.lead") == 0


# --- actions ----------------------------------------------------------------------------------------------------------


def test_actions_by_id_and_address_answer_each_lead(ctl, database, leads):
    bob = database.value("SELECT id FROM followup.lead WHERE email = 'bob@x.example'")
    done = answer(ctl("skip", "ann@x.example", bob, "--note", "asked on the phone", "--json"))
    assert done["done"] == 2 and [lead["email"] for lead in done["leads"]] == ["ann@x.example", "bob@x.example"]
    assert all(lead["done"] and lead["message_id"] for lead in done["leads"])
    again = ctl("skip", "ann@x.example", 999999, "--json", check=False)
    assert again.returncode == 1
    assert answer(again)["left_alone"] == {"already_follow_up": 1, "not_found": 1}
    assert database.value("SELECT count(*) FROM followup.activity WHERE action = 'skip' AND note = 'asked on the phone'") == 2


def test_an_erased_lead_is_gone_and_its_stop_is_not(ctl, database, leads, tmp_path):
    ctl("stop", "ann@x.example")
    assert answer(ctl("erase", "ann@x.example", "--note", "asked by letter", "--json"))["done"] == 1
    assert database.rows("SELECT actor, note FROM followup.activity WHERE action = 'erase'") == [("sql:postgres", "asked by letter")]
    assert "ann@x.example" not in states(database)
    again = tmp_path / "again.csv"
    again.write_text("email\nann@x.example\n", encoding="utf-8")
    ctl("lead", "import", again, "--sequence", "Welcome")
    assert states(database)["ann@x.example"] == "new"
    assert answer(ctl("start", "ann@x.example", "--sequence", "Welcome", "--json", check=False))["left_alone"] == {"suppressed": 1}


def test_an_unknown_address_stops_the_whole_call(ctl, database, leads):
    done = ctl("stop", "ann@x.example", "nobody@x.example", check=False)
    assert done.returncode == 1 and "there is no lead nobody@x.example" in done.stderr
    assert set(states(database).values()) == {"active/sequence"}


def test_by_filter_the_right_number_is_needed(ctl, database, leads):
    for count in ("2", "4", "x", "-3"):
        done = ctl("stop", "--filter", "country=FR", "--yes", count, check=False)
        assert done.returncode == 2, count
    assert "3 leads, not 4" in ctl("stop", "--filter", "country=FR", "--yes", "4", check=False).stderr
    assert set(states(database).values()) == {"active/sequence"}
    assert answer(ctl("stop", "--filter", "country=FR", "--yes", "3", "--json"))["done"] == 3
    assert list(states(database).values()).count("stopped") == 3


def test_by_filter_it_shows_counts_and_asks(ctl, database, leads):
    ctl("stop", "ann@x.example")
    done = ctl("restart", "--filter", "sequence=Welcome", text="", check=False)
    assert done.returncode == 2 and "4 would be done; left alone: 1 stopped" in done.stderr
    done = ctl("restart", "--filter", "sequence=Welcome", text="5\n", check=False)
    assert done.returncode == 2 and "nothing is changed" in done.stderr
    assert database.value("SELECT count(*) FROM followup.conversation") == 5
    done = ctl("restart", "--filter", "sequence=Welcome", text="4\n")
    assert "4 restarted; left alone: 1 stopped" in done.stdout
    assert database.value("SELECT count(*) FROM followup.conversation") == 9


def test_a_filter_that_means_nobody_does_nothing(ctl, leads):
    for more in ([], ["--yes", "3"]):
        done = ctl("stop", "--filter", "status=hot_lead", *more, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == 'followupctl: nothing is changed: no lead meets the filter "status=hot_lead"\n'
    done = ctl("stop", "--filter", "status=lukewarm", check=False)
    assert done.returncode == 2 and 'filter term 1 "status=lukewarm"' in done.stderr


@pytest.fixture
def empty(database, account):
    """A sequence that has no steps yet."""
    database.rows("WITH s AS (INSERT INTO followup.sequence (account_id, name) SELECT id, 'Empty' FROM followup.account RETURNING *)"
                  " INSERT INTO followup.sequence_version (account_id, sequence_id, version) SELECT account_id, id, 1 FROM s RETURNING 1")
    return "Empty"


@pytest.mark.parametrize("words, complaint", [
    (["restart", "ann@x.example", "bob@x.example", "--at", "2020-01-01"], "the instant is in the past"),
    (["restart", "--filter", "country=FR", "--at", "2020-01-01", "--yes", "3"], "the instant is in the past"),
    (["restart", "--filter", "country=FR", "--at", "2020-01-01"], "the instant is in the past"),
    (["hold", "ann@x.example", "--until", "2020-01-01"], "the instant is in the past"),
    (["restart", "ann@x.example", "--sequence", "Empty"], "no sequence with steps is named"),
    (["restart", "--filter", "country=FR", "--sequence", "Empty", "--yes", "3"], "no sequence with steps is named"),
    (["restart", "--filter", "country=FR", "--sequence", "Empty"], "no sequence with steps is named"),
    (["stop", "--filter", "country=FR", "--yes", "4"], "3 leads, not 4: 3 would be done"),
], ids=" ".join)
def test_a_call_that_cannot_be_meant_is_one_sentence(ctl, database, leads, empty, words, complaint):
    for form in ([], ["--json"]):
        done = ctl(*words, *form, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"followupctl: nothing is changed: {complaint}\n"
    assert database.value("SELECT count(*) FROM followup.message") == 5
    assert set(states(database).values()) == {"active/sequence"}


def test_a_message_is_not_moved_into_the_past(ctl, database, leads):
    message = database.value("SELECT min(id) FROM followup.message")
    done = ctl("reschedule", message, "--at", "2020-01-01", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "followupctl: nothing is changed: the instant is in the past\n")


def test_a_sequence_without_steps_takes_no_import_and_no_bulk(ctl, database, leads, empty, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text("email\nfay@x.example\n", encoding="utf-8")
    for words in (["lead", "import", path, "--sequence", "Empty"], ["bulk", "plan", "restart", "--filter", "", "--sequence", "Empty"]):
        done = ctl(*words, check=False)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "has no steps" in done.stderr
    assert database.rows("SELECT (SELECT count(*) FROM followup.lead), (SELECT count(*) FROM followup.bulk)") == [(5, 0)]


def test_what_was_tried_and_taken_back_is_not_told_to_the_daemon(ctl, database, leads):
    told = []
    with database.connect() as listener:
        listener.add_notify_handler(lambda note: told.append(note.payload))
        listener.execute("LISTEN followup")
        ctl("stop", "--filter", "country=FR", "--yes", "1", check=False)
        ctl("stop", "ann@x.example")
        wait_until(lambda: listener.execute("SELECT 1") and told, "a notification of the stop")
    message = database.value("SELECT m.id FROM followup.message AS m JOIN followup.lead AS l ON l.id = m.lead_id"
                             " WHERE l.email = 'ann@x.example'")
    assert len(told) == 1 and told[0].split()[0] == "m" and told[0].split()[2] == str(message), told


def test_at_is_read_in_the_accounts_zone(ctl, database, leads):
    ctl("skip", "ann@x.example")
    year = database.value("SELECT extract(year FROM followup.now())::int") + 1
    done = answer(ctl("restart", "ann@x.example", "--at", f"{year}-01-10 09:00", "--json"))
    due = database.value("SELECT due_at AT TIME ZONE 'Europe/Berlin' FROM followup.message WHERE id = %s", done["leads"][0]["message_id"])
    assert (due.month, due.day, due.hour) in ((1, 10, 9), (1, 12, 9))
    assert ctl("restart", "ann@x.example", "--at", "soonish", check=False).returncode == 2


def test_start_and_continue(ctl, database, leads, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text("email\nzoe@x.example\n", encoding="utf-8")
    ctl("lead", "import", path)
    assert answer(ctl("start", "zoe@x.example", "--sequence", "Welcome", "--assistant", "Ada", "--json"))["done"] == 1
    done = ctl("start", "zoe@x.example", "--sequence", "Nothing", check=False)
    assert done.returncode == 1 and 'there is no sequence "Nothing"' in done.stderr
    done = ctl("continue", "zoe@x.example", "--json", check=False)
    assert done.returncode == 1 and answer(done)["left_alone"] == {"already_active": 1}


# --- looking ----------------------------------------------------------------------------------------------------------


def test_preview_shows_what_is_scheduled(ctl, database, leads):
    shown = answer(ctl("preview", "ann@x.example", "--json"))
    assert [line["step_key"] for line in shown] == ["hello", "again"]
    assert shown[0]["message_id"] == database.value("SELECT m.id FROM followup.message AS m JOIN followup.lead AS l ON l.id = m.lead_id"
                                                    " WHERE l.email = 'ann@x.example'")


def test_explain_says_why_not_yet(ctl, database, leads):
    message = database.value("SELECT m.id FROM followup.message AS m JOIN followup.lead AS l ON l.id = m.lead_id "
                                 "WHERE l.email = 'ann@x.example' AND m.pending")
    database.rows("UPDATE followup.message SET due_at = followup.now() + '3 hours'::interval WHERE id = %s", message)
    database.rows("UPDATE followup.account SET paused_at = clock_timestamp()")
    causes = [line["cause"] for line in answer(ctl("explain", f"m-{message}", "--json"))]
    assert causes[0].startswith("due later: planned for ")
    assert causes[1] == "the account is paused"
    assert causes[2].startswith("no worker: ")
    shown = ctl("explain", message).stdout
    assert shown.splitlines()[0].split() == ["cause", "clears_at"] and "the account is paused" in shown
    unknown = ctl("explain", 424242, check=False)
    assert (unknown.returncode, unknown.stdout) == (2, "") and "has no message 424242" in unknown.stderr
    wrong = ctl("explain", "tomorrow", check=False)
    assert wrong.returncode == 2 and '"tomorrow" is not an id' in wrong.stderr


def test_forecast_counts_what_will_leave(ctl, database, leads):
    hours = answer(ctl("forecast", "--days", 30, "--json"))
    assert sum(hour["messages"] for hour in hours) == database.value(
        "SELECT count(*) FROM followup.lead AS l CROSS JOIN LATERAL followup.preview(l.account_id, l.id)")
    assert all(hour["assistant"] for hour in hours)
    assert "messages" in ctl("forecast").stdout
    for days in ("0", "400", "soon", ""):
        wrong = ctl("forecast", "--days", days, check=False)
        assert wrong.returncode == 2 and "366" in wrong.stderr, days
    database.rows("UPDATE followup.account SET paused_at = clock_timestamp()")
    assert ctl("forecast").stdout == "Nothing will leave in these days.\n"


def test_lists_pages_and_one_lead(ctl, leads):
    rows = answer(ctl("lead", "list", "country=FR", "--json"))
    assert [row["email"] for row in rows] == LEADS[2:]
    assert [row["email"] for row in answer(ctl("lead", "list", "country=FR", "--after", rows[0]["lead_id"], "--limit", "1", "--json"))] == [LEADS[3]]
    table = ctl("lead", "list").stdout.splitlines()
    assert len(table) == 6 and table[0].split()[:2] == ["lead_id", "email"]
    lead = answer(ctl("lead", "show", "BOB@x.example", "--json"))
    assert lead["state"] == "active" and {entry["what"] for entry in lead["timeline"]} == {"message", "action"}
    assert ctl("lead", "show", "nobody@x.example", check=False).returncode == 1


def test_what_the_database_holds_cannot_move_the_cursor(ctl, database, leads):
    database.rows("UPDATE followup.lead SET external_id = E'\\x1b[2J', timezone = E'\\x1b[31m' WHERE email = 'ann@x.example'")
    assert "\x1b" not in ctl("lead", "show", "ann@x.example").stdout


def test_a_sequence_shows_no_control_characters(ctl, account, tmp_path):
    """They are somebody else's texts, and a terminal obeys them."""
    path = tmp_path / "sequence.json"
    path.write_text(json.dumps({"name": "Odd", "steps": [{"key": "one", "kind": "sequence", "delay": "0", "subject": "S",
                                                          "body_text": "\x1b[2Jfirst\nsecond\x9b31m"}]}), encoding="utf-8")
    ctl("sequence", "import", path)
    shown = ctl("sequence", "show", "Odd").stdout
    assert "  | ?[2Jfirst\n  | second?31m\n" in shown and "\x1b" not in shown


def server_ends(database):
    """The trigger function public.ends: it ends the session that calls it."""
    database.rows("CREATE FUNCTION public.ends() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$"
                  " BEGIN PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(60); RETURN NULL; END $$")


@pytest.mark.parametrize("table, words", [
    ("suppression", ["suppress", "ann@x.example"]),
    ("activity", ["stop", "ann@x.example"]),
    ("lead", ["lead", "import", "more.csv"]),
], ids=["a function", "an action", "an import"])
def test_a_connection_that_breaks_in_the_commit_leaves_open_whether_it_was_done(ctl, database, leads, tmp_path, table, words):
    """The server ends in the commit itself, so nothing is done; the one who asked cannot know that."""
    path = tmp_path / "more.csv"
    path.write_text("email\nnew@x.example\n", encoding="utf-8")
    words = [str(path) if word == "more.csv" else word for word in words]
    server_ends(database)
    database.rows(f"CREATE CONSTRAINT TRIGGER ends AFTER INSERT ON followup.{table} DEFERRABLE INITIALLY DEFERRED"
                  " FOR EACH ROW EXECUTE FUNCTION public.ends()")
    done = ctl(*words, check=False)
    assert done.returncode == 1 and "it is not known whether this was done, look before you repeat it: " in done.stderr
    assert set(states(database).values()) == {"active/sequence"} and len(states(database)) == len(leads)


def test_a_connection_that_breaks_before_the_commit_has_done_nothing(ctl, database, leads):
    server_ends(database)
    database.rows("CREATE TRIGGER ends AFTER INSERT ON followup.activity FOR EACH ROW EXECUTE FUNCTION public.ends()")
    done = ctl("stop", "ann@x.example", check=False)
    assert done.returncode == 1 and "no connection to the database" in done.stderr and "not known" not in done.stderr


def test_a_bulk_is_planned_committed_run_and_undone(ctl, database, leads):
    refused = ctl("bulk", "plan", "erase", "--filter", "", check=False)
    assert refused.returncode == 2 and 'there is no action "erase"' in refused.stderr
    empty = ctl("bulk", "plan", "stop", "--filter", "company=nobody", check=False)
    assert empty.returncode == 2 and "no lead meets the filter" in empty.stderr
    plan = answer(ctl("bulk", "plan", "stop", "--filter", "", "--json"))[0]
    assert (plan["leads"], plan["would_be_done"], plan["left_alone"]) == (5, 5, {})
    bulk = plan["bulk_id"]
    wrong = ctl("bulk", "commit", bulk, "--yes", "4", check=False)
    assert wrong.returncode == 2 and "planned for 5 leads, not 4" in wrong.stderr
    assert answer(ctl("bulk", "commit", bulk, "--yes", "5", "--json"))[0]["state"] == "running"
    done = answer(ctl("bulk", "run", bulk, "--json"))[0]
    assert (done["state"], done["done"], done["chunks"]) == ("done", 5, "1/1")
    assert database.value("SELECT count(*) FROM followup.lead WHERE state = 'stopped'") == 5
    assert ctl("bulk", "undo", bulk, check=False).returncode == 2, "a note is needed to undo a stop"
    ctl("bulk", "undo", bulk, "--note", "wrong filter")
    assert answer(ctl("bulk", "run", bulk, "--json"))[0]["undone"] == 5
    assert database.value("SELECT count(*) FROM followup.lead WHERE state = 'active'") == 5
    assert ctl("bulk", "cancel", bulk, check=False).returncode == 2
    assert answer(ctl("bulk", "status", "--json"))[0]["state"] == "undone"
    assert ctl("bulk", "status", "999", check=False).returncode == 2


def test_over_ten_thousand_leads_are_sent_to_bulk(ctl, database, leads):
    database.rows("INSERT INTO followup.lead (account_id, email) SELECT account_id, 'n' || n || '@x.example' "
                  "FROM (SELECT account_id FROM followup.lead LIMIT 1) AS a, generate_series(1, 10000) AS n")
    refused = ctl("start", "--filter", "created>=2000-01-01", "--yes", "10005", check=False)
    assert refused.returncode == 2 and "bulk plan start --filter 'created>=2000-01-01'" in refused.stderr


def test_status_counts(ctl, leads):
    shown = answer(ctl("status", "--json"))
    assert [(a["account"], a["leads"], a["active"]) for a in shown["accounts"]] == [("Acme", 5, 5)]
    assert shown["workers"] == []
    assert "No worker" in ctl("status").stdout


@pytest.mark.parametrize("words, complaint", [
    (["explode"], 'there is no verb "explode"'),
    (["lead", "explode"], 'there is no verb "lead explode"'),
    (["lead"], "lead what?"),
    (["lead", "show"], "lead show is called with: ID|EMAIL"),
    (["status", "--filter", "x"], "status has no option --filter"),
    (["stop", "1", "--filter", "state=new"], "one of the two"),
    (["stop"], "one of the two"),
    (["lead", "list", "--limit", "1", "--limit", "2"], "--limit is given twice"),
    (["lead", "list", "--json=x"], "--json takes no value"),
])
def test_a_wrong_call_is_told_and_exits_2(ctl, account, words, complaint):
    done = ctl(*words, check=False)
    assert done.returncode == 2 and complaint in done.stderr and done.stdout == ""


def test_every_verb_explains_itself(ctl):
    lines = [line for line in ctl("--help").stdout.splitlines() if line.startswith("  ") and not line.startswith("  --")]
    verbs = [line[2:19].strip() for line in lines]
    assert len(verbs) >= 19
    for verb in verbs:
        assert f"followupctl {verb}" in ctl(*verb.split(), "--help").stdout


def test_an_operator_who_is_no_superuser_sees_and_acts(cluster, database, ctl, leads):
    cluster.psql("-c", "DROP ROLE IF EXISTS ops", "-c", "CREATE ROLE ops LOGIN IN ROLE followup_admin")
    call = [schema.program("followupctl"), "--conninfo", database.conninfo.replace("user=postgres", "user=ops"), "--json"]
    assert "user=ops" in call[2]
    rows = subprocess.run([*call, "lead", "list"], text=True, capture_output=True, check=True).stdout
    assert len(json.loads(rows)) == 5
    subprocess.run([*call, "stop", "ann@x.example"], text=True, capture_output=True, check=True)
    assert database.value("SELECT actor FROM followup.activity WHERE action = 'stop'") == "sql:ops"
