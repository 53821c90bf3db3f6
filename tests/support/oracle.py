#!/usr/bin/python3
"""The oracle of the demo's story: says what must have left, from the lead file, the sequence file and the story alone.

It exists to disagree with followupd, so it shares nothing with it: no SQL function, no table, no line of its code; zones
come from Python's zoneinfo. What the provider's stand-in wrote into its ledger is held against what is computed here:
nothing missing, nothing extra, nothing early, nothing over the limit late, each at the instant that was planned.

A provider's own API takes no due time: a ledger line of one ("api" and "fu_id") has due_ms 0. Then the instant that was shown
to be planned, by preview or by the answer of the action, before it left, is held against what is computed here; nothing was
shown when it left at once.

An action is played by a person at an instant that is known to lie between two readings of the clock, so an instant
here is an interval (earliest, latest); where the story names the instant itself both are the same.

    oracle.py --leads leads.csv --sequence sequence.json --story played.json --ledger ledger.jsonl
"""
import argparse
import csv
import dataclasses
import datetime as dt
import json
import re
import sys
from zoneinfo import ZoneInfo

UTC = dt.timezone.utc
LATE_MAX = dt.timedelta(seconds=2)          # of real time
SPREAD_MAX = dt.timedelta(minutes=1)        # of business time: a resume lets what it holds go one after another
UNITS = {"week": 10080, "day": 1440, "hour": 60, "minute": 1}


class StoryError(Exception):
    """The story does not say what must happen: an action falls into the moment of a message."""


def parse_instant(text):
    return dt.datetime.fromisoformat(text).astimezone(UTC)


def parse_delay(text):
    """'2 days', '36 hours', '0' -> timedelta."""
    minutes = 0
    for number, unit in re.findall(r"(\d+)\s*([a-z]+?)s?\b", text):
        minutes += int(number) * UNITS[unit]
    return dt.timedelta(minutes=minutes)


def merge(template, values):
    """{{tag}} and {{tag|fallback}}."""
    def value(match):
        tag, _, fallback = match.group(1).partition("|")
        return values.get(tag.strip()) or fallback.strip()
    return re.sub(r"\{\{(.*?)\}\}", value, template)


class Calendar:
    """When messages may leave: {iso weekday: [(opens, closes)]} in a zone, but on no holiday; no windows at all: always."""

    def __init__(self, windows, holidays=()):
        self.holidays = {dt.date.fromisoformat(day) for day in holidays}
        self.windows = {}
        for weekday, opens, closes in windows:
            self.windows.setdefault(weekday, []).append((dt.time.fromisoformat(opens), dt.time.fromisoformat(closes)))

    def into_window(self, instant, zone):
        if not self.windows:
            return instant
        local = instant.astimezone(zone)
        for days in range(15):
            day = local.date() + dt.timedelta(days=days)
            for opens, closes in [] if day in self.holidays else sorted(self.windows.get(day.isoweekday(), [])):
                if days == 0 and local.time() >= closes:
                    continue
                if days == 0 and local.time() >= opens:
                    return instant
                return dt.datetime.combine(day, opens, zone).astimezone(UTC)
        raise StoryError("no window within two weeks")


@dataclasses.dataclass
class Message:
    """One that must leave."""
    subject: str
    text: str
    at: tuple           # (earliest, latest)
    shown: object       # the instant that was shown before; None: nobody could see one


class Lead:
    """One lead's way through the story: what it is waiting for, and what must have left."""

    def __init__(self, row, story, sequence):
        self.email = row["email"]
        self.values = row
        self.zone = ZoneInfo(row.get("timezone") or story["timezone"])
        self.calendar = Calendar(story["windows"], story.get("holidays", {}).get(row.get("country"), ()))
        self.follow_up_delay = parse_delay(story.get("follow_up_delay", "48 hours"))
        self.use(sequence)
        self.paused = False
        self.pending = None         # (kind, position, (earliest, latest))
        self.sent = set()           # sequence steps that left in this conversation, by key
        self.expected = []
        self.shown = {}             # step key -> the instant that was shown when somebody acted last
        self.left = None            # (kind, position) of what left last

    def use(self, sequence):
        self.steps = {kind: [s for s in sequence["steps"] if s["kind"] == kind] for kind in ("sequence", "follow_up")}

    def plan(self, base, delay=dt.timedelta()):
        return tuple(self.calendar.into_window(instant + delay, self.zone) for instant in base)

    def schedule(self, kind, position, base, delay):
        self.pending = (kind, position, self.plan(base, delay)) if position < len(self.steps[kind]) else None

    def leave(self):
        """The pending message goes; the next is planned from the instant this one was planned for."""
        kind, position, at = self.pending
        step = self.steps[kind][position]
        self.expected.append(Message(merge(step["subject"], self.values), merge_start(step["body_text"], self.values), at,
                                     self.shown.get(step["key"])))
        self.left = (kind, position)
        if kind == "sequence":
            self.sent.add(step["key"])
        following = self.steps[kind][position + 1:position + 2]
        self.schedule(kind, position + 1, at, parse_delay(following[0]["delay"]) if following else dt.timedelta())

    def run_until(self, until):
        while self.pending and not self.paused and self.pending[2][0] < until[1]:
            if self.pending[2][1] > until[0]:
                raise StoryError(f"{self.email}: an action at {until[0]} meets a message planned for {self.pending[2]}")
            self.leave()

    def act(self, event, at):
        """What the event does to this lead; a sequence that comes with it is the one from here on."""
        if "sequence" in event:
            self.use(event["sequence"])
        getattr(self, "on_" + event["action"])(event, at)
        self.shown = {key: parse_instant(due) for key, due in event.get("shown", {}).get(self.email, {}).items()}
        answered = event.get("answered", {}).get(self.email)
        if answered and self.pending:
            kind, position, _ = self.pending
            self.shown[self.steps[kind][position]["key"]] = parse_instant(answered)

    def on_start(self, _event, at):
        self.schedule("sequence", 0, at, parse_delay(self.steps["sequence"][0]["delay"]))

    def on_restart(self, event, at):
        self.sent = set()
        self.on_start(event, at)

    def on_continue(self, _event, at):
        position = next((p for p, s in enumerate(self.steps["sequence"]) if s["key"] not in self.sent), None)
        if position is not None:
            self.schedule("sequence", position, at, dt.timedelta())

    def on_skip(self, _event, at):
        self.schedule("follow_up", 0, at, self.follow_up_delay)

    def on_stop(self, _event, _at):
        self.pending = None

    def on_reply(self, _event, _at):
        if self.pending and self.pending[0] == "sequence":
            self.pending = None

    def on_hold(self, event, _at):
        """What is pending leaves no sooner than the hold ends; what follows counts from there."""
        if self.pending:
            kind, position, planned = self.pending
            until = parse_instant(event["until"])
            self.pending = (kind, position, self.plan(tuple(max(instant, until) for instant in planned)))

    def on_pause(self, _event, _at):
        self.paused = True

    def on_resume(self, _event, at):
        """What became overdue meanwhile is planned anew, from now."""
        self.paused = False
        if self.pending and self.pending[2][0] < at[0]:
            self.pending = (*self.pending[:2], self.plan((at[0], at[1] + SPREAD_MAX)))

    def on_again(self, _event, at):
        """What left last had not: it was in doubt, and goes now."""
        self.expected.pop()
        self.pending = (*self.left, at)

    def on_nothing(self, _event, _at):
        """An action that must leave this lead as it was."""


def merge_start(template, values):
    """The body up to its first tag that only the sender can fill (an unsubscribe link, the assistant's name)."""
    known = re.split(r"\{\{\s*(?:unsubscribe_link|assistant\.|rep\.|postal_address)", template)[0]
    return merge(known, values).rstrip()


def take_places(group, per_day, lines):
    """Under a daily cap the leads of a group leave so many a day, each at its own time of day. Who goes first is not said
    anywhere, so the places are given out in the order in which they left."""
    arrival = {}
    for line in lines:
        arrival.setdefault(line["to"].lower(), line["at_us"])
    waiting = sorted(group, key=lambda lead: arrival.get(lead.email.lower(), float("inf")))
    days = 0
    while waiting:
        for lead in waiting[:per_day]:
            for _ in range(days):
                lead.expected[0].at = lead.plan(lead.expected[0].at, dt.timedelta(days=1))
        waiting, days = waiting[per_day:], days + 1


def expect(leads_file, sequence, story):
    """{email: Lead} after the whole story."""
    with open(leads_file, newline="", encoding="utf-8-sig") as file:
        leads = {row["email"].lower(): Lead(row, story, sequence) for row in csv.DictReader(file)}
    for event in sorted(story["events"], key=lambda e: e["from"]):
        at = (parse_instant(event["from"]), parse_instant(event["to"]))
        for email in event["leads"]:
            lead = leads[email.lower()]
            lead.run_until(at)
            effect = parse_instant(event["at"]) if event.get("at") else None
            lead.act(event, (effect, effect) if effect else at)
    end = parse_instant(story["end"])
    for lead in leads.values():
        lead.run_until((end, end))
    return leads


class Clock:
    """Real time of the ledger -> business time."""

    def __init__(self, story):
        self.business = parse_instant(story["origin"]["business"])
        self.real = parse_instant(story["origin"]["real"])
        self.rate = story["origin"]["rate"]

    def business_of(self, at_us):
        real = dt.datetime.fromtimestamp(0, UTC) + dt.timedelta(microseconds=at_us)
        return self.business + (real - self.real) * self.rate


def judge_provider(line, provider, seen):
    """Problems of what only a provider's own API has: whose it is, and our id, which no other line may have."""
    name = f"{line['message_id']} to {line['to']} {line['subject']!r}"
    api, fu_id = line.get("api", "generic"), line.get("fu_id")
    if api != provider:
        yield f"other provider: {name} through {api}, expected {provider}"
    if api != "generic" and not re.fullmatch(rf"{line['account_id']}-{line['message_id'].removeprefix('m-')}-\d+", fu_id or ""):
        yield f"other id: {name} carries {fu_id}"
    elif fu_id in seen:
        yield f"twice: {name} carries {fu_id} again"
    if fu_id:
        seen.add(fu_id)


def judge_line(line, message, clock):
    """(problems, real lateness in ms) of a line and what is expected in its place."""
    problems = []
    name = f"{line['message_id']} to {line['to']} {line['subject']!r}"
    arrived, (earliest, latest) = clock.business_of(line["at_us"]), message.at
    due = dt.datetime.fromtimestamp(0, UTC) + dt.timedelta(milliseconds=line["due_ms"]) if line["due_ms"] else message.shown
    if line["subject"] != message.subject or not line["text"].startswith(message.text):
        problems.append(f"other message: {name}, expected {message.subject!r}")
    if due and not earliest - dt.timedelta(milliseconds=1) <= due <= latest + dt.timedelta(milliseconds=1):
        problems.append(f"planned otherwise: {name} for {due}, expected {earliest} to {latest}")
    due = due or earliest       # nothing was shown: counted from the first instant that it may have been planned for
    if arrived < max(due, earliest):
        problems.append(f"early: {name} at {arrived}, planned {due}")
    late = (arrived - due) / clock.rate
    if late > LATE_MAX:
        problems.append(f"late: {name} by {late.total_seconds():.3f} s of real time")
    return problems, late.total_seconds() * 1000


def hold_against(leads, ledger, providers, clock):
    """Problems, one sentence each, and the real lateness of each message in ms."""
    problems, lateness, ids = [], [], set()
    seen = {email: [] for email in leads}
    for line in ledger:
        email = line["to"].lower()
        problems += judge_provider(line, providers.get(email, "generic"), ids)
        if email not in seen:
            problems.append(f"extra: {line['message_id']} to {email}, who is not in the story")
        else:
            seen[email].append(line)
    for email, lead in leads.items():
        lines = sorted(seen[email], key=lambda line: line["at_us"])
        for line, message in zip(lines, lead.expected):
            found, late = judge_line(line, message, clock)
            problems += found
            lateness.append(late)
        for message in lead.expected[len(lines):]:
            problems.append(f"missing: {email} {message.subject!r} planned {message.at[0]}")
        for line in lines[len(lead.expected):]:
            problems.append(f"extra: {line['message_id']} to {email} {line['subject']!r} at {clock.business_of(line['at_us'])}")
    return problems, lateness


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def judge(leads_file, sequence_file, story, ledger_file):
    with open(sequence_file, encoding="utf-8") as file:
        sequence = json.load(file)
    with open(ledger_file, encoding="utf-8") as file:
        ledger = [json.loads(line) for line in file if line.strip()]
    leads = expect(leads_file, sequence, story)
    for cap in story.get("caps", []):
        take_places([leads[email.lower()] for email in cap["leads"]], cap["per_day"], ledger)
    problems, lateness = hold_against(leads, ledger, story.get("providers", {}), Clock(story))
    return {
        "leads": len(leads),
        "expected": sum(len(lead.expected) for lead in leads.values()),
        "arrived": len(ledger),
        "shown": sum(message.shown is not None for lead in leads.values() for message in lead.expected),
        "late_ms_p50": round(percentile(lateness, 0.50), 1),
        "late_ms_p99": round(percentile(lateness, 0.99), 1),
        "late_ms_max": round(max(lateness, default=0.0), 1),
        "problems": problems,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("leads", "sequence", "story", "ledger"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    with open(options.story, encoding="utf-8") as file:
        story = json.load(file)
    verdict = judge(options.leads, options.sequence, story, options.ledger)
    json.dump(verdict, sys.stdout, indent=2)
    print()
    return 1 if verdict["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
