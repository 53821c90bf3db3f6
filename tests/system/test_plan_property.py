"""Whatever the calendar, the zone and the delay: a message is planned at the instant an independent oracle says, to the
microsecond. test_engine_instants has messages leave at what was shown."""

import datetime as dt
import pathlib
import random
import re
from zoneinfo import ZoneInfo

import pytest
from calendar_oracle import DAY, UTC, Calendar, changes, reading_at
from extent import SEED
from random_calendars import DAY_US, RandomCalendars

PLANS = 10_000
ACCOUNTS = 60
YEARS = 30
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = dt.timedelta(microseconds=1)
QUARTER = dt.timedelta(minutes=15)


def microseconds(instant):
    return None if instant is None else (instant - EPOCH) // MICROSECOND


class World(RandomCalendars):
    """Thirty years of calendars, and what to plan in them: half of it for the nights in which clocks are changed."""

    def __init__(self, database, chance):
        super().__init__(database, chance, ACCOUNTS, first=dt.date(2006, 1, 1), days=YEARS * 365)
        self.punctual = [account for account, calendar in self.of.items() if calendar.windows and not calendar.jitter_max]

    def _windows(self):
        """Two of three accounts that have windows have one each night, in the hours that a change of clocks leaves out or repeats."""
        if self.chance.random() < 1 / 3:
            return super()._windows()
        windows, hours = [], [range(0, 241, 15), range(0, 241, 15), range(1365, 1441, 15)]
        for weekday in range(1, 8):
            opens, closes = sorted(self.chance.sample(self.chance.choice(hours), 2))
            windows.append((weekday, dt.time(opens // 60, opens % 60), None if closes == 1440 else dt.time(closes // 60, closes % 60)))
        return windows

    def instant(self):
        """Seldom a round number."""
        return dt.datetime.combine(self.day(), dt.time(0), UTC) + self.chance.choice([MICROSECOND, QUARTER]) * self.chance.randrange(96) \
            + self.chance.choice([0, self.chance.randrange(DAY_US)]) * MICROSECOND

    def night(self):
        """A zone, and an instant from eight hours before a change of its clocks to three after it."""
        while True:
            zone, year = self.zone(), dt.date(self.first.year + self.chance.randrange(YEARS), 1, 1)
            if changed := changes(year, 366, self.zones[zone]):
                return zone, self.chance.choice(changed) + self.chance.randrange(-32, 12) * QUARTER \
                    + self.chance.choice([0, self.chance.randrange(DAY_US // 96)]) * MICROSECOND

    def delay(self):
        return self.chance.choice([0, 0, 1, 1, 2, 3, 5, 10, 30]) * DAY \
            + self.chance.choice([0, 0, DAY_US // 24, self.chance.randrange(DAY_US)]) * MICROSECOND

    def question(self):
        """What plan_at is asked: account, zone, country, base, delay, unit, not_before, seed."""
        delay, unit = self.delay(), self.chance.choice(["elapsed", "business_days"])
        if self.chance.random() < 0.5:
            account = self.chance.choice(self.punctual)
            zone, at = self.night()
            base, not_before = at - delay, at
        else:
            account, zone, base = self.chance.randrange(1, ACCOUNTS + 1), self.zone(), self.instant()
            not_before = base + self.delay() + MICROSECOND * 7
        return account, zone, self.country(), base, delay, unit, self.chance.choice([None, None, not_before]), self.chance.randrange(1 << 62)


@pytest.fixture
def world(database):
    print(f"FOLLOWUPD_SEED={SEED}")
    return World(database, random.Random(SEED))


def planned(database, asked):
    """What plan_at answers: number -> microseconds, None for never."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE asked (number int, account bigint, zone text, country text, base timestamptz, "
                       "delay interval, unit followup.delay_unit, not_before timestamptz, seed bigint)")
        with cursor.copy("COPY asked FROM STDIN") as copy:
            for row in asked:
                copy.write_row(row)
        cursor.execute("SELECT number, CASE WHEN isfinite(at) THEN (extract(epoch FROM at) * 1000000)::bigint END FROM (SELECT number, "
                       "followup.plan_at(account, zone, country, base, delay, unit, not_before, seed) AS at FROM asked) AS planned")
        return dict(cursor.fetchall())


@pytest.mark.timeout(300)
def test_ten_thousand_random_plans_are_the_oracles(database, world):
    asked = [(number, *world.question()) for number in range(PLANS)]
    answers = planned(database, asked)
    assert len(answers) == PLANS
    moved = nights = 0
    for number, account, zone, country, base, delay, unit, not_before, seed in asked:
        calendar = world.of[account]
        expected = calendar.plan(world.zones[zone], country, base, delay, unit, not_before, seed)
        assert answers[number] == microseconds(expected), \
            f"account {account} {zone} {country} base {base} + {delay} {unit}, not before {not_before}, seed {seed}: " \
            f"expected {expected}, that is {expected and reading_at(expected, world.zones[zone])}"
        moved += expected != base + delay
        nights += bool(calendar.windows and expected and changes(expected.date(), 1, world.zones[zone]))
    print(f"{moved} moved, {nights} by windows to or on a day on which clocks are changed")
    assert moved > PLANS // 4       # the calendars did have something to say
    assert nights > PLANS // 20


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
