"""What happens to a message, and to its lead, while it is on its way."""
import pytest

from processes import wait_until
from world import World, message_id, twice

STEPS = (("sequence", "0"), ("sequence", "10 days"), ("follow_up", "0"))
SLOW = {"provider.sandbox": {"timeout": "20s"}, "engine": {"settle_after": "25s", "lease": "2s"}}


@pytest.fixture
def world(database):
    return World(database)


def in_flight(world, sandbox, daemon, ms=1500):
    """A lead whose first message the provider has, and has not answered yet."""
    sandbox.put_faults([{"action": "late", "ms": ms, "count": 1}])
    account = world.account(steps=STEPS)
    [lead] = world.leads(account)
    world.act("start_follow_up", account, [lead])
    daemon(config=SLOW)
    [entry] = sandbox.wait_for_ledger(1)
    assert [row["state"] for row in world.messages()] == ["sending"]
    return account, lead, message_id(entry)


def test_a_delivery_reported_before_the_result_is_recorded(world, database, sandbox, daemon):
    account, lead, message = in_flight(world, sandbox, daemon)
    event = ("SELECT followup.record_event(p_account => %s, p_provider => 'generic', p_event_id => 'e1', p_kind => 'delivered',"
             " p_message => %s, p_occurred_at => clock_timestamp())")
    assert database.value(event, account, message) is True
    assert database.value(event, account, message) is False, "an event counts once"
    wait_until(lambda: database.rows("SELECT outcome FROM followup.attempt") == [("sent",)], "the result is recorded")
    assert [(row["position"], row["state"]) for row in world.messages(lead_id=lead)] == [(1, "delivered"), (2, "scheduled")]
    assert database.value("SELECT count(*) FROM followup.message_body WHERE message_id = %s", message) == 1


@pytest.mark.parametrize("action,then", [("skip_to_follow_up", "follow_up"), ("restart_follow_up", "sequence"),
                                         ("stop_messaging", None)])
def test_an_action_on_a_message_in_flight_detaches_it(world, database, sandbox, daemon, action, then):
    account, lead, message = in_flight(world, sandbox, daemon)
    [answer] = world.act(action, account, [lead])
    assert answer["done"] and answer["in_flight"] == [message]
    wait_until(lambda: world.count(id=message, state="sent") == 1, "its result is recorded")
    [row] = world.messages(id=message)
    assert row["detached"] and row["posts"] == 1
    if then is None:
        assert world.count() == 1
    elif action == "restart_follow_up":
        sandbox.wait_for_ledger(2)
        wait_until(lambda: world.count() == 3, "the new conversation goes on from its own first message")
    else:
        assert [(m["kind"], m["state"]) for m in world.messages()] == [("sequence", "sent"), (then, "scheduled")]
    assert not twice(sandbox.ledger())


def test_a_refusal_while_the_shard_leaves_is_a_retry_and_no_doubt(world, database, sandbox, daemon):
    sandbox.put_faults([{"action": "429", "ms": 5000, "retry_after_s": 60}])
    account = world.account()
    leads = world.leads(account)
    shard = database.value("SELECT followup.shard_of(%s)", account)
    database.rows("UPDATE followup.lease SET owner = gen_random_uuid(), expires_at = 'infinity' WHERE shard <> %s", shard)
    world.act("start_follow_up", account, leads)
    daemon(config=SLOW)
    wait_until(lambda: world.count(state="sending") == 1, "it is being posted")
    database.rows("INSERT INTO followup.worker (id, host, beat_at) SELECT n.id, 'elsewhere', clock_timestamp() + interval '1 hour'"
                  "  FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 1000)) AS n, followup.lease AS e"
                  " WHERE e.shard = %s AND hashtextextended(n.id::text, %s) > hashtextextended(e.owner::text, %s) LIMIT 1",
                  shard, shard, shard)
    expires = "SELECT expires_at FROM followup.lease WHERE shard = %s"
    for _ in range(2):  # one renewal may have been asked before; the other says that it is preferred elsewhere
        seen = database.value(expires, shard)
        wait_until(lambda seen=seen: database.value(expires, shard) != seen, "the lease is renewed")
    wait_until(lambda: database.rows("SELECT outcome FROM followup.attempt") == [("retry",)], "the answer is recorded")
    planned = "SELECT state, attempts, due_at > now() + interval '30 seconds' FROM followup.message"
    assert database.rows(planned) == [("scheduled", 1, True)], "its wait counts, and its key"


def test_a_locked_conversation_holds_up_nobody_else(world, database, sandbox, daemon):
    account = world.account()
    leads = world.leads(account, 30)
    world.act("start_follow_up", account, leads)
    with database.connect() as conn, conn.transaction():
        conn.execute("SELECT FROM followup.conversation WHERE lead_id = %s FOR UPDATE", (leads[7],))
        daemon()
        sandbox.wait_for_ledger(29)
        wait_until(lambda: world.count(state="sent") == 29, "the others are recorded")
        more = world.leads(world.account("Other"), 20)
        other = database.value("SELECT max(id) FROM followup.account")
        world.act("start_follow_up", other, more)
        sandbox.wait_for_ledger(49)
        assert [row["state"] for row in world.messages(lead_id=leads[7])] == ["scheduled"]
    sandbox.wait_for_ledger(50)
    assert not twice(sandbox.ledger())


def test_a_stopped_message_in_doubt_is_never_sent_again(world, database, sandbox, daemon):
    sandbox.put_faults([{"action": "cut"}])
    account = world.account(steps=STEPS)
    [lead] = world.leads(account)
    world.act("start_follow_up", account, [lead])
    daemon(config={"engine": {"settle_after": "2s"}})
    sandbox.wait_for_ledger(1)
    wait_until(lambda: world.count(state="in_doubt") == 1, "the cut connection leaves it in doubt")
    [answer] = world.act("stop_messaging", account, [lead])
    assert answer["in_flight"] == [world.messages()[0]["id"]]
    sandbox.put_faults([])
    [other] = world.leads(world.account("Other"))
    world.act("start_follow_up", database.value("SELECT max(id) FROM followup.account"), [other])
    sandbox.wait_for_ledger(2)
    wait_until(lambda: database.value("SELECT clock_timestamp() > claimed_at + interval '4 seconds' FROM followup.message"
                                      " WHERE lead_id = %s", lead), "its time to be settled passes")
    [row] = world.messages(lead_id=lead)
    assert row["posts"] == 1 and sandbox.stats()["replayed"] == 0


@pytest.mark.parametrize("change", ["first_name = 'Renamed'", "first_name = NULL"])
def test_a_lead_that_changes_while_its_message_is_in_doubt_is_not_written_twice(world, database, sandbox, daemon, change):
    """The second POST of the key has another body, or cannot be made at all; the first one arrived."""
    sandbox.put_faults([{"action": "cut", "count": 1}])
    account = world.account(steps=STEPS)
    database.rows("UPDATE followup.step SET body_text = 'Dear {{first_name}},' WHERE account_id = %s", account)
    [lead] = world.leads(account)
    world.act("start_follow_up", account, [lead])
    daemon(config={"engine": {"settle_after": "1s"}})
    [entry] = sandbox.wait_for_ledger(1)
    wait_until(lambda: world.count(state="in_doubt") == 1, "the cut left a doubt")
    database.rows(f"UPDATE followup.lead SET {change} WHERE id = %s", lead)
    message = message_id(entry)
    wait_until(lambda: world.count(id=message, posts=1) == 0, "it was asked for again")
    if "NULL" in change:
        wait_until(lambda: world.count(id=message, state="in_doubt") == 1, "it stays in doubt")
        assert "first_name" in world.messages(id=message)[0]["detail"]
        assert world.act("restart_follow_up", account, [lead])[0]["in_flight"] == [message]
    else:
        wait_until(lambda: world.count(id=message, state="sent") == 1, "the provider's answer ends the doubt")
        assert [(row["position"], row["state"]) for row in world.messages()] == [(1, "sent"), (2, "scheduled")]
    assert len(sandbox.ledger(message_id=entry["message_id"])) == 1
