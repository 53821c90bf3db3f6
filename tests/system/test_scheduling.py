"""What is planned leaves at its instant, however the plan came about, and the database itself tells the wheel."""
import datetime as dt

import pytest

from processes import wait_until
from world import World, message_id

DAY = 86400
STEPS = (("sequence", "0"), ("sequence", "10 days"), ("follow_up", "0"))
# Only a NOTIFY can be in time: no sweep and no reload comes by while a test runs.
NO_SWEEP = {"engine": {"sweep": "10m", "sweep_old": "60m"}}


@pytest.fixture
def world(database):
    return World(database)


def test_a_follow_up_leaves_48_hours_after_the_skip_once_and_never_before(world, database, sandbox, daemon):
    business_of = database.fast_clock(rate=DAY)     # 48 hours in two seconds
    account = world.account(steps=STEPS)
    [lead] = world.leads(account)
    daemon()
    world.act("start_follow_up", account, [lead])
    sandbox.wait_for_ledger(1, subject="sequence 1")
    before = database.value("SELECT followup.now()")
    [skipped] = world.act("skip_to_follow_up", account, [lead])
    after = database.value("SELECT followup.now()")
    wait = dt.timedelta(hours=48)
    assert skipped["done"] and before + wait <= skipped["due_at"] <= after + wait
    [entry] = sandbox.wait_for_ledger(1, subject="follow_up 1")
    assert message_id(entry) == skipped["message_id"]
    assert business_of(entry["at_us"]) >= skipped["due_at"]
    wait_until(lambda: database.value("SELECT followup.now() > %s", skipped["due_at"] + dt.timedelta(days=12)), "the tenth day")
    assert [line["subject"] for line in sandbox.ledger()] == ["sequence 1", "follow_up 1"]


def test_messages_leave_in_the_order_of_their_instants_and_never_early(world, database, sandbox, daemon):
    account = world.account()
    leads = world.leads(account, 60)
    first = database.value("SELECT followup.now()") + dt.timedelta(hours=1.5)
    for number, lead in enumerate(leads):
        world.act("start_follow_up", account, [lead], at=first + dt.timedelta(minutes=3 * number))
    business_of = database.fast_clock(rate=3600)  # not before: a slow machine's start would be past the first instant
    daemon()
    ledger = sandbox.wait_for_ledger(60)
    due = {row["id"]: row["due_at"] for row in world.messages()}
    assert all(business_of(entry["at_us"]) >= due[message_id(entry)] for entry in ledger)
    assert {message_id(entry) for entry in ledger} == set(due)


def test_messages_are_claimed_before_they_are_due_and_leave_when_they_are(world, database, sandbox, daemon):
    account = world.account()
    leads = world.leads(account, 100)
    daemon()
    world.act("start_follow_up", account, leads, at=database.value("SELECT followup.now()") + dt.timedelta(days=1))
    database.rows("UPDATE followup.message SET due_at = followup.now() + make_interval(secs => 2 + position_of * 0.03) FROM"
                  " (SELECT id AS of_id, row_number() OVER () AS position_of FROM followup.message) AS o WHERE id = of_id")
    ledger = sandbox.wait_for_ledger(100)
    due = {row["id"]: row["due_at"] for row in world.messages()}
    assert all(entry["at_us"] >= due[message_id(entry)].timestamp() * 1e6 for entry in ledger)
    early = database.value("SELECT count(*) FROM followup.message WHERE claimed_at < due_at")
    assert early > 0, "claimed when they were due"
    assert database.value("SELECT count(*) FROM followup.message WHERE claimed_at < due_at - interval '50 ms'") == 0
    wait_until(lambda: world.count(state="sent") == 100, "all are recorded")
    assert database.value("SELECT count(*) FROM followup.message WHERE sent_at < due_at") == 0


@pytest.mark.parametrize("action", ["restart_follow_up", "continue_follow_up", "skip_to_follow_up"])
def test_an_action_typed_in_psql_reaches_the_wheel_by_notify(world, database, sandbox, daemon, action):
    account = world.account(steps=STEPS, follow_up_delay="1 second")
    [lead] = world.leads(account)
    world.act("start_follow_up", account, [lead])
    daemon(config=NO_SWEEP)
    [first] = sandbox.wait_for_ledger(1)
    wait_until(lambda: world.count(state="sent") == 1, "the first message is recorded")
    if action == "continue_follow_up":  # there is something to continue only after an answer
        database.rows("SELECT followup.record_reply(p_account => %s, p_message => %s, p_from => 'x@y.example',"
                      " p_subject => 'Re', p_body => 'Yes?')", account, message_id(first))
    database.cluster.psql("-c", f"SELECT * FROM followup.{action}({account}, ARRAY[{lead}])", dbname=database.name)
    expected = {"restart_follow_up": "sequence 1", "continue_follow_up": "sequence 2", "skip_to_follow_up": "follow_up 1"}
    entries = sandbox.wait_for_ledger(2)
    assert entries[1]["subject"] == expected[action]


def test_a_changed_due_time_typed_in_psql_reaches_the_wheel_by_notify(world, database, sandbox, daemon):
    account = world.account()
    sooner, later = world.leads(account, 2)
    at = database.value("SELECT followup.now()")
    [one] = world.act("start_follow_up", account, [sooner], at=at + dt.timedelta(hours=1))
    [two] = world.act("start_follow_up", account, [later], at=at + dt.timedelta(seconds=3))
    daemon(config=NO_SWEEP)
    for message, due in ((one, "now()"), (two, "now() + interval '1 hour'")):
        database.cluster.psql("-c", f"UPDATE followup.message SET due_at = followup.{due} WHERE id = {message['message_id']}",
                              dbname=database.name)
    sandbox.wait_for_ledger(1, message_id=f"m-{one['message_id']}")
    wait_until(lambda: database.value("SELECT followup.now() > %s", two["due_at"] + dt.timedelta(seconds=1)), "its old time passes")
    assert not sandbox.ledger(message_id=f"m-{two['message_id']}")
    assert [row["id"] for row in world.messages(state="scheduled")] == [two["message_id"]]


def test_a_stop_typed_in_psql_takes_the_message_out_of_the_wheel(world, database, daemon):
    account = world.account()
    stopped, other = world.leads(account, 2)
    at = database.value("SELECT followup.now()") + dt.timedelta(hours=1)
    world.act("start_follow_up", account, [stopped, other], at=at)
    one = daemon(config=NO_SWEEP)
    pending = lambda: [line for line in one.notify.read() if line.startswith("STATUS=") and "pending" in line][-1:]
    wait_until(lambda: pending() == ["STATUS=2 pending, 0 in flight, 0 sent"], lambda: f"two are in the wheel: {pending()}")
    database.cluster.psql("-c", f"SELECT * FROM followup.stop_messaging({account}, ARRAY[{stopped}])", dbname=database.name)
    wait_until(lambda: pending() == ["STATUS=1 pending, 0 in flight, 0 sent"], lambda: f"one is left: {pending()}")
    assert world.count(lead_id=stopped, state="cancelled") == 1


@pytest.mark.parametrize("action", ["start", "restart_follow_up", "continue_follow_up", "skip_to_follow_up", "due_at"])
def test_with_notify_off_the_next_sweep_finds_it(world, database, sandbox, daemon, action):
    database.rows(f"ALTER DATABASE {database.name} SET followup.notify = 'off'")
    account = world.account(steps=STEPS, follow_up_delay="1 second")
    [lead] = world.leads(account)
    daemon(config={"engine": {"notify": "off"}})
    in_an_hour = database.value("SELECT followup.now() + interval '1 hour'")
    [started] = world.act("start_follow_up", account, [lead], at=in_an_hour if action == "due_at" else None)
    if action == "due_at":
        database.rows("UPDATE followup.message SET due_at = followup.now() WHERE id = %s", started["message_id"])
    [first] = sandbox.wait_for_ledger(1)
    assert first["subject"] == "sequence 1"
    if action.endswith("_follow_up"):
        wait_until(lambda: world.count(state="sent") == 1, "the first message is recorded")
        if action == "continue_follow_up":
            database.rows("SELECT followup.record_reply(%s, %s, 'x@y.example', 'Re', 'Yes?')", account, message_id(first))
        [done] = world.act(action, account, [lead])
        sandbox.wait_for_ledger(1, message_id=f"m-{done['message_id']}")


def test_steps_follow_one_another_without_any_action(world, database, sandbox, daemon):
    business_of = database.fast_clock(rate=DAY)
    account = world.account(steps=(("sequence", "0"), ("sequence", "1 day"), ("sequence", "2 days")))
    [lead] = world.leads(account)
    daemon()
    [started] = world.act("start_follow_up", account, [lead])
    ledger = sandbox.wait_for_ledger(3)
    assert [entry["subject"] for entry in ledger] == ["sequence 1", "sequence 2", "sequence 3"]
    due = [row["due_at"] for row in world.messages(lead_id=lead)]
    assert due == [started["due_at"] + dt.timedelta(days=days) for days in (0, 1, 3)]
    assert all(business_of(entry["at_us"]) >= at for entry, at in zip(ledger, due))
    wait_until(lambda: database.rows("SELECT state, sub_state FROM followup.lead") == [("processed", "completed")],
               "all sent: processed/completed")
