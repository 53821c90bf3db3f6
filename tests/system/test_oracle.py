"""The oracle judges the demo; here it is judged itself: a right ledger is accepted, each planted fault is found."""
import copy
import datetime as dt
import json

import pytest

import oracle

UTC = dt.timezone.utc
START = dt.datetime(2026, 9, 7, 6, 0, tzinfo=UTC)   # a Monday, 08:00 in Berlin
REAL = dt.datetime(2030, 1, 1, tzinfo=UTC)
RATE = 3600
SEQUENCE = {"name": "Main", "steps": [
    {"key": "one", "kind": "sequence", "delay": "0", "subject": "Hi {{first_name|there}}", "body_text": "Hello {{company|you}}"},
    {"key": "two", "kind": "sequence", "delay": "1 day", "subject": "Two", "body_text": "Again {{unsubscribe_link}}"},
    {"key": "ask", "kind": "follow_up", "delay": "0", "subject": "Well?", "body_text": "Did we help?"}]}
LEADS = ("email,first_name,company,country,timezone\n"
         "ann@x.example,Ann,,DE,Europe/Berlin\nbob@x.example,,Bolt,US,America/New_York\ncem@x.example,Cem,,DE,\n")


def at(days, hour, minute=0):
    return (START.replace(hour=hour, minute=minute) + dt.timedelta(days=days)).isoformat()


def event(action, when, *leads, **more):
    return {"action": action, "from": when, "to": when, "leads": [f"{lead}@x.example" for lead in leads], **more}


def story(*events):
    return {"timezone": "Europe/Berlin", "windows": [(day, "09:00", "17:00") for day in range(1, 6)],
            "origin": {"business": START.isoformat(), "real": REAL.isoformat(), "rate": RATE},
            "events": [event("start", at(0, 6, 30), "ann", "bob", "cem", at=at(0, 7)), *events], "end": at(7, 6)}


def line(number, to, subject, text, due):
    due = dt.datetime.fromisoformat(due)
    arrived = REAL + (due - START) / RATE + dt.timedelta(milliseconds=5)
    return {"message_id": f"m-{number}", "to": f"{to}@x.example", "subject": subject, "text": text,
            "due_ms": int(due.timestamp() * 1000), "at_us": int(arrived.timestamp() * 1e6)}


RIGHT = [
    line(1, "ann", "Hi Ann", "Hello you\n\n--", at(0, 7)), line(2, "bob", "Hi there", "Hello Bolt", at(0, 13)),
    line(3, "cem", "Hi Cem", "Hello you", at(0, 7)), line(4, "ann", "Two", "Again https://", at(1, 7)),
    line(5, "bob", "Two", "Again https://", at(1, 13)), line(6, "cem", "Two", "Again https://", at(1, 7)),
]


# The same through a provider's own API: no due time in the line, but what preview showed at the start.
PROVIDERS = {"ann@x.example": "sendgrid", "bob@x.example": "ses", "cem@x.example": "postmark"}


def through_api(entry, attempt=1, **more):
    """That line, as a provider's own API leaves it."""
    return {**entry, "account_id": 1, "due_ms": 0, "api": PROVIDERS[entry["to"]],
            "fu_id": f"1-{entry['message_id'].removeprefix('m-')}-{attempt}", **more}


def api_story(*events):
    """What was shown at the start: the first at 9:00 of each zone, the second a day later."""
    played = {**story(*events), "providers": PROVIDERS}
    hours = {"ann@x.example": 7, "bob@x.example": 13, "cem@x.example": 7}
    played["events"][0]["shown"] = {email: {"one": at(0, hour), "two": at(1, hour)} for email, hour in hours.items()}
    return played


@pytest.fixture
def judge(tmp_path):
    def call(ledger, played):
        for name, text in (("leads.csv", LEADS), ("sequence.json", json.dumps(SEQUENCE)),
                           ("ledger.jsonl", "".join(json.dumps(entry) + "\n" for entry in ledger))):
            (tmp_path / name).write_text(text, encoding="utf-8")
        return oracle.judge(tmp_path / "leads.csv", tmp_path / "sequence.json", played, tmp_path / "ledger.jsonl")["problems"]
    return call


def test_a_right_ledger_is_accepted(judge):
    assert judge(RIGHT, story()) == []


@pytest.mark.parametrize("fault,word", [
    (lambda ledger: ledger.pop(3), "missing"),
    (lambda ledger: ledger.append(ledger[5]), "extra"),
    (lambda ledger: ledger.append(line(9, "zoe", "Two", "", at(1, 7))), "extra"),
    (lambda ledger: ledger[1].update(at_us=ledger[1]["at_us"] - 10_000), "early"),
    (lambda ledger: ledger[1].update(at_us=ledger[1]["at_us"] + 2_100_000), "late"),
    (lambda ledger: ledger[1].update(due_ms=ledger[1]["due_ms"] + 60_000), "planned otherwise"),
    (lambda ledger: ledger[0].update(subject="Hi ,"), "other message"),
    (lambda ledger: ledger[0].update(text="Hello "), "other message"),
])
def test_a_planted_fault_is_found(judge, fault, word):
    ledger = copy.deepcopy(RIGHT)
    fault(ledger)
    assert any(problem.startswith(word) for problem in judge(ledger, story()))


FOLLOW_UP = line(7, "ann", "Well?", "Did we help?", at(2, 8))


@pytest.mark.parametrize("events,ledger", [
    ([event("stop", at(0, 9), "ann")], [*RIGHT[:3], *RIGHT[4:]]),
    ([event("skip", at(0, 8), "ann")], [*RIGHT[:3], *RIGHT[4:], FOLLOW_UP]),
    ([event("reply", at(0, 9), "ann"), event("continue", at(1, 10), "ann")],
     [*RIGHT[:3], *RIGHT[4:], line(4, "ann", "Two", "Again", at(1, 10))]),
    ([event("hold", at(0, 9), "ann", until=at(2, 12))], [*RIGHT[:3], *RIGHT[4:], line(4, "ann", "Two", "Again", at(2, 12))]),
    ([event("pause", at(0, 20), "ann", "bob", "cem"), event("resume", at(1, 8), "ann", "bob", "cem")],
     [*RIGHT[:3], line(4, "ann", "Two", "Again", at(1, 8)), line(6, "cem", "Two", "Again", at(1, 8)), RIGHT[4]]),
])
def test_each_action_changes_what_is_expected(judge, events, ledger):
    assert judge(ledger, story(*events)) == []
    assert judge(RIGHT, story(*events)) != []


def test_a_holiday_moves_what_falls_on_it_for_its_country_alone(judge):
    played = {**story(), "holidays": {"DE": ["2026-09-08"]}}
    moved = [*RIGHT[:3], RIGHT[4], line(4, "ann", "Two", "Again", at(2, 7)), line(6, "cem", "Two", "Again", at(2, 7))]
    assert judge(moved, played) == []


def test_a_right_ledger_through_apis_is_accepted(judge):
    assert judge([through_api(entry) for entry in RIGHT], api_story()) == []


@pytest.mark.parametrize("fault,word", [
    (lambda ledger, _: ledger.pop(3), "missing"),
    (lambda ledger, _: ledger.append({**ledger[5], "fu_id": "1-6-2"}), "extra"),
    (lambda ledger, _: ledger.append(ledger[5]), "twice"),
    (lambda ledger, _: ledger[2].update(api="mailgun"), "other provider"),
    (lambda ledger, _: ledger[2].update(fu_id="1-4-1"), "other id"),
    (lambda ledger, _: ledger[2].update(fu_id=None), "other id"),
    (lambda ledger, _: ledger[1].update(at_us=ledger[1]["at_us"] - 10_000), "early"),
    (lambda ledger, _: ledger[1].update(at_us=ledger[1]["at_us"] + 2_100_000), "late"),
    (lambda _, shown: shown["bob@x.example"].update(two=at(1, 13, 1)), "planned otherwise"),
    (lambda _, shown: shown["bob@x.example"].update(two=at(1, 13, 1)), "early"),
    (lambda _, shown: shown["bob@x.example"].update(two=at(1, 12, 59)), "planned otherwise"),
])
def test_a_planted_fault_through_apis_is_found(judge, fault, word):
    ledger, played = [through_api(entry) for entry in RIGHT], api_story()
    fault(ledger, played["events"][0]["shown"])
    assert any(problem.startswith(word) for problem in judge(ledger, played))


def test_a_generic_line_is_another_provider_and_the_other_way_round(judge):
    assert any(problem.startswith("other provider") for problem in judge(RIGHT, api_story()))
    assert any(problem.startswith("other provider") for problem in judge([through_api(entry) for entry in RIGHT], story()))


def acted(action, first, last, lead, **more):
    return {**event(action, at(0, *first), lead, **more), "to": at(0, *last)}


def test_where_the_action_left_open_when_the_shown_instant_decides(judge):
    """The skip was some time between 8:00 and 8:10 UTC: the follow-up is due 48 hours later, and preview said 8:05."""
    ledger = [through_api(entry) for entry in [*RIGHT[:3], *RIGHT[4:], line(7, "ann", "Well?", "Did we help?", at(2, 8, 5))]]
    shown = {"ann@x.example": {"ask": at(2, 8, 5)}}
    assert judge(ledger, api_story(acted("skip", (8,), (8, 10), "ann", shown=shown))) == []
    later = {"ann@x.example": {"ask": at(2, 8, 8)}}
    problems = judge(ledger, api_story(acted("skip", (8,), (8, 10), "ann", shown=later)))
    assert [problem.split(":")[0] for problem in problems] == ["early"]


def test_the_answer_of_an_action_shows_too_and_goes_before_preview(judge):
    ledger = [through_api(entry) for entry in [*RIGHT[:3], *RIGHT[4:], FOLLOW_UP]]
    answered = {"ann@x.example": at(2, 8, 1)}
    problems = judge(ledger, api_story(event("skip", at(0, 8), "ann", answered=answered)))
    assert sorted(problem.split(":")[0] for problem in problems) == ["early", "planned otherwise"]


def test_what_nobody_was_shown_is_late_from_its_first_instant(judge):
    """It left at once, so no preview could show it: 36 s of business time after the last instant is too late by that alone."""
    again = line(4, "ann", "Two", "Again", at(1, 10))
    events = [event("reply", at(0, 9), "ann"), event("continue", at(1, 10), "ann")]
    ledger = [through_api(entry) for entry in [*RIGHT[:3], *RIGHT[4:], again]]
    assert judge(ledger, api_story(*events)) == []
    ledger[-1]["at_us"] += 2_000_000
    assert [problem.split(":")[0] for problem in judge(ledger, api_story(*events))] == ["late"]


def test_what_was_in_doubt_and_had_not_left_goes_again_from_then(judge):
    """A person said at 15:00 UTC that bob's first message had not left: it goes then, and the second a day after that."""
    events = [event("again", at(0, 15), "bob", answered={"bob@x.example": at(0, 15)})]
    second = through_api(line(5, "bob", "Two", "Again https://", at(1, 15)))
    ledger = [through_api(entry) for entry in RIGHT if entry["to"] != "bob@x.example"]
    first = through_api(line(2, "bob", "Hi there", "Hello Bolt", at(0, 15)), attempt=2)
    assert judge([*ledger, first, second], api_story(*events)) == []
    assert judge([through_api(entry) for entry in RIGHT], api_story(*events)) != []


def test_an_action_in_the_moment_of_a_message_is_no_story(judge):
    with pytest.raises(oracle.StoryError):
        judge(RIGHT, story({**event("stop", at(1, 6, 59), "ann"), "to": at(1, 7, 1)}))
