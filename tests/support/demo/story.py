"""story: one week of a sales team, played against the real programs and judged by the oracle.

Monday 05:00 in Berlin, 200 leads in six zones, a send window from 09:00 to 17:00 in each lead's own, a holiday in Britain.
Each assistant writes through a provider of its own. People skip, stop, hold, restart and continue; leads reply, bounce,
complain, unsubscribe and leave their companies, which their providers tell by signed webhooks and inbound mail; the CRM says
that some have bought; an assistant may write to five a day; the account is paused for an evening, and the daemon is killed
in the middle of a burst. What is in doubt then and its provider cannot be asked about, a person looks up there.
"""
import collections
import csv
import datetime as dt
import json
import pathlib
import sys
import time
from zoneinfo import ZoneInfo

from stage import ACCOUNT, ANSWERED, PROVIDERS, SOURCE, TELLING

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import oracle  # noqa: E402  (tests/support is no package)

ZONE = ZoneInfo("Europe/Berlin")
START = dt.datetime(2026, 9, 7, 5, 0, tzinfo=ZONE)
RATE = 3600
WINDOWS = [(weekday, "09:00", "17:00") for weekday in range(1, 7)]
HOLIDAYS = {"GB": ["2026-09-09"]}
CAP_PER_DAY = 5
LEADS = SOURCE / "docs/examples/leads.csv"
SEQUENCE = SOURCE / "docs/examples/sequence.json"
TAIL = dt.timedelta(hours=3)    # of business time, after the last message: what is too much would arrive now
DOUBT_AFTER = dt.timedelta(seconds=2)   # of real time: then nothing settles it any more but a person
BURST_SECONDS_MAX = 15                  # until the next burst, should this one have passed
EVENT_SECONDS_MAX = 60                  # until what a lead did has taken effect
WRITERS = {"Ada": "sendgrid", "Ben": "mailgun", "Cleo": "postmark", "Dora": "resend", "Emil": "ses"}
CAPPED = "Fay"                          # she invites, through an API of our own (generic)
STILL_WAITING = "I was told that somebody would call me, but I haven't heard anything."
LEAVING = [  # ten ways to be deactivated: sub-state, the lead's provider, what the lead does; None: the check of addresses says so
    ("Retired", "sendgrid", "reply", "I have retired. Thank you for many good years."),
    ("MovedOut", "mailgun", "reply", "I left Quarry Studio in September, so this is not for me any more."),
    ("ReferredSomeone", "postmark", "reply", "I am not the right person. Please ask Tom Kern, tom.kern@stein.example."),
    ("BounceDeactivated", "resend", "bounce", None),
    ("CannotDetermine", "sendgrid", "bounce", "delivery failed, ask the postmaster"),
    *((verdict, provider, None, None) for verdict, provider in zip(
        ("InvalidEmail", "BounceRisk", "ServerUnReachable", "SpamTrap", "Disposable"), PROVIDERS)),
]


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


SHOWN = """
SELECT l.email, array_agg(p.step_key), array_agg(p.due_at::text)
  FROM followup.lead AS l CROSS JOIN LATERAL followup.preview(l.account_id, l.id) AS p
 WHERE l.email = ANY (%s) GROUP BY l.email"""
TAKEN = """
SELECT count(*) FROM followup.provider_event
 WHERE applied_at IS NOT NULL AND kind IN ('bounced', 'complained', 'unsubscribed', 'replied')"""
CAME_BACK = """
SELECT m.provider, m.sent, e.back
  FROM (SELECT provider, count(*) AS sent FROM followup.message WHERE sent_at IS NOT NULL GROUP BY 1) AS m
  LEFT JOIN (SELECT provider, string_agg(count || ' ' || kind, ', ' ORDER BY kind) AS back
               FROM (SELECT provider, kind, count(*) FROM followup.provider_event WHERE applied_at IS NOT NULL GROUP BY 1, 2) AS k
              GROUP BY 1) AS e USING (provider)
 ORDER BY m.provider"""
STATE = "SELECT concat_ws(', ', state, sub_state) FROM followup.lead WHERE email = %s"


class Cast:
    """Who is who. In each zone the writers take turns, in the order of the file; groups are taken by zone and provider."""

    def __init__(self):
        self.numbers, self.providers, self.free, british = {}, {}, {}, []
        with open(LEADS, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        british = [row["email"] for row in rows if row["country"] == "GB"]
        invited = british[-12:]
        for row in rows:
            self.numbers[row["email"]] = row["external_id"]
            if row["email"] not in invited:
                zone = self.free.setdefault(row["timezone"], [])
                self.providers[row["email"]] = list(WRITERS.values())[len(zone) % len(WRITERS)]
                zone.append(row["email"])
        everyone = list(self.providers)
        self.groups = {
            "all": list(self.numbers), "everyone": everyone, "invited": invited,
            "bounced": self.take("Asia/Kolkata", by=TELLING),
            "unsubscribed": self.take("Asia/Kolkata", by=("sendgrid", "postmark")),
            "complained": self.take("Asia/Kolkata", by=("mailgun", "resend")),
            "one click": self.take("Asia/Kolkata", by=("ses",)),
            "bought": self.take("Asia/Tokyo", 3),
            "not bought": self.take("Asia/Tokyo", 3),
            "gone": self.take("America/Los_Angeles", by=[provider for _, provider, _, _ in LEAVING]),
            "skipped": self.take("Europe/Berlin", 4) + self.take("America/New_York", 4),
            "stopped": self.take("Europe/Berlin", 4) + self.take("America/New_York", 4),
            "held": self.take("America/New_York", 4),
            "replied": self.take("Europe/Berlin", by=(*ANSWERED, "sendgrid")),
            "restarted": self.take("Europe/Berlin", 4),
            "second chance": self.take("Europe/Berlin", 4),
        }

    def take(self, zone, count=0, by=()):
        """The next leads of the zone: so many, or one for each provider named."""
        taken = []
        for provider in by or [None] * count:
            lead = next(email for email in self.free[zone] if provider in (None, self.providers[email]))
            self.free[zone].remove(lead)
            taken.append(lead)
        return taken


FIRST = at(0, 8)     # the first message is planned for then: hours before any window closes

# What happens, in order: (instant, who, what, more about it). A kill is no event of any lead.
SCRIPT = [
    (START, "everyone", "start", {}),
    (START, "invited", "invite", {}),
    (at(0, 14), "bounced", "bounce", {"action": "stop"}),
    (at(0, 14, 20), "unsubscribed", "unsubscribe", {"action": "stop"}),
    (at(0, 14, 40), "complained", "complaint", {"action": "stop"}),
    (at(0, 14, 50), "one click", "one_click", {"action": "stop"}),
    (at(0, 15, 10), "bought", "crm", {"code": 9, "action": "stop"}),
    (at(0, 15, 30), "not bought", "crm", {"code": 12, "action": "nothing"}),
    (at(0, 20), "gone", "leave", {"action": "stop"}),
    (at(1, 9, 30), "replied", "reply", {}),
    (at(1, 12), "skipped", "skip", {}),
    (at(1, 13), "stopped", "stop", {}),
    (at(1, 13, 30), "held", "hold", {"until": at(3, 12)}),
    (at(1, 15), None, "kill", {}),          # 09:00 in New York: its leads' second message is leaving
    (at(2, 11), "restarted", "restart", {}),
    (at(2, 11, 30), "second chance", "second_chance", {}),
    (at(2, 14, 30), None, "add_step", {}),
    (at(2, 15), "replied", "continue", {}),
    (at(2, 17), "all", "pause", {}),        # the leads in Los Angeles are due meanwhile
    (at(2, 21), "all", "resume", {}),
]


class Player:
    """Plays the script: does each thing as a person or an integration would, or has leads do it, and keeps what the oracle
    must know of it, with what was shown to be planned then."""

    def __init__(self, stage, say):
        self.stage, self.say = stage, say
        self.cast = Cast()
        self.sequences = sequences()
        self.events = []
        self.told = 0       # what leads did so far that their providers tell of

    def prepare(self):
        """What is done at the start, while time does not run fast yet."""
        self.play(lambda instant: instant == START)

    def play(self, chosen=lambda instant: instant > START):
        for instant, group, how, more in SCRIPT:
            if not chosen(instant):
                continue
            self.wait_until(instant)
            leads = self.cast.groups.get(group, [])
            before = self.stage.now()
            if group:
                self.tell(f"{how.replace('_', ' ')}: {len(leads)} leads")
            effect = getattr(self, "do_" + how)(leads, more) or {}
            if group:
                self.keep({"action": how, **{key: more[key] for key in ("action",) if key in more}, **effect}, leads, before)

    def keep(self, event, leads, before):
        after = self.stage.now()
        shown = self.stage.database.execute(SHOWN, [leads]).fetchall()
        event["shown"] = {email: dict(zip(keys, dues)) for email, keys, dues in shown}
        self.events.append({**event, "leads": leads, "from": before.isoformat(), "to": after.isoformat()})

    def wait_until(self, instant):
        while self.stage.now() < instant:
            self.settle_doubts()
            self.stage.sleep_until(min(instant, self.stage.now() + DOUBT_AFTER * RATE / 4))

    def settle_doubts(self):
        """As a person who looks into the provider's own log."""
        arrived, said = {line["message_id"] for line in self.stage.ledger()}, collections.Counter()
        for doubt in self.stage.ctl("in-doubt", "list", "--account", ACCOUNT):
            before = self.stage.now()
            if dt.datetime.now(dt.timezone.utc) - dt.datetime.fromisoformat(doubt["last_post_at"]) < DOUBT_AFTER:
                continue
            word = "sent" if f"m-{doubt['message_id']}" in arrived else "not_sent"
            try:
                [done] = self.stage.ctl("in-doubt", "settle", doubt["message_id"], word, "--account", ACCOUNT, "--note", "looked up")
            except RuntimeError as error:
                if "is not in doubt" in str(error):     # an event came meanwhile
                    continue
                raise
            said[doubt["provider"], word.replace("_", " ")] += 1
            if word == "not_sent":
                self.keep({"action": "again", "answered": {doubt["email"]: done["next_due_at"]}}, [doubt["email"]], before)
        for (provider, word), count in said.items():
            self.tell(f"in doubt at {provider}, a person looked there and settled: {count} {word}")

    def tell(self, text):
        self.say(f"{self.stage.now().astimezone(ZONE):%A %H:%M}  {text}")

    # --- as a person would ------------------------------------------------------------------------------------------

    def act(self, verb, leads, *words, done=None):
        """Answers what became planned by it."""
        answer = self.stage.ctl(verb, "--account", ACCOUNT, "--note", "the story", "--yes", len(leads) if done is None else done,
                                *words, *leads)
        return {"answered": {row["email"]: row["due_at"] for row in answer["leads"] if row.get("due_at")}}

    def do_start(self, leads, _more):
        """At an instant that is named, so that everything after it is known to the microsecond."""
        instant = FIRST.isoformat()
        start(self.stage, self.cast, leads, "--at", instant)
        return {"at": instant}

    def do_invite(self, leads, _more):
        """By an assistant with a daily cap."""
        instant = FIRST.isoformat()
        self.act("start", leads, "--sequence", "Invitation", "--assistant", CAPPED, "--at", instant)
        return {"action": "start", "at": instant, "sequence": self.sequences["invitation"]}

    def do_skip(self, leads, _more):
        return self.act("skip", leads)

    def do_stop(self, leads, _more):
        self.act("stop", leads)

    def do_hold(self, leads, more):
        self.act("hold", leads, "--until", more["until"].isoformat())
        return {"until": more["until"].isoformat()}

    def do_restart(self, leads, _more):
        return self.act("restart", leads)

    def do_second_chance(self, leads, _more):
        """On another sequence, together with the ten who cannot be: they are left alone, each for its own reason."""
        answer = self.act("restart", [*leads, *self.cast.groups["gone"]], "--sequence", "Second chance", done=len(leads))
        return {"action": "restart", "sequence": self.sequences["second"], **answer}

    def do_continue(self, leads, _more):
        return {"sequence": self.sequences["longer"], **self.act("continue", leads)}

    def do_pause(self, _leads, _more):
        self.stage.ctl("pause", "--account", ACCOUNT)

    def do_resume(self, _leads, _more):
        self.stage.ctl("resume", "--account", ACCOUNT)

    def do_add_step(self, _leads, _more):
        import_sequence(self.stage, self.sequences["longer"])
        self.tell("a step is added to the sequence")

    def do_crm(self, leads, more):
        for lead in leads:
            self.stage.ctl("crm", "status", "HigherGear", self.cast.numbers[lead], more["code"], "--account", ACCOUNT)

    # --- as leads do: at their provider, which tells it by webhook or passes the mail on -------------------------------

    def do_bounce(self, leads, _more):
        self.act_at_provider((lead, "bounce", None) for lead in leads)

    def do_unsubscribe(self, leads, _more):
        self.act_at_provider((lead, "unsubscribe", None) for lead in leads)

    def do_complaint(self, leads, _more):
        self.act_at_provider((lead, "complaint", None) for lead in leads)

    def do_reply(self, leads, _more):
        self.act_at_provider((lead, "reply", STILL_WAITING) for lead in leads)

    def do_leave(self, leads, _more):
        """Ten ends, one for each sub-state; five of them said by a check of addresses."""
        ends = [(lead, sub_state, act, text) for lead, (sub_state, _, act, text) in zip(leads, LEAVING)]
        self.act_at_provider((lead, act, text) for lead, _, act, text in ends if act)
        for lead, sub_state, act, _ in ends:
            if not act:
                self.stage.ctl("record-validation", "--account", ACCOUNT, "--verdict", sub_state, "--yes", 1, lead)
                self.show(lead, "address check of")

    def do_one_click(self, leads, _more):
        for lead in leads:
            self.stage.one_click(lead)
            self.show(lead, "one click by")

    def act_at_provider(self, acts):
        """Returns when the daemon was told by the provider and it has taken effect."""
        acts = list(acts)
        for lead, act, text in acts:
            self.stage.act(lead, act, text)
        self.told += len(acts)
        deadline = time.monotonic() + EVENT_SECONDS_MAX
        while self.stage.database.execute(TAKEN).fetchone()[0] < self.told:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{', '.join(lead for lead, _, _ in acts)}: not applied within {EVENT_SECONDS_MAX} s")
            time.sleep(0.01)
        for lead, act, _ in acts:
            self.show(lead, f"{'mail' if act == 'reply' else 'webhook'} from {self.cast.providers[lead]}: {act} of")

    def show(self, lead, what):
        """What has become of that lead."""
        state, = self.stage.database.execute(STATE, [lead]).fetchone()
        self.say(f"                   {what} {lead}: now {state}")

    # --- and what nobody wants ----------------------------------------------------------------------------------------

    def do_kill(self, _leads, _more):
        """In the middle of the burst: as soon as some of it has left."""
        before = len(self.stage.ledger())
        deadline = time.monotonic() + BURST_SECONDS_MAX
        while len(self.stage.ledger()) < before + 3 and time.monotonic() < deadline:
            time.sleep(0.001)
        self.stage.kill_daemon()
        left = len(self.stage.ledger()) - before
        self.stage.start_daemon()
        self.tell(f"kill -9 of the daemon, {left} messages into a burst, and a new one")

    def story(self, end):
        return {"timezone": str(ZONE), "windows": WINDOWS, "holidays": HOLIDAYS, "origin": self.stage.origin,
                "events": self.events, "providers": self.cast.providers,
                "caps": [{"leads": self.cast.groups["invited"], "per_day": CAP_PER_DAY}], "end": end.isoformat()}


def import_sequence(stage, document):
    path = stage.folder / f"{document['name']}.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    stage.ctl("sequence", "import", path, "--account", ACCOUNT)


def set_up(stage):
    stage.ctl("account", "add", ACCOUNT, "--timezone", str(ZONE), "--postal-address", "Demo GmbH, Unter den Linden 1, Berlin")
    for name, provider in [*WRITERS.items(), (CAPPED, "generic")]:
        stage.ctl("assistant", "add", name, "--account", ACCOUNT, "--title", "Sales assistant", "--from-address",
                  f"{name.lower()}@demo.example", "--reply-domain", "in.demo.example", "--signature", name,
                  "--provider", provider, *(("--daily-cap", CAP_PER_DAY) if name == CAPPED else ()))
    for key in ("welcome", "invitation", "second"):
        import_sequence(stage, sequences()[key])
    with stage.database.cursor() as cursor:
        cursor.executemany("INSERT INTO followup.send_window (account_id, weekday, opens, closes) "
                           "SELECT id, %s, %s, %s FROM followup.account", WINDOWS)
        cursor.executemany("INSERT INTO followup.holiday (country, date, name) VALUES (%s, %s, 'a day off')",
                           [(country, day) for country, days in HOLIDAYS.items() for day in days])


def start(stage, cast, leads, *words):
    """On the example sequence, each lead by the assistant of its provider."""
    for name, provider in WRITERS.items():
        mine = [lead for lead in leads if cast.providers[lead] == provider]
        stage.ctl("start", "--account", ACCOUNT, "--note", "the story", "--yes", len(mine), "--assistant", name,
                  "--sequence", sequences()["welcome"]["name"], *words, *mine)


def play_once(stage):
    """Plays the story to its end; the exit status."""
    def say(text):
        print(f"  {text}", flush=True)

    set_up(stage)
    stage.ctl("lead", "import", LEADS, "--account", ACCOUNT)
    stage.start_sandbox()
    player = Player(stage, say)
    stage.clock_starts(START, 1)
    player.prepare()
    stage.clock_starts(START, RATE)
    stage.start_daemon()
    say(f"{START:%A %H:%M} in Berlin; from now on an hour passes in a second")
    player.play()
    story = player.story(START + dt.timedelta(days=7))
    last = max(one.at[1] for lead in oracle.expect(LEADS, player.sequences["welcome"], story).values() for one in lead.expected)
    say(f"the last message is due on {last.astimezone(ZONE):%A %H:%M}; waiting for it, about a minute")
    player.wait_until(last + TAIL)
    story = player.story(START + dt.timedelta(days=7))
    (stage.folder / "played.json").write_text(json.dumps(story, indent=1), encoding="utf-8")
    return report(stage, oracle.judge(LEADS, SEQUENCE, story, stage.ledger_path))


def report(stage, verdict):
    print("\n  through      messages    events and mails that came back")
    for provider, sent, back in stage.database.execute(CAME_BACK).fetchall():
        print(f"  {provider:<10} {sent:>10}    {back or '-'}")
    rows = [("leads", verdict["leads"]), ("messages expected", verdict["expected"]), ("messages arrived", verdict["arrived"]),
            ("instants shown before", verdict["shown"]),
            ("real lateness p50", f"{verdict['late_ms_p50']} ms"), ("real lateness p99", f"{verdict['late_ms_p99']} ms"),
            ("real lateness max", f"{verdict['late_ms_max']} ms"), ("disagreements", len(verdict["problems"]))]
    print()
    for name, value in rows:
        print(f"  {name:<21} {value:>10}")
    for problem in verdict["problems"][:20]:
        print(f"  {problem}")
    print("\n  the ledger is what the oracle expected" if not verdict["problems"] else "\n  the oracle disagrees")
    return 1 if verdict["problems"] else 0
