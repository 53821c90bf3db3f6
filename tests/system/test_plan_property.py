"""Whatever the calendar, the zone and the delay: a message is planned at the instant an independent oracle says, to the
microsecond, and preview shows the instants at which the messages are then scheduled."""

import datetime as dt
import os
import pathlib
import random
import re
from zoneinfo import ZoneInfo, available_timezones

import pytest
from calendar_oracle import DAY, UTC, Calendar, reading_at

PLANS = 10_000
LEADS = 2_000
ACCOUNTS = 60
SEED = int(os.environ.get("FOLLOWUPD_SEED") or random.SystemRandom().randrange(1 << 32))
COUNTRIES = ["DE", "us", "Japan", "AU", None]
ODD_ZONES = ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo",
             "Asia/Beirut", "America/Nuuk", "Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns", "Europe/Dublin"]
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = dt.timedelta(microseconds=1)


def microseconds(instant):
    return None if instant is None else (instant - EPOCH) // MICROSECOND


def changes_of(zone, years=range(2006, 2036)):
    """Instants near which the zone's clocks change."""
    found, day, offset = [], dt.datetime(years[0], 1, 1, tzinfo=UTC), None
    while day.year < years[-1]:
        now = day.astimezone(zone).utcoffset()
        if offset not in (None, now):
            found.append(day)
        offset, day = now, day + DAY
    return found


class World:
    """Random accounts with their calendars, written into the database and told to the oracle."""

    def __init__(self, database, chance):
        self.chance = chance
        self.calendars = {}
        known = {name for (name,) in database.rows("SELECT name FROM followup.timezone WHERE lower(name) = key")}
        self.zones = {name: ZoneInfo(name) for name in sorted(known & available_timezones())}
        self.changes = {}
        self.shared = [(chance.choice(COUNTRIES[:4]), self.day()) for _ in range(400)]
        with database.connect() as connection, connection.cursor() as cursor:
            with cursor.copy("COPY followup.holiday (account_id, country, date, name) FROM STDIN") as copy:
                for country, day in set(self.shared):
                    copy.write_row((None, country, day, "a holiday"))
            for account in range(1, ACCOUNTS + 1):
                self.add_account(cursor, account)

    def day(self):
        return dt.date(2006, 1, 1) + self.chance.randrange(30 * 365) * DAY

    def add_account(self, cursor, account):
        chance = self.chance
        kind = account % 6      # 0: nothing at all, 1: holidays alone, 2: jitter alone, 3..5: windows
        jitter = dt.timedelta(microseconds=chance.choice([0, chance.randrange(1, 86_400_000_000)])) if kind > 1 else dt.timedelta()
        windows = [] if kind < 3 else self.windows()
        own = [] if kind in (0, 2) else [(chance.choice(COUNTRIES), self.day()) for _ in range(200)]
        if kind == 1:           # two weeks of holidays in a row, and around Apia's missing day
            first = self.day()
            own += [(None, first + n * DAY) for n in range(14)] + [(None, dt.date(2011, 12, 29))]
        own = list(set(own))
        cursor.execute("INSERT INTO followup.account (id, name, jitter_max) VALUES (%s, %s, %s)", (account, f"a{account}", jitter))
        cursor.executemany("INSERT INTO followup.send_window (account_id, weekday, opens, closes) VALUES (%s, %s, %s, coalesce(%s, '24:00'::time))",
                           [(account, *window) for window in windows])
        cursor.executemany("INSERT INTO followup.holiday (account_id, country, date, name) VALUES (%s, %s, %s, 'own')",
                           [(account, *holiday) for holiday in own])
        self.calendars[account] = Calendar(windows, self.shared + own, account, jitter)

    def windows(self):
        chance, found = self.chance, {}
        for _ in range(chance.randrange(1, 10)):
            minutes = sorted(chance.sample(range(0, 1440, chance.choice([15, 60])), 2)) \
                if chance.random() < 0.5 else sorted(chance.sample(range(0, 240, 15), 2))   # at night, where changes are
            opens, closes = (dt.time(m // 60, m % 60) for m in minutes)
            found[chance.randrange(1, 8), opens] = None if chance.random() < 0.1 else closes
        return [(weekday, opens, closes) for (weekday, opens), closes in found.items()]

    def zone(self):
        return self.chance.choice(ODD_ZONES) if self.chance.random() < 0.5 else self.chance.choice(list(self.zones))

    def instant(self, zone):
        """Often close to a change of the zone's clocks; seldom a round number."""
        if zone not in self.changes:
            self.changes[zone] = changes_of(self.zones[zone])
        at = dt.datetime.combine(self.day(), dt.time(0), UTC)
        if self.changes[zone] and self.chance.random() < 0.6:
            at = self.chance.choice(self.changes[zone]) - self.chance.randrange(6) * DAY
        return at + self.chance.choice([MICROSECOND, dt.timedelta(minutes=15)]) * self.chance.randrange(96)\
            + dt.timedelta(microseconds=self.chance.choice([0, self.chance.randrange(86_400_000_000)]))

    def delay(self):
        return self.chance.choice([0, 0, 1, 1, 2, 3, 5, 10, 30]) * DAY + dt.timedelta(
            microseconds=self.chance.choice([0, 0, 3_600_000_000, self.chance.randrange(86_400_000_000)]))


@pytest.fixture
def world(database):
    print(f"FOLLOWUPD_SEED={SEED}")
    return World(database, random.Random(SEED))


@pytest.mark.timeout(300)
def test_ten_thousand_random_plans_are_the_oracles(database, world):
    asked = []
    for number in range(PLANS):
        zone = world.zone()
        base = world.instant(zone)
        not_before = base + world.delay() + MICROSECOND * 7 if world.chance.random() < 0.3 else None
        asked.append((number, world.chance.randrange(1, ACCOUNTS + 1), zone, world.chance.choice(COUNTRIES), base, world.delay(),
                      world.chance.choice(["elapsed", "business_days"]), not_before, world.chance.randrange(1 << 62)))
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE asked (number int, account bigint, zone text, country text, base timestamptz, "
                       "delay interval, unit followup.delay_unit, not_before timestamptz, seed bigint)")
        with cursor.copy("COPY asked FROM STDIN") as copy:
            for row in asked:
                copy.write_row(row)
        cursor.execute("SELECT number, CASE WHEN isfinite(at) THEN (extract(epoch FROM at) * 1000000)::bigint END FROM (SELECT number, "
                       "followup.plan_at(account, zone, country, base, delay, unit, not_before, seed) AS at FROM asked) AS planned")
        planned = dict(cursor.fetchall())
    assert len(planned) == PLANS
    moved = 0
    for number, account, zone, country, base, delay, unit, not_before, seed in asked:
        expected = world.calendars[account].plan(world.zones[zone], country, base, delay, unit, not_before, seed)
        assert planned[number] == microseconds(expected), \
            f"account {account} {zone} {country} base {base} + {delay} {unit}, not before {not_before}, seed {seed}: " \
            f"expected {expected}, that is {expected and reading_at(expected, world.zones[zone])}"
        moved += expected != base + delay
    assert moved > PLANS // 4       # the calendars did have something to say


@pytest.mark.timeout(300)
def test_preview_shows_the_oracles_instants_for_random_leads(database, world):
    with database.connect() as connection, connection.cursor() as cursor:
        steps = {}
        for account in range(1, ACCOUNTS + 1):
            cursor.execute("INSERT INTO followup.assistant (account_id, id, name, from_address) VALUES (%s, %s, 'Ann', 'ann@a.example')", (account, account))
            cursor.execute("INSERT INTO followup.sequence (account_id, id, name) VALUES (%s, %s, 's')", (account, account))
            cursor.execute("INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (%s, %s, 1)", (account, account))
            steps[account] = [(n, world.delay(), world.chance.choice(["elapsed", "business_days"])) for n in range(1, world.chance.randrange(2, 7))]
            cursor.executemany("INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, delay_unit, subject, body_text) "
                               "VALUES (%s, %s, 1, 'sequence', %s, %s, %s, %s, 'S', 'B')",
                               [(account, account, n, f"k{n}", delay, unit) for n, delay, unit in steps[account]])
        leads = {}
        for number in range(1, LEADS + 1):
            zone = world.zone()
            # Later than the clock (its seconds would be unknown here); near changes.
            at = max(world.instant(zone), dt.datetime(2031, 1, 1, tzinfo=UTC) + number * dt.timedelta(minutes=97))
            leads[number] = (world.chance.randrange(1, ACCOUNTS + 1), zone, world.chance.choice(COUNTRIES), at)
        cursor.executemany("INSERT INTO followup.lead (id, account_id, timezone, country, email) VALUES (%s, %s, %s, %s, %s)",
                           [(n, account, zone.upper(), country, f"l{n}@l.example") for n, (account, zone, country, _) in leads.items()])
        scheduled = {}
        for number, (account, _, _, at) in leads.items():
            cursor.execute("SELECT due_at FROM followup.start_follow_up(%s, ARRAY[%s::bigint], %s, %s, %s)", (account, number, account, account, at))
            scheduled[number] = cursor.fetchone()[0]
        cursor.execute("SELECT c.lead_id, c.id, array_agg(p.due_at ORDER BY p.position) FROM followup.conversation AS c "
                       "CROSS JOIN LATERAL followup.preview(c.account_id, c.lead_id) AS p GROUP BY 1, 2")
        shown = {lead: (conversation, instants) for lead, conversation, instants in cursor.fetchall()}
    assert shown.keys() == leads.keys()
    for number, (account, zone, country, at) in leads.items():
        conversation, instants = shown[number]
        expected = []
        for position, delay, unit in steps[account]:
            at = world.calendars[account].plan(world.zones[zone], country, at, delay, unit, None, number if position == 1 else conversation)
            expected.append(at)
        assert [instant.astimezone(UTC) for instant in instants] == expected, f"lead {number} of account {account} in {zone}"
        assert scheduled[number] == expected[0]


SOURCE = pathlib.Path(__file__).resolve().parents[2]
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def page_rows():
    """The table of docs/time.md: (zone, windows, holidays, base, delay, planned, what it shows)."""
    lines = (SOURCE / "docs/time.md").read_text(encoding="utf-8").splitlines()
    start = lines.index("| zone | windows | holidays | base | delay | planned | what it shows |")
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[start + 2:] if line.startswith("|")]


def instant(text):
    """'2026-03-08 03:30-04'"""
    offset = re.search(r"[+-]\d\d(:\d\d)?$", text).group()
    return dt.datetime.fromisoformat(text if ":" in offset else text + ":00")


def windows_of(text):
    """'Mon-Fri 09:00-17:00'"""
    if text == "-":
        return []
    first, last, opens, closes = re.fullmatch(r"(\w+)(?:-(\w+))? ([\d:]+)-([\d:]+)", text).groups()
    days = range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1)
    return [(day + 1, dt.time.fromisoformat(opens), None if closes == "24:00" else dt.time.fromisoformat(closes)) for day in days]


def test_the_pages_table_of_clock_changes_is_true():
    rows = page_rows()
    assert {row[0] for row in rows} == {"America/New_York", "Europe/Berlin", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Apia"}
    for zone, windows, holidays, base, delay, planned, says in rows:
        free = [("XX", dt.date.fromisoformat(day)) for day in holidays.split(", ") if day != "-"]
        expected = Calendar(windows_of(windows), free, 1, dt.timedelta()).plan(
            ZoneInfo(zone), "xx", instant(base).astimezone(UTC), int(delay.split()[0]) * DAY, "business" if "business" in delay else "elapsed", None, 1)
        assert expected == instant(planned), says
        for text in (base, planned):    # the offset written is the zone's at that instant
            assert instant(text).utcoffset() == instant(text).astimezone(ZoneInfo(zone)).utcoffset(), f"{zone} {text}"


def test_the_pages_table_is_the_one_that_pgtap_runs():
    text = (SOURCE / "tests/sql/clock_changes.sql").read_text(encoding="utf-8")
    cell = "'((?:[^']|'')*)'"
    rows = re.findall(r"^    \(" + ", ".join([cell] * 7) + r"\)[,;]$", text, re.M)
    assert [tuple(value.replace("''", "'") for value in row) for row in rows] == page_rows()


ENGINE_LEADS = 240
ENGINE_RATE = 21_600        # six hours a second: from Friday evening over a change of clocks to Wednesday


@pytest.mark.timeout(180)
def test_the_engine_sends_at_the_instants_that_preview_had_shown(database, sandbox, daemon):
    business_of = database.fast_clock(rate=ENGINE_RATE, business=dt.datetime(2026, 3, 27, 16, tzinfo=UTC))
    chance = random.Random(SEED)
    zones = ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Apia"]
    windows = {1: [(day, 9, 17) for day in range(1, 6)], 2: [], 3: [(day, 6, 22) for day in range(1, 8)]}
    leads = {}
    with database.connect() as connection, connection.cursor() as cursor:
        for account, opened in windows.items():
            cursor.execute("INSERT INTO followup.account (id, name, timezone, jitter_max) VALUES (%s, %s, 'Europe/Berlin', %s)",
                           (account, f"a{account}", dt.timedelta(minutes=20 * (account - 1))))
            cursor.execute("INSERT INTO followup.assistant (account_id, id, name, from_address) VALUES (%s, %s, 'Ann', 'ann@a.example')", (account, account))
            cursor.execute("INSERT INTO followup.sequence (account_id, id, name) VALUES (%s, %s, 's')", (account, account))
            cursor.execute("INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (%s, %s, 1)", (account, account))
            cursor.executemany("INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, delay_unit, subject, body_text) "
                               "VALUES (%s, %s, 1, 'sequence', %s, %s, %s, %s, 'S', 'B')",
                               [(account, account, 1, "a", "1 hour", "elapsed"), (account, account, 2, "b", "20 hours", "elapsed"),
                                (account, account, 3, "c", "1 day", "business_days")])
            cursor.executemany("INSERT INTO followup.send_window (account_id, weekday, opens, closes) VALUES (%s, %s, make_time(%s, 0, 0), make_time(%s, 0, 0))",
                               [(account, *window) for window in opened])
        cursor.execute("INSERT INTO followup.holiday (country, date, name) VALUES ('DE', '2026-03-30', 'a Monday'), ('JP', '2026-03-28', 'a Saturday')")
        for number in range(ENGINE_LEADS):
            account = 1 + number % 3
            cursor.execute("INSERT INTO followup.lead (account_id, id, email, timezone, country, sequence_id) VALUES (%s, %s, %s, %s, %s, %s)",
                           (account, number + 1, f"l{number + 1}@l.example", chance.choice(zones), chance.choice(["DE", "JP", None]), account))
        cursor.execute("SELECT l.id, array_agg(p.due_at ORDER BY p.position) FROM followup.lead AS l CROSS JOIN LATERAL followup.preview(l.account_id, l.id) AS p GROUP BY 1")
        leads = dict(cursor.fetchall())
    assert len(leads) == ENGINE_LEADS
    daemon()
    ledger = sandbox.wait_for_ledger(3 * ENGINE_LEADS, seconds=120)
    # In a second six hours go by, so one may find its window closed when it is claimed, and says so.
    late = {lead for (lead,) in database.rows("SELECT lead_id FROM followup.message WHERE planned_reason LIKE 'planned anew%%'")}
    assert len(late) < ENGINE_LEADS // 2
    left = {}
    for line in sorted(ledger, key=lambda line: line["due_ms"]):
        assert business_of(line["at_us"]) >= EPOCH + dt.timedelta(milliseconds=line["due_ms"]), f"early: {line}"
        left.setdefault(int(line["to"].split("@")[0][1:]), []).append(line["due_ms"])
    for lead in leads.keys() - late:
        assert left[lead] == [microseconds(shown) // 1000 for shown in leads[lead]], f"lead {lead}"
