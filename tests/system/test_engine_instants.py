"""The time shown is the time sent: 10,000 random leads in random zones, countries and calendars, some held, some under a daily
cap, in a fortnight in which clocks change. What preview showed before the daemon was started is when each message is due,
and leaves, on the fast clock; an oracle that shares no SQL says the same of every message.

Two things move a message, and then the oracle says from where, and what follows it: a daily cap, and a window that closed
between due and claim. The second is the fast clock's: what takes the engine 50 ms is ten minutes of a lead's day, or more."""

import bisect
import collections
import datetime as dt
import os
import random
import time

import pytest
import schema
from calendar_oracle import DAY, UTC, reading_at
from processes import wait_until
from random_calendars import RandomCalendars
from world import message_id, twice

SEED = int(os.environ.get("FOLLOWUPD_SEED") or random.SystemRandom().randrange(1 << 32))
LEADS = 10_000
ACCOUNTS = 120
MESSAGES_A_SECOND = 400      # that become due; the clock is set to it
RATES = 3_600, 120_000      # of the clock, at least and at most
CAPPED_EVERY = 4            # accounts
LEADS_A_CALL = 40           # started at the same instant
START_DAYS = 3              # within which all leads start
WAIT_SECONDS = 200
FORTNIGHTS = {              # business time starts there, at noon; what is special in the days after it
    dt.date(2011, 12, 27): "Apia leaves out a day",
    dt.date(2026, 3, 6): "New York changes its clocks",
    dt.date(2026, 3, 27): "Europe does, and Lord Howe",
    dt.date(2026, 10, 2): "Lord Howe does",
    dt.date(2026, 10, 23): "Europe and New York do",
}
ENGINE = {"engine": {"in_flight_max": "256", "batch_rows": "200", "lease": "5s", "sending_grace": "10s", "settle_after": "10s",
                     "horizon": "720h", "clock_refresh": "50ms"},
          "provider.sandbox": {"concurrency_max": "128", "timeout": "5s"}, "log": {"level": "info"}}
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
QUARTER = dt.timedelta(minutes=15)      # on which windows open and close
MICROSECOND = dt.timedelta(microseconds=1)
SECOND = dt.timedelta(seconds=1)
SETTING = dt.timedelta(milliseconds=300)    # within which a clock is set
HOUR = dt.timedelta(hours=1)

Lead = collections.namedtuple("Lead", "account zone country sequence assistant at hold")
Piece = collections.namedtuple("Piece", "called since began business rate")     # of the clock: set between called and since
Row = collections.namedtuple("Row", "id lead conversation position due base moved_from reason cap_day")


class World(RandomCalendars):
    def __init__(self, database, chance, first):
        super().__init__(database, chance, ACCOUNTS, first, days=12, long_breaks=False, windows=(5, 12), window_minutes_min=120)
        self.start = dt.datetime.combine(first, dt.time(12), UTC)
        self.account_zones, self.caps, self.steps, self.leads = {}, {}, {}, {}
        with database.connect() as connection, connection.cursor() as cursor:
            for account in self.of:
                self._add_team(cursor, account)
            self._add_leads(cursor)

    def _add_team(self, cursor, account):
        """Two assistants, the second of some accounts under a cap, and two sequences. Ids are the account's, times ten."""
        chance = self.chance
        self.account_zones[account] = self.zone()
        cursor.execute("UPDATE followup.account SET timezone = %s, late_action = 'send' WHERE id = %s", (self.account_zones[account], account))
        self.caps[account * 10 + 1] = chance.randrange(5, 20) if account % CAPPED_EVERY == 0 else None
        cursor.executemany("INSERT INTO followup.assistant (account_id, id, name, from_address, daily_cap) VALUES (%s, %s, %s, 'ann@a.example', %s)",
                           [(account, account * 10 + n, f"Ann {n}", self.caps.get(account * 10 + n)) for n in range(2)])
        for sequence in (account * 10, account * 10 + 1):
            cursor.execute("INSERT INTO followup.sequence (account_id, id, name) VALUES (%s, %s, %s)", (account, sequence, f"s{sequence}"))
            cursor.execute("INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (%s, %s, 1)", (account, sequence))
            self.steps[sequence] = [self._delay() for _ in range(chance.choice([1, 2, 2]))]
            cursor.executemany("INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, delay_unit, subject, body_text) "
                               "VALUES (%s, %s, 1, 'sequence', %s, %s, %s, %s, 'S', 'B')",
                               [(account, sequence, n, f"k{n}", *step) for n, step in enumerate(self.steps[sequence], 1)])

    def _delay(self):
        unit = self.chance.choice(["elapsed", "business_days"])
        return self.chance.choice([0, 0, 1, 1, 2]) * DAY + self.chance.choice([0, 1, self.chance.random() * 20]) * HOUR, unit

    def _add_leads(self, cursor):
        """Started some at a time, all of them after business time starts to run; every eighth group is then held."""
        chance, groups = self.chance, []
        for first in range(1, LEADS + 1, LEADS_A_CALL):
            account = chance.randrange(1, ACCOUNTS + 1)
            at = self.start + DAY / 4 + chance.random() * START_DAYS * DAY
            sequence, assistant = (account * 10 + chance.randrange(2) for _ in range(2))
            hold = at + chance.random() * 4 * DAY if chance.random() < 1 / 8 else None
            groups.append(range(first, min(first + LEADS_A_CALL, LEADS + 1)))
            self.leads.update((n, Lead(account, chance.choice([self.zone(), self.zone(), None]), self.country(), sequence, assistant, at, hold))
                              for n in groups[-1])
        with cursor.copy("COPY followup.lead (id, account_id, timezone, country, email) FROM STDIN") as copy:
            for number, lead in self.leads.items():
                copy.write_row((number, lead.account, lead.zone, lead.country, f"l{number}@l.example"))
        cursor.execute("ANALYZE")
        for group in groups:
            lead = self.leads[group[0]]
            cursor.execute("SELECT count(*) FROM followup.start_follow_up(%s, %s::bigint[], %s, %s, %s) WHERE done",
                           (lead.account, list(group), lead.sequence, lead.assistant, lead.at))
            assert cursor.fetchone()[0] == len(group)
            if lead.hold is not None:
                cursor.execute("SELECT followup.hold(%s, %s::bigint[], %s)", (lead.account, list(group), lead.hold))

    def zone_of(self, lead):
        return self.zones[lead.zone or self.account_zones[lead.account]]

    def planned(self, lead, position, base, seed):
        """What the oracle says of a lead's step."""
        delay, unit = self.steps[lead.sequence][position - 1]
        return self.of[lead.account].plan(self.zone_of(lead), lead.country, base, delay, unit, lead.hold, seed)

    def is_open(self, lead, at):
        return self.of[lead.account].is_open(reading_at(at, self.zone_of(lead)), lead.country)

    def closes_between(self, lead, first, last):
        """Is there a time after first and before last at which nothing may go to the lead?"""
        at = EPOCH + ((first - EPOCH) // QUARTER + 1) * QUARTER
        while at < last:
            if not self.is_open(lead, at):
                return True
            at += QUARTER
        return False

    def cap_day(self, lead, at):
        return reading_at(at, self.zones[self.account_zones[lead.account]]).date()


class Pace:
    """A fast clock that is set anew every second, so that as many messages become due in each as the engine sends at its
    leisure, be it a night without any or the minute in which windows open. It never goes back, and no message is a real
    minute late."""

    def __init__(self, database, business):
        self.database = database
        self.pieces = []
        self._set(dt.datetime.now(UTC), business, 1)

    def _set(self, began, business, rate):
        called = dt.datetime.now(UTC)
        schema.fast_clock(self.database.cluster, self.database.name, business, began, rate)
        self.pieces.append(Piece(called, dt.datetime.now(UTC), began, business, rate))

    def business(self, real):
        """Business time at a real instant since the start; the later one while the clock was being set."""
        last = bisect.bisect_right([piece.called for piece in self.pieces], real) - 1
        return max(piece.business + (real - piece.began) * piece.rate
                   for piece in self.pieces[max(last - (real < self.pieces[last].since), 0):last + 1])

    def follow(self):
        """Sets the clock for the next second. The message that is to be its last one says how fast."""
        soon = self.database.rows("SELECT due_at FROM followup.message WHERE state = 'scheduled' ORDER BY due_at LIMIT 1 OFFSET %s", MESSAGES_A_SECOND - 1)
        now = dt.datetime.now(UTC)
        rate = (soon[0][0] - self.business(now)) / SECOND if soon else RATES[1]
        rate = min(max(rate, RATES[0]), RATES[1])
        began = now + SETTING if rate < self.pieces[-1].rate else now   # either way the new clock is ahead of the old one when it takes over
        self._set(began, self.business(began), rate)


def shown(database):
    """What preview says now: lead -> instants."""
    return dict(database.rows("SELECT l.id, array_agg(p.due_at ORDER BY p.position) FROM followup.lead AS l "
                              "CROSS JOIN LATERAL followup.preview(l.account_id, l.id) AS p GROUP BY 1"))


def check_lead(world, lead, number, rows):
    """Every message of a lead was planned as the oracle says, from the one before it. Answers (by a cap, by a closed window):
    how many were moved."""
    by_cap = by_window = 0
    base = lead.at
    assert [row.position for row in rows] == list(range(1, len(world.steps[lead.sequence]) + 1)), f"lead {number}: {rows}"
    for row in rows:
        assert row.base == base, f"lead {number}: {row} is counted from {row.base}, not from {base}"
        planned = world.planned(lead, row.position, base, number if row.position == 1 else row.conversation)
        if row.reason.startswith("planned anew"):
            by_window += 1
            assert row.due > planned and world.is_open(lead, row.due), f"lead {number} {lead}: {row} after {planned}"
            assert row.cap_day is not None or world.closes_between(lead, planned, row.due), f"lead {number} {lead}: {row} could have left at {planned}"
        elif row.moved_from is not None:
            by_cap += 1
            assert row.moved_from == planned, f"lead {number} {lead}: {row}, the oracle says {planned}"
            assert world.is_open(lead, row.due) and world.cap_day(lead, row.due) > world.cap_day(lead, planned), f"lead {number} {lead}: {row}"
        else:
            assert row.due == planned, f"lead {number} {lead}: {row}, the oracle says {planned}"
        base = row.due
    return by_cap, by_window


def check_left(world, pace, number, rows, left):
    """Every message of a lead left once, to its address, in order, told when it was due, and not before."""
    last = 0
    for row in rows:
        line = left[row.id]
        assert line["to"] == f"l{number}@l.example" and line["due_ms"] == (row.due - EPOCH) // dt.timedelta(milliseconds=1), f"{line} {row}"
        assert pace.business(EPOCH + line["at_us"] * MICROSECOND) >= row.due, f"early: {line} {row}"
        assert line["seq"] > last, f"lead {number}: {line} overtook"
        last = line["seq"]


@pytest.mark.timeout(270)
def test_ten_thousand_leads_get_their_messages_when_preview_had_said(database, sandbox, daemon):
    print(f"FOLLOWUPD_SEED={SEED}")
    chance = random.Random(SEED)
    first = chance.choice(list(FORTNIGHTS))
    database.excused = ["sent_early"]  # a record takes an answer's age times the clock's rate, which may be another by then
    pace = Pace(database, dt.datetime.combine(first, dt.time(12), UTC))
    world = World(database, chance, first)
    before = shown(database)
    assert {number: len(instants) for number, instants in before.items()} == \
        {number: len(world.steps[lead.sequence]) for number, lead in world.leads.items()}
    messages = sum(len(instants) for instants in before.values())

    daemon(config=ENGINE)
    deadline = time.monotonic() + WAIT_SECONDS
    while (accepted := sandbox.stats()["accepted"]) < messages:
        assert time.monotonic() < deadline, f"only {accepted} of {messages} have left after {WAIT_SECONDS} s"
        pace.follow()
        time.sleep(1)
    wait_until(lambda: not database.rows("SELECT FROM followup.message WHERE state <> 'sent' LIMIT 1"), "every message is recorded as sent")

    ledger = sandbox.ledger()
    assert not twice(ledger) and len(ledger) == messages
    left = {message_id(line): line for line in ledger}
    rows = collections.defaultdict(list)
    for row in map(Row._make, database.rows("SELECT id, lead_id, conversation_id, position, due_at, base_at, cap_moved_from, planned_reason, cap_day "
                                            "FROM followup.message ORDER BY lead_id, position")):
        rows[row.lead].append(row)
    exact = by_cap = by_window = 0
    for number, lead in world.leads.items():
        moves = check_lead(world, lead, number, rows[number])
        by_cap, by_window = by_cap + moves[0], by_window + moves[1]
        if moves == (0, 0):
            assert [row.due for row in rows[number]] == before[number], f"lead {number} {lead}: {rows[number]}, preview had shown {before[number]}"
            exact += 1
        check_left(world, pace, number, rows[number], left)
    print(f"{messages} messages; {exact} leads as shown; moved by a cap: {by_cap}, by a window that closed: {by_window}")
    assert exact > LEADS // 2 and by_cap > 0
