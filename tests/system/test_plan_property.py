"""Whatever the calendar, the zone and the delay: a message is planned at the instant an independent oracle says, to the
microsecond. test_engine_instants has messages leave at what was shown."""

import datetime as dt
import pathlib
import random
import re
from zoneinfo import ZoneInfo

import pytest
from calendar_oracle import DAY, UTC, Calendar, reading_at
from extent import SEED
from random_calendars import RandomCalendars

PLANS = 10_000
ACCOUNTS = 60
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


class World(RandomCalendars):
    """Thirty years of calendars, and what to plan in them."""

    def __init__(self, database, chance):
        super().__init__(database, chance, ACCOUNTS, first=dt.date(2006, 1, 1), days=30 * 365)
        self.changes = {}

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
        asked.append((number, world.chance.randrange(1, ACCOUNTS + 1), zone, world.country(), base, world.delay(),
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
        expected = world.of[account].plan(world.zones[zone], country, base, delay, unit, not_before, seed)
        assert planned[number] == microseconds(expected), \
            f"account {account} {zone} {country} base {base} + {delay} {unit}, not before {not_before}, seed {seed}: " \
            f"expected {expected}, that is {expected and reading_at(expected, world.zones[zone])}"
        moved += expected != base + delay
    assert moved > PLANS // 4       # the calendars did have something to say


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
    assert {row[0] for row in rows} == {"America/New_York", "Europe/Berlin", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Apia",
                                         "America/Asuncion", "America/St_Johns"}
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
