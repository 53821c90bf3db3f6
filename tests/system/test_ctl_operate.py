"""followupctl's operator verbs against a real server: holds, statuses, pauses, messages moved, CRM rules."""

import json

import pytest

from world import World

SEQUENCE = {
    "name": "Welcome",
    "steps": [
        {"key": "hello", "kind": "sequence", "delay": "2 days", "subject": "Hi {{first_name|there}}", "body_text": "Hello"},
        {"key": "ask", "kind": "follow_up", "delay": "0", "subject": "Well?", "body_text": "Did we help?"},
    ],
}
LEADS = ["ann@x.example", "bob@x.example", "cem@x.example"]


def answer(done):
    return json.loads(done.stdout)


@pytest.fixture
def leads(ctl, tmp_path):
    ctl("account", "add", "Acme", "--timezone", "Europe/Berlin", "--postal-address", "Street 1")
    ctl("assistant", "add", "Ada", "--from-address", "ada@acme.example")
    ctl("user", "add", "Rita", "--email", "rita@acme.example")
    path = tmp_path / "sequence.json"
    path.write_text(json.dumps(SEQUENCE), encoding="utf-8")
    ctl("sequence", "import", path)
    path = tmp_path / "leads.csv"
    path.write_text("email,external_id\n" + "".join(f"{lead},x-{lead[:3]}\n" for lead in LEADS), encoding="utf-8")
    ctl("lead", "import", path, "--sequence", "Welcome")
    return LEADS


def states(database):
    return dict(database.rows("SELECT email, concat_ws('/', state, sub_state, status) FROM followup.lead"))


def due(database, lead):
    return database.rows("SELECT m.due_at FROM followup.message AS m JOIN followup.lead AS l ON l.id = m.lead_id"
                         " WHERE l.email = %s AND m.state = 'scheduled'", lead)[0][0]


def test_hold_and_release_move_the_message_there_and_back(ctl, database, leads):
    before = due(database, leads[0])
    held = answer(ctl("hold", leads[0], "--until", "2036-08-17 08:00", "--note", "on holiday", "--json"))
    assert held["done"] == 1 and due(database, leads[0]).year == 2036
    assert answer(ctl("release", leads[0], "--json"))["done"] == 1
    assert due(database, leads[0]) == before
    assert ctl("release", leads[0], check=False).returncode == 1


def test_hold_by_filter_needs_the_number(ctl, database, leads):
    before = due(database, leads[0])
    assert ctl("hold", "--filter", "state=active", "--yes", "2", check=False).returncode == 2
    assert due(database, leads[0]) == before
    assert answer(ctl("hold", "--filter", "state=active", "--yes", "3", "--json"))["done"] == 3


def test_unbounce_undoes_a_bounce_with_a_note_and_status_shows_a_block(ctl, database, leads):
    first, second = (database.value("SELECT m.id FROM followup.message AS m JOIN followup.lead AS l ON l.id = m.lead_id"
                                    " WHERE l.email = %s AND m.pending", lead) for lead in leads[:2])
    database.rows("UPDATE followup.message SET due_at = followup.now() - interval '1 minute', forced = true WHERE id = ANY (%s)"
                  " RETURNING id", [first, second])
    database.rows("UPDATE followup.message SET state = 'sending', claimed_by = gen_random_uuid(), epoch = 1, claimed_at = clock_timestamp()"
                  " WHERE id = ANY (%s) RETURNING id", [first, second])
    database.rows("SELECT followup.record_bounce(1, %s, 'hard', 'no such user')", first)
    database.rows("SELECT followup.record_bounce(1, %s, 'block', 'spam')", second)
    alerts = answer(ctl("status", "--json"))["alerts"]
    assert [(alert["alert"], alert["times"], alert["detail"]) for alert in alerts] == [("blocked", 1, "spam")]
    refused = ctl("unbounce", leads[0], "--json", check=False)
    assert refused.returncode == 1 and answer(refused)["left_alone"] == {"note_required": 1}
    assert answer(ctl("unbounce", leads[0], "--note", "she called", "--json"))["done"] == 1


def test_reactivate_undoes_a_stop_with_a_note(ctl, database, leads):
    before = due(database, leads[0])
    ctl("stop", leads[0])
    refused = ctl("reactivate", leads[0], "--json", check=False)
    assert refused.returncode == 1 and answer(refused)["left_alone"] == {"note_required": 1}
    assert answer(ctl("reactivate", leads[0], "--note", "a mistake", "--json"))["done"] == 1
    assert due(database, leads[0]) == before


def test_status_and_representative(ctl, database, leads):
    ctl("set-status", leads[0], leads[1], "--status", "disqualified")
    ctl("reassign", leads[2], "--rep", "Rita@acme.example")
    assert states(database)[leads[0]] == "active/sequence/disqualified"
    assert database.rows("SELECT count(*) FROM followup.lead WHERE rep_id IS NOT NULL") == [(1,)]
    ctl("reassign", leads[2], "--nobody")
    assert database.rows("SELECT count(*) FROM followup.lead WHERE rep_id IS NOT NULL") == [(0,)]
    wrong = ctl("set-status", leads[0], "--status", "lukewarm", check=False)
    assert wrong.returncode != 0 and "lukewarm" in wrong.stderr
    assert ctl("reassign", leads[0], check=False).returncode == 2


def test_addresses_are_checked(ctl, database, leads):
    database.rows("INSERT INTO followup.lead (account_id, email) SELECT account_id, 'new@lead.example' FROM followup.lead LIMIT 1")
    ctl("validate", "new@lead.example")
    assert database.value("SELECT sub_state::text FROM followup.lead WHERE email = 'new@lead.example'") == "validating"
    refused = ctl("start", "new@lead.example", "--json", check=False)
    assert refused.returncode == 1 and answer(refused)["left_alone"] == {"validating": 1}
    ctl("record-validation", "new@lead.example", "--verdict", "valid")
    assert database.value("SELECT count(*) FROM followup.lead WHERE email = 'new@lead.example' AND sub_state IS NULL") == 1
    ctl("record-validation", leads[0], "--verdict", "Disposable", "--note", "ten minutes")
    assert states(database)[leads[0]] == "deactivated/Disposable"
    wrong = ctl("record-validation", leads[1], "--verdict", "fine", check=False)
    assert wrong.returncode != 0 and "fine" in wrong.stderr
    assert ctl("record-validation", leads[1], check=False).returncode == 2


def test_a_bulk_leaves_disqualified_leads_out_unless_they_are_asked_for(ctl, database, leads):
    ctl("set-status", leads[0], "--status", "disqualified")
    done = answer(ctl("restart", "--filter", "state=active", "--yes", "2", "--json"))
    assert done["left_alone"] == {"disqualified": 1}
    assert answer(ctl("restart", "--filter", "state=active", "--disqualified", "--yes", "3", "--json"))["done"] == 3
    assert answer(ctl("restart", leads[0], "--json"))["done"] == 1


def test_reschedule_sends_now(ctl, database, leads):
    message = database.rows("SELECT min(id) FROM followup.message")[0][0]
    rows = answer(ctl("reschedule", f"m-{message}", "--force", "--note", "now", "--json"))
    assert rows[0]["done"] and rows[0]["message_id"] == message
    assert database.rows("SELECT forced AND due_at <= followup.now() FROM followup.message WHERE id = %s", message) == [(True,)]
    assert ctl("reschedule", "17x", check=False).returncode == 2
    assert ctl("reschedule", "999999", check=False).returncode == 1


def test_pause_and_resume(ctl, database, leads):
    assert "nothing is in flight" in ctl("pause", "--assistant", "Ada").stdout
    assert database.rows("SELECT count(*) FROM followup.message_to_load") == [(0,)]
    ctl("resume", "--assistant", "Ada")
    assert database.rows("SELECT count(*) FROM followup.message_to_load") == [(3,)]
    assert ctl("resume", check=False).returncode == 1
    assert ctl("pause", "--assistant", "Nobody", check=False).returncode != 0


def test_suppress_stops_the_lead_of_the_address(ctl, database, leads):
    ctl("suppress", leads[1].upper(), "--note", "asked by phone")
    assert states(database)[leads[1]] == "stopped"
    assert "No lead has this address" in ctl("suppress", "zoe@x.example").stdout


def test_crm_rules_of_the_account_and_built_in(ctl, database, leads):
    rules = answer(ctl("crm", "rules", "--source", "HigherGear", "--json"))
    assert len(rules) == 21 and [r["value"] for r in rules if r["action"] == "stop"] == ["7", "8", "9", "10", "11"]
    assert ctl("crm", "rule", "HigherGear", "9", "none", check=False).returncode == 1
    ctl("crm", "status", "HigherGear", "x-ann", "12")
    assert "done the same" in ctl("crm", "replay").stdout
    ctl("crm", "rule", "HigherGear", "12", "skip_to_follow_up")
    assert [r["would"] for r in answer(ctl("crm", "replay", "--json"))] == ["skip to the follow-up"]
    ctl("crm", "status", "HigherGear", "x-bob", "12")
    ctl("crm", "status", "HigherGear", "x-cem", "9")
    assert states(database) == {leads[0]: "active/sequence", leads[1]: "active/follow_up", leads[2]: "stopped"}
    assert ctl("crm", "status", "HigherGear", "x-zoe", "9", check=False).returncode == 1


def test_check_says_what_is_broken(ctl, database):
    world = World(database)
    account = world.account()
    lead, = world.leads(account)
    world.act("start_follow_up", account, [lead])
    assert ctl("check").stdout == "11 of 11 invariants hold\n"
    assert ctl("check", "--full").stdout == "13 of 13 invariants hold\n"
    database.rows("SET session_replication_role = replica; UPDATE followup.message SET state = 'cancelled'")
    done = ctl("check", check=False)
    assert done.returncode == 1
    assert "nothing_scheduled: 1 times" in done.stdout and f"of account {account}" in done.stdout
    assert "10 of 11 invariants hold" in done.stdout
    assert {"nothing_scheduled"} == {row["invariant"] for row in json.loads(ctl("check", "--json", check=False).stdout) if row["broken"]}
    database.rows("SET session_replication_role = replica; UPDATE followup.message SET state = 'scheduled'")


def test_stop_is_granted_to_a_copy_of_a_profile(ctl, leads):
    ctl("profile", "copy", "closer", "--from", "rep")
    assert "stop" in ctl("profile", "grant", "closer", "stop").stdout
    ctl("user", "add", "Cleo", "--email", "cleo@acme.example", "--profile", "closer")
    assert [row["permissions"].split()[-1] for row in answer(ctl("profile", "list", "--json")) if row["name"] == "closer"] == ["stop"]
    ctl("profile", "grant", "closer", "stop", "--revoke")
    done = ctl("profile", "grant", "rep", "stop", check=False)
    assert done.returncode != 0 and 'profile "rep" is built in' in done.stderr
