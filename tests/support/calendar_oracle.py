#!/usr/bin/python3
"""The oracle of planning: says at which instant a message must be planned, from an account's calendar and zoneinfo alone.

It exists to disagree with followup.plan_at, so it shares nothing with it: no SQL and no line of code. The rules are
those of docs/time.md, written down once more. Instants are aware datetimes in UTC; None is "never".

    calendar = Calendar([(1, dt.time(9), dt.time(17))], [("DE", dt.date(2026, 10, 3))], account=7, jitter_max=dt.timedelta(0))
    calendar.plan(zone, country, base, delay, "elapsed", not_before, seed)
"""
import datetime as dt
import functools
import hashlib

UTC = dt.timezone.utc
DAYS_MAX = 400
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
MICROSECOND = dt.timedelta(microseconds=1)


def instant_of(local, zone):
    """The instant of a wall clock's reading: the first pass of an hour that comes twice (fold=0); in a gap the offset that
    was in force before it."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def reading_at(instant, zone):
    """What a wall clock in the zone shows."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


@functools.lru_cache(maxsize=None)
def changes(first, days, zone):
    """The instants of so many days of UTC at which the zone's clocks are changed: on a full minute, and never twice a day."""
    found = [dt.datetime.combine(first, dt.time(0), UTC) - MINUTE]
    for step, parts in (DAY, days), (HOUR, 24), (MINUTE, 60):
        parts_of = [one + n * step for one in found for n in range(parts)]
        found = [one for one in parts_of if one.astimezone(zone).utcoffset() != (one + step).astimezone(zone).utcoffset()]
    return [one + MINUTE for one in found]


def exists(day, zone):
    """Zones have left out days (Apia's 30 December 2011)."""
    return reading_at(instant_of(dt.datetime.combine(day, dt.time(12)), zone), zone).date() == day


class Calendar:
    """An account's windows [(iso weekday, opens, closes; None: the day's end)], holidays [(country or None, date)], jitter."""

    def __init__(self, windows, holidays, account, jitter_max):
        self.windows = windows
        self.holidays = {(country.lower() if country else None, day) for country, day in holidays}
        self.account = account
        self.jitter_max = jitter_max

    def closed_all_day(self, day, country):
        return (None, day) in self.holidays or (country is not None and (country.lower(), day) in self.holidays)

    def has_window(self, day):
        return any(weekday == day.isoweekday() for weekday, _, _ in self.windows)

    def is_business_day(self, day, country, zone):
        working = self.has_window(day) if self.windows else day.isoweekday() <= 5
        return working and not self.closed_all_day(day, country) and exists(day, zone)

    def is_open(self, reading, country):
        """May a message leave while the wall clock shows this?"""
        if self.closed_all_day(reading.date(), country):
            return False
        return not self.windows or any(
            weekday == reading.isoweekday() and opens <= reading.time() and (closes is None or reading.time() < closes)
            for weekday, opens, closes in self.windows)

    def openings(self, day, zone):
        """The instants of a day of UTC at which a window may open: the clock shows its opening, for the first time or again, or
        it is changed."""
        readings = [dt.datetime.combine(local, opens) for local in (day - DAY, day, day + DAY)
                    for weekday, opens, _ in self.windows if weekday == local.isoweekday()]
        found = [reading.replace(tzinfo=zone, fold=fold).astimezone(UTC) for reading in readings for fold in (0, 1)]
        return [one for one in found if one.date() == day] + changes(day, 1, zone)

    def same_time(self, day, asked, zone):
        """What a holiday is waited for without windows: the time asked for on another day, if there is such a day."""
        found = instant_of(dt.datetime.combine(day, asked.time()), zone)
        return [found] if reading_at(found, zone).date() == day else []

    def sendable(self, at, country, zone):
        asked = reading_at(at, zone)
        if self.is_open(asked, country):
            return at
        for ahead in range(DAYS_MAX + 1):
            found = self.openings(at.date() + ahead * DAY, zone) if self.windows else self.same_time(asked.date() + ahead * DAY, asked, zone)
            found = [one for one in found if one > at and self.is_open(reading_at(one, zone), country)]
            if found:
                return min(found)
        return None

    def delayed(self, zone, country, base, delay, unit):
        if unit == "elapsed":
            return base + delay
        days, rest = divmod(delay, DAY)
        reading, barren = reading_at(base, zone), 0
        while days > 0:
            reading += DAY
            if self.is_business_day(reading.date(), country, zone):
                days, barren = days - 1, 0
            else:
                barren += 1
                if barren > DAYS_MAX:
                    return None
        return instant_of(reading, zone) + rest

    def jitter(self, seed):
        """A share of jitter_max in whole microseconds: 24 bits of MD5 over "account/seed"."""
        share = int(hashlib.md5(f"{self.account}/{seed}".encode()).hexdigest()[:6], 16)
        return (self.jitter_max // MICROSECOND * share >> 24) * MICROSECOND

    def plan(self, zone, country, base, delay, unit, not_before, seed):
        at = self.delayed(zone, country, base, delay, unit)
        if at is None:
            return None
        if not_before is not None:
            at = max(at, not_before)
        return self.sendable(at + self.jitter(seed), country, zone)
