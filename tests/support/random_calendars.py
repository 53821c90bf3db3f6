"""random_calendars: accounts with random send windows, holidays and jitter, written into a database and told to the oracle.

    calendars = RandomCalendars(database, random.Random(seed), accounts=60, first=dt.date(2006, 1, 1), days=30 * 365)
    calendars.of[7].plan(calendars.zones["Asia/Tokyo"], "us", base, delay, "elapsed", None, seed)

Every sixth account has nothing, the next ones holidays alone, jitter alone, and three of six have windows, with or without
the rest.
"""

import datetime as dt
from zoneinfo import ZoneInfo, available_timezones

from calendar_oracle import DAY, UTC, Calendar

COUNTRIES = ["DE", "us", "Japan", "AU", None]
ODD_ZONES = ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo",
             "Asia/Beirut", "America/Nuuk", "Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns", "Europe/Dublin",
             "America/Asuncion", "Antarctica/Casey"]
DAY_US = 86_400_000_000
DAYS_A_HOLIDAY = 27         # of all countries together
DAYS_AN_OWN_HOLIDAY = 55    # of an account


class RandomCalendars:
    def __init__(self, database, chance, accounts, first, days, long_breaks=True, windows=(1, 9), window_minutes_min=15):
        self.chance = chance
        self.first, self.days = first, days
        self.window_counts, self.window_minutes_min = range(windows[0], windows[1] + 1), window_minutes_min
        self.of = {}
        known = {name for (name,) in database.rows("SELECT name FROM followup.timezone WHERE lower(name) = key")}
        self.zones = {name: ZoneInfo(name) for name in sorted(known & available_timezones())}
        self.shared = list({(chance.choice(COUNTRIES[:4]), self.day()) for _ in range(days // DAYS_A_HOLIDAY + 1)})
        with database.connect() as connection, connection.cursor() as cursor:
            with cursor.copy("COPY followup.holiday (account_id, country, date, name) FROM STDIN") as copy:
                for country, day in self.shared:
                    copy.write_row((None, country, day, "a holiday"))
            for account in range(1, accounts + 1):
                self._add_account(cursor, account, long_breaks)

    def day(self):
        return self.first + self.chance.randrange(self.days) * DAY

    def zone(self):
        return self.chance.choice(ODD_ZONES) if self.chance.random() < 0.5 else self.chance.choice(list(self.zones))

    def country(self):
        return self.chance.choice(COUNTRIES)

    def _add_account(self, cursor, account, long_breaks):
        chance = self.chance
        kind = account % 6      # 0: nothing at all, 1: holidays alone, 2: jitter alone, 3..5: windows
        jitter = dt.timedelta(microseconds=chance.choice([0, chance.randrange(1, DAY_US)])) if kind > 1 else dt.timedelta()
        windows = [] if kind < 3 else self._windows()
        own = [] if kind in (0, 2) else [(self.country(), self.day()) for _ in range(self.days // DAYS_AN_OWN_HOLIDAY + 1)]
        if kind == 1 and long_breaks:       # two weeks of holidays in a row, and around Apia's missing day
            first = self.day()
            own += [(None, first + n * DAY) for n in range(14)] + [(None, dt.date(2011, 12, 29))]
        own = list(set(own))
        cursor.execute("INSERT INTO followup.account (id, name, postal_address, jitter_max) VALUES (%s, %s, 'Street 1', %s)", (account, f"a{account}", jitter))
        cursor.executemany("INSERT INTO followup.send_window (account_id, weekday, opens, closes) VALUES (%s, %s, %s, coalesce(%s, '24:00'::time))",
                           [(account, *window) for window in windows])
        cursor.executemany("INSERT INTO followup.holiday (account_id, country, date, name) VALUES (%s, %s, %s, 'own')",
                           [(account, *holiday) for holiday in own])
        self.of[account] = Calendar(windows, self.shared + own, account, jitter)

    def _windows(self):
        chance, found = self.chance, {}
        for _ in range(chance.choice(self.window_counts)):
            minutes = (0, 0)
            while minutes[1] - minutes[0] < self.window_minutes_min:
                minutes = sorted(chance.sample(range(0, 1440, chance.choice([15, 60])), 2)) \
                    if chance.random() < 0.5 else sorted(chance.sample(range(0, 240, 15), 2))   # at night, where changes are
            opens, closes = (dt.time(m // 60, m % 60) for m in minutes)
            found[chance.randrange(1, 8), opens] = None if chance.random() < 0.1 else closes
        return [(weekday, opens, closes) for (weekday, opens), closes in found.items()]
