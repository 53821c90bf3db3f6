"""A stop, a suppression or a pause against the claim, a thousand times each (20,000 in full): afterwards nothing begins."""
import concurrent.futures
import datetime as dt
import random
import time

import psycopg
import pytest

from extent import SEED, extent, seconds
from processes import wait_until
from world import World, message_id, twice

RACES = extent(1000, 20000)
SPREAD_SECONDS = 8.0 * RACES / 1000  # a stop takes 7 ms of a core, and the daemon has its part to do
THREADS = 4
TEST_SECONDS = seconds(200, 1800)


@pytest.fixture
def world(database):
    return World(database)


def race(database, calls):
    """Each call at its own instant, from several connections: {key: (answer, when it was known, in us)}."""
    calls = sorted(calls, key=lambda call: call[0])

    def run(share):
        answers = {}
        with psycopg.connect(database.conninfo, autocommit=True) as conn:
            for at, key, sql, params in share:
                time.sleep(max(0.0, at - time.time()))
                answers[key] = (conn.execute(sql, params).fetchall(), time.time_ns() // 1000)
        return answers

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        merged = {}
        for answers in pool.map(run, [calls[number::THREADS] for number in range(THREADS)]):
            merged.update(answers)
    return merged


def spread(world, database, accounts):
    """Every lead's message due at an instant of its own within the next seconds: {(account, lead): (message, due)}."""
    world.start_everywhere(accounts, at=database.value("SELECT followup.now()") + dt.timedelta(days=1))
    begin = database.value("SELECT followup.now()") + dt.timedelta(seconds=SPREAD_SECONDS / 2)
    database.rows("UPDATE followup.message SET due_at = %s::timestamptz + make_interval(secs => %s * random())",
                  begin, SPREAD_SECONDS)
    return {(row["account_id"], row["lead_id"]): row for row in world.messages()}


def around(due):
    """Near enough that either may come first: the claim comes 13 to 25 ms before the message is due."""
    return due.timestamp() + random.uniform(-0.05, 0.01)


def settle(world, sandbox):
    """Nothing is scheduled for now or in flight any more."""
    wait_until(lambda: world.count(state="sending") + world.count(state="in_doubt") == 0, "nothing is in flight")
    ledger = sandbox.ledger()
    assert not twice(ledger)
    return ledger


def judge(ledger, plan, answers, in_flight_of):
    """Nothing of whoever was stopped but what the answer listed, or what had been accepted before the answer was known."""
    sent = {message_id(entry): entry["at_us"] for entry in ledger}
    won = lost = 0
    for key, row in plan.items():
        answer, known_us = answers[key]
        at_us = sent.get(row["id"])
        if at_us is None:
            won += 1
            continue
        lost += 1
        assert row["id"] in in_flight_of(answer) or at_us < known_us, f"message {row['id']} began after the stop of {key}"
    assert won > RACES * 0.005 and lost > RACES * 0.005, f"no race: {won} stopped in time, {lost} left before"
    return won, lost


def claims_after_stops(database):
    """By the numbers that claims and stops draw under one lock: how many claims came after the end of their conversation."""
    return database.value("SELECT count(*) FROM followup.message AS m JOIN followup.conversation AS c"
                          " ON c.account_id = m.account_id AND c.id = m.conversation_id WHERE m.claim_seq > c.stop_seq")


@pytest.mark.timeout(TEST_SECONDS)
def test_nothing_of_a_stopped_lead_begins(world, database, sandbox, daemon):
    random.seed(SEED)
    accounts = world.accounts(20)
    world.leads_each(accounts, RACES // 20)
    daemon()
    plan = spread(world, database, accounts)
    answers = race(database, [(around(row["due_at"]), key, "SELECT done, in_flight FROM followup.stop_messaging(%s, ARRAY[%s::bigint])",
                               key) for key, row in plan.items()])
    ledger = settle(world, sandbox)
    judge(ledger, plan, answers, lambda answer: answer[0][1] or [])
    assert world.count(state="scheduled") == 0
    assert claims_after_stops(database) == 0


@pytest.mark.timeout(TEST_SECONDS)
def test_nothing_to_a_suppressed_address_begins(world, database, sandbox, daemon):
    random.seed(SEED)
    accounts = world.accounts(20)
    world.leads_each(accounts, RACES // 20)
    daemon()
    plan = spread(world, database, accounts)
    address = {(a, i): e for a, i, e in database.rows("SELECT account_id, id, email FROM followup.lead")}
    sql = "SELECT lead_id, in_flight FROM followup.suppress(%s, %s, 'asked', 'test')"
    answers = race(database, [(around(row["due_at"]), key, sql, (key[0], address[key])) for key, row in plan.items()])
    ledger = settle(world, sandbox)
    judge(ledger, plan, answers, lambda answer: [m for row in answer for m in row[1] or []])
    assert world.count(state="scheduled") == 0
    assert claims_after_stops(database) == 0


@pytest.mark.timeout(TEST_SECONDS)
def test_nothing_of_a_paused_account_begins(world, database, sandbox, daemon):
    random.seed(SEED)
    accounts = world.accounts(RACES)
    world.leads_each(accounts, 1)
    daemon()
    plan = spread(world, database, accounts)
    answers = race(database, [(around(row["due_at"]), key, "SELECT followup.pause(p_account => %s)", key[:1])
                              for key, row in plan.items()])
    ledger = settle(world, sandbox)
    won, _ = judge(ledger, plan, answers, in_flight_of_pause)
    assert world.count(state="scheduled") == won
    database.rows("SELECT followup.resume(p_account => id) FROM followup.account")
    sandbox.wait_for_ledger(RACES)
    assert not twice(sandbox.ledger())


def in_flight_of_pause(answer):
    """pause answers the ids, as rows or as an array."""
    return [m for row in answer for m in (row[0] if isinstance(row[0], list) else row) if m is not None]
