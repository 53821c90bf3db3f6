"""A bulk is done by the daemon, chunk by chunk: killed in the middle it goes on, and messages due meanwhile leave."""
import pytest

from processes import wait_until
from world import World, twice

LEADS = 30_000


@pytest.fixture
def world(database):
    return World(database)


def planned(database, account, action):
    """A bulk over every lead of the account, started at an instant far away; its id and how many it would be done to."""
    return database.rows(
        "SELECT bulk_id, would_be_done FROM followup.bulk_plan(%s, %s, '', p_at => followup.now() + interval '30 days', "
        "p_sequence => (SELECT id FROM followup.sequence WHERE account_id = %s))", account, action, account)[0]


def progress(database, account, bulk):
    return database.rows("SELECT state, chunks_done, chunks, done FROM followup.bulk_status(%s, %s)", account, bulk)[0]


@pytest.mark.timeout(240)
def test_killed_in_the_middle_of_a_bulk_every_lead_is_done_once_and_others_leave_meanwhile(world, database, sandbox, daemon):
    crowd, others = world.accounts(2)
    world.leads(crowd, LEADS)
    others_leads = world.leads(others, 300)
    bulk, count = planned(database, crowd, "start")
    assert count == LEADS
    one = daemon()
    database.rows("SELECT followup.bulk_commit(%s, %s, %s)", crowd, bulk, count)
    wait_until(lambda: progress(database, crowd, bulk)[1] >= 1, "a chunk is done", 60)
    world.act("start_follow_up", others, others_leads[:150])
    one.kill()
    state, chunks_done, chunks, _ = progress(database, crowd, bulk)
    assert (state, chunks) == ("running", 12) and chunks_done < chunks, "the kill came too late to show anything"
    world.act("start_follow_up", others, others_leads[150:])
    one.start()
    sandbox.wait_for_ledger(300)
    wait_until(lambda: progress(database, crowd, bulk)[0] == "done",
               lambda: f"the bulk is done: {progress(database, crowd, bulk)}", 120)
    assert progress(database, crowd, bulk) == ("done", 12, 12, LEADS)
    assert database.rows("SELECT count(*), count(DISTINCT lead_id) FROM followup.message WHERE account_id = %s AND state = 'scheduled'",
                         crowd) == [(LEADS, LEADS)]
    assert database.value("SELECT count(*) FROM followup.activity WHERE account_id = %s AND action = 'start'", crowd) == LEADS
    wait_until(lambda: world.count(account_id=others, state="sent") == 300, "what was due meanwhile is sent")
    assert not twice(sandbox.ledger()) and len(sandbox.ledger()) == 300


@pytest.mark.timeout(120)
def test_the_daemon_undoes_a_bulk_and_runs_none_before_its_time(world, database, sandbox, daemon):
    account = world.account()
    leads = world.leads(account, 50)
    bulk, count = planned(database, account, "start")
    later, _ = planned(database, account, "start")
    database.rows("SELECT followup.bulk_commit(%s, %s, %s)", account, bulk, count)
    database.rows("SELECT followup.bulk_commit(%s, %s, %s, followup.now() + interval '1 day')", account, later, count)
    daemon()
    wait_until(lambda: progress(database, account, bulk)[0] == "done", "the bulk is done")
    database.rows("SELECT followup.bulk_undo(%s, %s)", account, bulk)
    wait_until(lambda: progress(database, account, bulk)[0] == "undone", "the bulk is undone")
    assert progress(database, account, later)[:2] == ("running", 0), "the other waits for its instant"
    assert database.value("SELECT count(*) FROM followup.lead WHERE id = ANY (%s) AND state = 'new'", leads) == 50
    assert not sandbox.ledger()
