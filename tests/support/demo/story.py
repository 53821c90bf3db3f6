"""story: one week of a sales team, played against the real programs and judged by the oracle.

Monday 08:00 in Berlin, 200 leads in six zones, a send window from 09:00 to 17:00 in each lead's own, a holiday in Britain.
People skip, stop, hold, restart and continue; leads reply, bounce, unsubscribe and leave their companies; the CRM says that
some have bought; an assistant may write to five a day; the account is paused for an evening, and the daemon is killed in
the middle of a burst.
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
HOLIDAYS = {"GB": ["2026-09-09"]}
CAP_PER_DAY = 5
LEADS = SOURCE / "docs/examples/leads.csv"
SEQUENCE = SOURCE / "docs/examples/sequence.json"
TAIL = dt.timedelta(hours=3)    # of business time, after the last message: what is too much would arrive now
SUB_STATES = ("InvalidEmail", "BounceRisk", "ServerUnReachable", "SpamTrap", "Disposable", "BounceDeactivated",
              "CannotDetermine", "Retired", "MovedOut", "ReferredSomeone")


def at(days, hour, minute=0):
    """An instant of the story, on Berlin's wall clock."""
    return START.replace(hour=hour, minute=minute) + dt.timedelta(days=days)


def step(key, subject, delay="0"):
    return {"key": key, "kind": "sequence", "delay": delay, "subject": subject, "body_text": f"{subject}?"}


def sequences():
    """The example, the same with a step added later, and two of one and two steps."""
    welcome = json.loads(SEQUENCE.read_text(encoding="utf-8"))
    return {
        "welcome": welcome,
        "longer": {**welcome, "steps": [*welcome["steps"], step("bonus", "One more thing", "1 hour")]},
        "invitation": {"name": "Invitation", "steps": [step("invitation", "You are invited")]},
        "second": {"name": "Second chance", "steps": [step("again", "Shall we try again"), step("last", "A last word", "3 hours")]},
    }


def cast():
    """Who is who: groups of leads by zone, taken in the order of the file."""
    zones, british, numbers = {}, [], {}
    with open(LEADS, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            zones.setdefault(row["timezone"], []).append(row["email"])
            numbers[row["email"]] = row["external_id"]
            if row["country"] == "GB":
                british.append(row["email"])
    berlin, new_york = zones["Europe/Berlin"], zones["America/New_York"]
    kolkata, tokyo, los_angeles = zones["Asia/Kolkata"], zones["Asia/Tokyo"], zones["America/Los_Angeles"]
    invited = british[-12:]
    return numbers, {
        "all": [email for emails in zones.values() for email in emails],
        "everyone": [email for emails in zones.values() for email in emails if email not in invited],
        "invited": invited,
        "bounced": kolkata[0:4],
        "unsubscribed": kolkata[4:8],
        "bought": tokyo[0:3],
        "not bought": tokyo[3:6],
        "gone": los_angeles[0:10],
        "skipped": berlin[0:4] + new_york[0:4],
        "stopped": berlin[4:8] + new_york[4:8],
        "held": new_york[8:12],
        "restarted": berlin[8:12],
        "replied": berlin[12:16],
        "second chance": berlin[16:20],
    }


# What happens, in order: (instant, who, what, more about it). A kill is no event of any lead.
SCRIPT = [
    (at(0, 8, 30), "everyone", "start", {}),
    (at(0, 8, 40), "invited", "invite", {}),
    (at(0, 14), "bounced", "bounce", {}),
    (at(0, 14, 30), "unsubscribed", "unsubscribe", {}),
    (at(0, 15), "bought", "crm", {"code": 9, "action": "stop"}),
    (at(0, 15, 30), "not bought", "crm", {"code": 12, "action": "nothing"}),
    (at(1, 11), "gone", "deactivate", {}),
    (at(1, 12), "skipped", "skip", {}),
    (at(1, 13), "stopped", "stop", {}),
    (at(1, 13, 30), "held", "hold", {"until": at(3, 12)}),
    (at(1, 14), "replied", "reply", {}),
    (at(1, 15), None, "kill", {}),          # 09:00 in New York: its leads' second message is leaving
    (at(2, 11), "restarted", "restart", {}),
    (at(2, 11, 30), "second chance", "second_chance", {}),
    (at(2, 14, 30), None, "add_step", {}),
    (at(2, 15), "replied", "continue", {}),
    (at(2, 17), "all", "pause", {}),        # the leads in Los Angeles are due meanwhile
    (at(2, 21), "all", "resume", {}),
]


class Player:
    """Plays the script: does each thing as a person or an integration would, and keeps what the oracle must know of it."""

    def __init__(self, stage, say):
        self.stage, self.say = stage, say
        self.numbers, self.groups = cast()
        self.sequences = sequences()
        self.events = []

    def play(self):
        for instant, group, how, more in SCRIPT:
            self.stage.sleep_until(instant)
            leads = self.groups.get(group, [])
            before = self.stage.now()
            effect = getattr(self, "do_" + how)(leads, more) or {}
            if group:
                known = {"action": how, **{key: more[key] for key in ("action",) if key in more}, **effect}
                self.events.append({**known, "leads": leads, "from": before.isoformat(), "to": self.stage.now().isoformat()})
                self.say(f"{instant:%A %H:%M}  {how.replace('_', ' ')}: {len(leads)} leads")

    # --- as a person would ------------------------------------------------------------------------------------------

    def act(self, verb, leads, *words, done=None):
        self.stage.ctl(verb, "--account", ACCOUNT, "--note", "the story", "--yes", len(leads) if done is None else done,
                       *words, *leads)

    def do_start(self, leads, _more):
        """At an instant that is named, so that everything after it is known to the microsecond."""
        instant = at(0, 9, 30).isoformat()
        self.act("start", leads, "--sequence", self.sequences["welcome"]["name"], "--assistant", "Ada", "--at", instant)
        return {"at": instant}

    def do_invite(self, leads, _more):
        """By an assistant with a daily cap."""
        instant = at(0, 9, 30).isoformat()
        self.act("start", leads, "--sequence", "Invitation", "--assistant", "Bea", "--at", instant)
        return {"action": "start", "at": instant, "sequence": self.sequences["invitation"]}

    def do_skip(self, leads, _more):
        self.act("skip", leads)

    def do_stop(self, leads, _more):
        self.act("stop", leads)

    def do_hold(self, leads, more):
        self.act("hold", leads, "--until", more["until"].isoformat())
        return {"until": more["until"].isoformat()}

    def do_restart(self, leads, _more):
        self.act("restart", leads)

    def do_second_chance(self, leads, _more):
        """On another sequence, together with the ten who cannot be: they are left alone, each for its own reason."""
        self.act("restart", [*leads, *self.groups["gone"]], "--sequence", "Second chance", done=len(leads))
        return {"action": "restart", "sequence": self.sequences["second"]}

    def do_continue(self, leads, _more):
        self.act("continue", leads)
        return {"sequence": self.sequences["longer"]}

    def do_pause(self, _leads, _more):
        self.stage.ctl("pause", "--account", ACCOUNT)

    def do_resume(self, _leads, _more):
        self.stage.ctl("resume", "--account", ACCOUNT)

    def do_add_step(self, _leads, _more):
        import_sequence(self.stage, self.sequences["longer"])
        self.say(f"{self.stage.now().astimezone(ZONE):%A %H:%M}  a step is added to the sequence")

    # --- as an integration would: with the id of the message that the lead got last -----------------------------------

    def tell(self, sql, leads, *more):
        last = {line["to"]: int(line["message_id"].removeprefix("m-")) for line in self.stage.ledger()}
        for number, lead in enumerate(leads):
            self.stage.database.execute(f"SELECT followup.{sql}", {
                "account": 1, "message": last[lead], "lead": lead, **{key: values[number] for key, values in more}})

    def do_reply(self, leads, _more):
        self.tell("record_reply(p_account => %(account)s, p_message => %(message)s, p_from => %(lead)s,"
                  " p_subject => 'Re: your message', p_body => 'What does delivery cost?', p_outcome => 'further_action')", leads)

    def do_deactivate(self, leads, _more):
        """Ten answers that end it, one for each sub-state."""
        self.tell("record_reply(p_account => %(account)s, p_message => %(message)s, p_from => %(lead)s, p_subject => 'Re',"
                  " p_body => '', p_outcome => 'deactivate:' || %(sub_state)s)", leads, ("sub_state", SUB_STATES))
        return {"action": "stop"}

    def do_bounce(self, leads, _more):
        self.tell("record_bounce(p_account => %(account)s, p_message => %(message)s, p_kind => 'hard',"
                  " p_detail => 'no such user')", leads)

    def do_unsubscribe(self, leads, _more):
        self.tell("unsubscribe(p_account => %(account)s, p_message => %(message)s)", leads)

    def do_crm(self, leads, more):
        for lead in leads:
            self.stage.ctl("crm", "status", "HigherGear", self.numbers[lead], more["code"], "--account", ACCOUNT)

    # --- and what nobody wants ----------------------------------------------------------------------------------------

    def do_kill(self, _leads, _more):
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
        return {"timezone": str(ZONE), "windows": WINDOWS, "holidays": HOLIDAYS, "origin": self.stage.origin,
                "events": self.events, "caps": [{"leads": self.groups["invited"], "per_day": CAP_PER_DAY}],
                "end": end.isoformat()}


def import_sequence(stage, document):
    path = stage.folder / f"{document['name']}.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    stage.ctl("sequence", "import", path, "--account", ACCOUNT)


def set_up(stage):
    stage.ctl("account", "add", ACCOUNT, "--timezone", str(ZONE), "--postal-address", "Demo GmbH, Unter den Linden 1, Berlin")
    for name, more in (("Ada", ()), ("Bea", ("--daily-cap", CAP_PER_DAY))):
        stage.ctl("assistant", "add", name, "--account", ACCOUNT, "--title", "Sales assistant", "--from-address",
                  f"{name.lower()}@demo.example", "--reply-domain", "in.demo.example", "--signature", name, *more)
    for key in ("welcome", "invitation", "second"):
        import_sequence(stage, sequences()[key])
    with stage.database.cursor() as cursor:
        cursor.executemany("INSERT INTO followup.send_window (account_id, weekday, opens, closes) "
                           "SELECT id, %s, %s, %s FROM followup.account", WINDOWS)
        cursor.executemany("INSERT INTO followup.holiday (country, date, name) VALUES (%s, %s, 'a day off')",
                           [(country, day) for country, days in HOLIDAYS.items() for day in days])


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
    last = max(at[1] for lead in oracle.expect(LEADS, player.sequences["welcome"], story).values() for _, _, at in lead.expected)
    say(f"the last message is due on {last.astimezone(ZONE):%A %H:%M}; waiting for it, about a minute")
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
