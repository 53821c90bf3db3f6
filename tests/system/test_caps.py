"""Daily caps with many hands at once: no day over its cap, no place lost or held twice, no deadlock."""

import os
import random
import threading
import time
import uuid

import psycopg
import pytest

ACCOUNTS = (1, 2)
CAPS = {11: 7, 12: 3, 21: 5, 22: None}      # assistant -> cap; the first digit is its account
LEADS = 60                                  # of an account
HANDS = 4
SECONDS = 8
SEED = int(os.environ.get("FOLLOWUPD_SEED") or random.SystemRandom().randrange(1 << 32))

WORLD = """
INSERT INTO followup.account (id, name, timezone, postal_address) VALUES (1, 'one', 'Europe/Berlin', 'Street 1'), (2, 'two', 'America/New_York', 'Street 2');
INSERT INTO followup.assistant (account_id, id, name, from_address, daily_cap, ramp, ramp_from)
VALUES (1, 11, 'A', 'a@x.example', 7, NULL, NULL), (1, 12, 'B', 'b@x.example', 3, NULL, NULL),
       (2, 21, 'C', 'c@x.example', 5, NULL, NULL), (2, 22, 'D', 'd@x.example', NULL, NULL, NULL);
INSERT INTO followup.sequence (account_id, id, name) VALUES (1, 1, 's'), (2, 2, 's');
INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (1, 1, 1), (2, 2, 1);
INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text)
SELECT a, a, 1, kind::followup.step_kind, n, kind || n, CASE n WHEN 1 THEN '0' ELSE '1 day' END::interval, 'S', 'B'
  FROM generate_series(1, 2) AS a, generate_series(1, 3) AS n, unnest(ARRAY['sequence', 'follow_up']) AS kind;
"""

# What cap_use says beside what the messages say; rows only where they differ.
DIFFERENCES = """
SELECT * FROM (SELECT account_id, cap_assistant_id AS assistant_id, cap_day AS day, count(*) AS places FROM followup.message
                WHERE cap_day IS NOT NULL AND state NOT IN ('cancelled', 'failed') GROUP BY 1, 2, 3) AS m
  FULL JOIN (SELECT * FROM followup.cap_use WHERE used > 0) AS u USING (account_id, assistant_id, day)
 WHERE m.places IS DISTINCT FROM u.used
"""


class Hands:
    """Threads that act until told to stop; the first failure of any is the test's."""

    def __init__(self, database):
        self.database = database
        self.until = time.monotonic() + SECONDS
        self.failures = []
        self.done = {}
        self.threads = []

    def start(self, work, number):
        def run():
            try:
                with self.database.connect() as connection:
                    work(self, connection, random.Random(SEED + number))
            except Exception as failure:  # pylint: disable=broad-except
                self.failures.append(failure)
                self.until = 0

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def going(self):
        return time.monotonic() < self.until

    def count(self, what, number=1):
        self.done[what] = self.done.get(what, 0) + number

    def join(self):
        for thread in self.threads:
            thread.join()
        if self.failures:
            raise self.failures[0]


def act(hands, connection, chance):
    """Every action on a few leads of an account."""
    while hands.going():
        account = chance.choice(ACCOUNTS)
        leads = [account * 1000 + n for n in chance.sample(range(LEADS), chance.randrange(1, 8))]
        assistant = chance.choice([a for a in CAPS if a // 10 == account])
        action = chance.choice(["start", "restart", "restart", "skip", "stop", "continue", "reply", "move"])
        if action in ("start", "restart"):
            rows = connection.execute(f"SELECT done FROM followup.{action}_follow_up(%s, %s::bigint[], p_sequence => %s, p_assistant => %s)",
                                      (account, leads, account, assistant)).fetchall()
        elif action == "reply":
            rows = connection.execute("SELECT (followup.record_reply(%s, NULL, 'a@b.example', 's', 'b', p_outcome => 'further_action', p_lead => %s)).done",
                                      (account, leads[0])).fetchall()
        elif action == "move":
            connection.execute("UPDATE followup.message SET due_at = followup.now() + %s * '1 hour'::interval WHERE account_id = %s AND lead_id = %s "
                               "AND state = 'scheduled'", (chance.randrange(200), account, leads[0]))
            rows = []
        else:
            name = {"skip": "skip_to_follow_up", "stop": "stop_messaging", "continue": "continue_follow_up"}[action]
            rows = connection.execute(f"SELECT done FROM followup.{name}(%s, %s::bigint[])", (account, leads)).fetchall()
        hands.count(action, sum(done for (done,) in rows))


def engine(hands, connection, chance):
    """Claims what is due of both accounts in one batch and records mixed outcomes."""
    worker = uuid.uuid4()
    leases = connection.execute("SELECT array_agg(shard ORDER BY shard), array_agg(epoch ORDER BY shard) "
                                "FROM followup.acquire_leases(%s, NULL, 600000)", (worker,)).fetchone()
    while hands.going():
        due = connection.execute("SELECT account_id, id FROM followup.message_to_load WHERE due_at <= followup.now() ORDER BY random() LIMIT 30").fetchall()
        if not due:
            time.sleep(0.01)
            continue
        claimed = connection.execute("SELECT account_id, message_id, attempts, posts, epoch FROM followup.claim_messages(%s, %s, %s, %s::bigint[], %s::bigint[], 'p') "
                                     "WHERE verdict = 'claimed'", (worker, *leases, [a for a, _ in due], [m for _, m in due])).fetchall()
        if not claimed:
            continue
        given_back = [row for row in claimed if chance.random() < 0.2]
        if given_back:
            connection.execute("SELECT * FROM followup.unclaim_messages(%s, %s::bigint[], %s::bigint[], %s::bigint[])",
                               (worker, [r[0] for r in given_back], [r[1] for r in given_back], [r[4] for r in given_back]))
        left = [row for row in claimed if row not in given_back]
        if left:
            outcomes = [chance.choices(["sent", "rejected", "retry"], [6, 2, 2])[0] for _ in left]
            columns = list(zip(*left))
            same = [None] * len(left)
            answered = connection.execute(
                "SELECT account_id, message_id FROM followup.record_results(%s, %s, %s, %s::bigint[], %s::bigint[], %s::int[], %s::int[], %s::bigint[], "
                "%s::followup.attempt_outcome[], %s::boolean[], %s::int[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], "
                "%s::text[], %s::text[], %s::text[])",
                (worker, *leases, *[list(c) for c in columns], outcomes, same, same, [1] * len(left), same, same,
                 ["now"] * len(left), ["now"] * len(left), same, same, same)).fetchall()
            hands.count("recorded", len(answered))
            # What was locked by somebody stays sending; it keeps its place.


@pytest.mark.timeout(120)
def test_no_day_is_over_its_cap_and_no_place_is_lost(database):
    print(f"FOLLOWUPD_SEED={SEED}")
    with database.connect() as connection:
        connection.execute(WORLD)
        for account in ACCOUNTS:
            connection.execute("INSERT INTO followup.lead (account_id, id, email) SELECT %s, %s + n, 'l' || n || '@l.example' FROM generate_series(0, %s) AS n",
                               (account, account * 1000, LEADS - 1))
    hands = Hands(database)
    for number in range(HANDS):
        hands.start(act, number)
    hands.start(engine, HANDS)
    hands.join()
    assert database.rows(DIFFERENCES) == []
    over = [row for row in database.rows("SELECT assistant_id, day, used FROM followup.cap_use") if CAPS[row[0]] is None or row[2] > CAPS[row[0]]]
    assert over == []
    print(hands.done)
    assert all(hands.done.get(what, 0) > 0 for what in ("restart", "skip", "stop", "recorded")), hands.done
    assert database.value("SELECT count(*) FROM followup.message WHERE cap_moved_from IS NOT NULL") > 0


def test_two_who_want_the_last_place(database):
    """The second waits for the first, then goes to the next day; taken back, the place is free for the third."""
    with database.connect() as first, database.connect() as second:
        first.execute(WORLD)
        first.execute("UPDATE followup.assistant SET daily_cap = 1 WHERE id = 11")
        first.execute("INSERT INTO followup.lead (account_id, id, email) SELECT 1, n, 'l' || n || '@l.example' FROM generate_series(1, 3) AS n")
        start = "SELECT due_at FROM followup.start_follow_up(1, ARRAY[%s::bigint], 1, 11, '2031-03-03 09:00+01')"
        first.execute("BEGIN")
        today = first.execute(start, (1,)).fetchone()[0]
        second.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.execute(start, (2,))
        first.execute("COMMIT")
        assert (second.execute(start, (2,)).fetchone()[0] - today).days == 1
        first.execute("SELECT followup.stop_messaging(1, ARRAY[1::bigint])")
        assert second.execute(start, (3,)).fetchone()[0] == today
