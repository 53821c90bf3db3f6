"""story: one week of a sales team, played against the real programs and judged by the oracle.

Monday 08:00 in Berlin, 200 leads in six zones, a send window from 09:00 to 17:00 in each lead's own. People skip, stop,
restart, a lead replies and is continued, and the daemon is killed in the middle of a burst.
"""
import csv
import datetime as dt
import json
import pathlib
import sys
import time
from zoneinfo import ZoneInfo

from stage import ACCOUNT, SOURCE

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import oracle  # noqa: E402  (tests/support is no package)

ZONE = ZoneInfo("Europe/Berlin")
START = dt.datetime(2026, 9, 7, 8, 0, tzinfo=ZONE)
RATE = 3600
WINDOWS = [(weekday, "09:00", "17:00") for weekday in range(1, 7)]
LEADS = SOURCE / "docs/examples/leads.csv"
SEQUENCE = SOURCE / "docs/examples/sequence.json"
TAIL = dt.timedelta(hours=3)    # of business time, after the last message: what is too much would arrive now


def at(days, hour, minute=0):
    """An instant of the story, on Berlin's wall clock."""
    return START.replace(hour=hour, minute=minute) + dt.timedelta(days=days)


def cast():
    """Who is who: groups of leads by zone, taken in the order of the file."""
    zones = {}
    with open(LEADS, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            zones.setdefault(row["timezone"], []).append(row["email"])
    berlin, new_york = zones["Europe/Berlin"], zones["America/New_York"]
    return {
        "everyone": [email for emails in zones.values() for email in emails],
        "skipped": berlin[0:4] + new_york[0:4],
        "stopped": berlin[4:8] + new_york[4:8],
        "restarted": berlin[8:12],
        "replied": berlin[12:16],
    }


# What happens, in order: (instant, who, what). A kill is not an event of any lead.
SCRIPT = [
    (at(0, 8, 30), "everyone", "start"),
    (at(1, 12), "skipped", "skip"),
    (at(1, 13), "stopped", "stop"),
    (at(1, 14), "replied", "reply"),
    (at(1, 15), None, "kill"),          # 09:00 in New York: its leads' second message is leaving
    (at(2, 11), "restarted", "restart"),
    (at(2, 15), "replied", "continue"),
]


class Player:
    def __init__(self, stage, say):
        self.stage, self.say = stage, say
        self.groups = cast()
        self.events = []

    def play(self):
        for instant, group, action in SCRIPT:
            self.stage.sleep_until(instant)
            if action == "kill":
                self.kill()
                continue
            leads = self.groups[group]
            before = self.stage.now()
            explicit = getattr(self, "do_" + action, self.do_action)(action, leads)
            event = {"action": action, "leads": leads, "from": before.isoformat(), "to": self.stage.now().isoformat()}
            if explicit:
                event["at"] = explicit.isoformat()
            self.events.append(event)
            self.say(f"{instant:%A %H:%M}  {action}: {len(leads)} leads")

    def do_action(self, action, leads):
        self.stage.ctl(action, "--account", ACCOUNT, "--note", "the story", "--yes", len(leads), *leads)

    def do_start(self, action, leads):
        """At an instant that is named, so that everything after it is known to the microsecond."""
        instant = at(0, 9, 30)
        self.stage.ctl(action, "--account", ACCOUNT, "--sequence", sequence_name(), "--assistant", "Ada", "--at",
                       instant.isoformat(), "--yes", len(leads), *leads)
        return instant

    def do_reply(self, _action, leads):
        """A lead answers the last message it got, as an integration would report it."""
        last = {line["to"]: line["message_id"] for line in self.stage.ledger()}
        for lead in leads:
            message = int(last[lead].removeprefix("m-"))
            self.stage.database.execute(
                "SELECT followup.record_reply(p_account => (SELECT id FROM followup.account WHERE name = %s),"
                " p_message => %s, p_from => %s, p_subject => 'Re: your message', p_body => 'Could you call me?')",
                (ACCOUNT, message, lead))

    def kill(self):
        """In the middle of the burst: as soon as some of it has left."""
        before = len(self.stage.ledger())
        deadline = time.monotonic() + 2
        while len(self.stage.ledger()) < before + 3 and time.monotonic() < deadline:
            time.sleep(0.001)
        self.stage.kill_daemon()
        left = len(self.stage.ledger()) - before
        self.stage.start_daemon()
        self.say(f"{self.stage.now().astimezone(ZONE):%A %H:%M}  kill -9 of the daemon, {left} messages into a burst, and a new one")

    def story(self, end):
        return {"timezone": str(ZONE), "windows": WINDOWS, "origin": self.stage.origin, "events": self.events,
                "end": end.isoformat()}


def sequence_name():
    return json.loads(SEQUENCE.read_text(encoding="utf-8"))["name"]


def set_up(stage):
    stage.ctl("account", "add", ACCOUNT, "--timezone", str(ZONE), "--postal-address", "Demo GmbH, Unter den Linden 1, Berlin")
    stage.ctl("assistant", "add", "Ada", "--account", ACCOUNT, "--title", "Sales assistant", "--from-address",
              "ada@demo.example", "--reply-domain", "in.demo.example", "--signature", "Ada")
    stage.ctl("sequence", "import", SEQUENCE, "--account", ACCOUNT)
    with stage.database.cursor() as cursor:
        cursor.executemany("INSERT INTO followup.send_window (account_id, weekday, opens, closes) "
                           "SELECT id, %s, %s, %s FROM followup.account", WINDOWS)


def play_once(stage):
    """Plays the story to its end; the exit status."""
    def say(text):
        print(f"  {text}", flush=True)

    set_up(stage)
    stage.ctl("lead", "import", LEADS, "--account", ACCOUNT)
    stage.start_sandbox()
    stage.clock_starts(START, RATE)
    stage.start_daemon()
    say(f"{START:%A %H:%M} in Berlin; an hour passes in a second")
    player = Player(stage, say)
    player.play()
    story = player.story(START + dt.timedelta(days=7))
    leads = oracle.expect(LEADS, json.loads(SEQUENCE.read_text(encoding="utf-8")), story)
    last = max(at[1] for lead in leads.values() for _, _, at in lead.expected)
    say(f"the last message is due on {last.astimezone(ZONE):%A %H:%M}; waiting for it, about a minute")
    stage.sleep_until(last + TAIL)
    stage.sleep_until(last + TAIL)
    (stage.folder / "played.json").write_text(json.dumps(story, indent=1), encoding="utf-8")
    return report(oracle.judge(LEADS, SEQUENCE, story, stage.ledger_path))


def report(verdict):
    rows = [("leads", verdict["leads"]), ("messages expected", verdict["expected"]), ("messages arrived", verdict["arrived"]),
            ("real lateness p50", f"{verdict['late_ms_p50']} ms"), ("real lateness p99", f"{verdict['late_ms_p99']} ms"),
            ("real lateness max", f"{verdict['late_ms_max']} ms"), ("disagreements", len(verdict["problems"]))]
    print()
    for name, value in rows:
        print(f"  {name:<20} {value:>10}")
    for problem in verdict["problems"][:20]:
        print(f"  {problem}")
    print("\n  the ledger is what the oracle expected" if not verdict["problems"] else "\n  the oracle disagrees")
    return 1 if verdict["problems"] else 0
