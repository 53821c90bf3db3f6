"""A worker ends, or freezes, at every named point of a message's way; another one, or itself started again, goes on.

Every run has accounts of all three policies in it. Its point, the class of the provider (tests/support/fleet.py), the way
it ends and who goes on come from a seed; the quick form passes every point once, the full one 1,000 times and more. What
each row of the crash matrix becomes is in docs/reliability.md.
"""
import os
import pathlib
import random
import re
import signal
import subprocess

import pytest

import schema
from extent import SEED, extent, seconds
from fleet import CLASSES, SANDBOX_ARGS, Fleet
from processes import wait_until

HEADER = pathlib.Path(os.environ["FOLLOWUPD_SOURCE"]) / "include/followupd/base/crash_point.h"
EVERY_POINT = re.findall(r"^\s*X\((\w+)\)", HEADER.read_text(encoding="utf-8"), re.MULTILINE)
POINTS = [point for point in EVERY_POINT if not point.startswith("list_")]  # those: test_list_pulls.py
EXIT_STATUS = 70
# Points that one class alone passes: where keys are honoured they are posted again, where not, providers are asked.
CLASS_OF = {point: "look_up" if point.startswith("look") else "keys"
            for point in POINTS if point.startswith(("settle", "look"))}
# Points that may not come, or not soon, when another worker shares the shards.
ALONE = ("lease_acquired", "load_finished", "unclaim_wanted", "unclaim_asked", "unclaim_answered", "look_up_answered",
         "looked_up_asked", "looked_up")

# Up to which passage a run of 72 messages comes by itself; 1 where only the first is sure.
PASSAGES = {"claim": 2, "post_rendered": 20, "post_called": 20, "post_moved": 40, "post_answered": 20, "outcome_known": 20,
            "record": 2, "lease_renewed": 6, "settle": 12, "look_up_wanted": 12, "look_up_asked": 12, "policy": 12}

# What goes wrong at the provider meanwhile, so that there are doubts to settle and POSTs in flight to die with.
FAULTS = [{"action": "cut", "rate": 0.1, "count": 4}, {"action": "cut_before", "rate": 0.1, "count": 4},
          {"action": "silent", "rate": 0.05, "count": 1}, {"action": "late", "ms": 40, "rate": 0.5}]

ROUND_SECONDS = 4
ROUNDS_MAX = 8

RUNS = extent(len(POINTS), 1100)


def passage(point):
    return random.randint(1, PASSAGES.get(point, PASSAGES.get(point.split("_")[0], 1)))


@pytest.fixture
def sandbox(sandbox_factory):
    return sandbox_factory(args=SANDBOX_ARGS)


def is_frozen(one):
    with open(f"/proc/{one.pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


def owns_everything(database, one):
    return database.value("SELECT count(*) FROM followup.lease AS l JOIN followup.worker AS w ON w.id = l.owner"
                          " WHERE w.host = %s AND l.expires_at > clock_timestamp()", one.label) == 64


def wait_for_the_point(fleet, one, how):
    """Until it has ended or frozen. Where another shares the work, it may need more than the first mail to come that far."""
    there = (lambda: is_frozen(one)) if how == "freeze" else (lambda: one.process.poll() is not None)
    for rounds_left in reversed(range(ROUNDS_MAX)):
        try:
            return wait_until(there, lambda: f"it comes to its point\n{one.log_tail()}", ROUND_SECONDS)
        except AssertionError:
            if rounds_left == 0:
                raise
            fleet.sandbox.put_faults(FAULTS)
            fleet.move_narrow()  # messages are given back while it is not known who sends by it
            fleet.send(leads_each=3)


def run(fleet, pair, point, kind, how, heir):
    """heir: who goes on; `itself` (started again), `later` (another that starts then) or `beside` (that runs already)."""
    one, other = pair
    # A worker that froze right before its POST posts when it wakes. Where no key is honoured neither the policy nor an
    # empty look-up may have decided by then (docs/reliability.md, not covered).
    patience = {"policy_after": "3s", "look_up_proof": "6s"} if how == "freeze" else {}
    for each in pair:
        fleet.configure(each, kind, **patience)
    fleet.sandbox.put_faults(FAULTS)
    fleet.send(leads_each=3)
    one.environment = {"FOLLOWUPD_CRASH": f"{point}:{passage(point)}:{how}"}
    one.launch()
    stops = fleet.stop_some(6, within_s=0.7)
    if heir == "beside":
        other.launch()
    wait_for_the_point(fleet, one, how)
    if how != "freeze":
        assert one.wait() == (EXIT_STATUS if how == "exit" else -signal.SIGKILL)
    one.environment = {}
    if heir == "itself":
        one.start()
    elif heir == "later":
        other.launch()
    if how == "freeze":
        wait_until(lambda: owns_everything(fleet.database, other), "the other has taken everything")
        one.thaw()
    stops.result()
    fleet.settle(kind)
    fleet.judge(kind)
    for each in pair:
        each.stop()


def plan(count):
    """Every point in turn; the rest by chance."""
    for number in range(count):
        point = POINTS[number % len(POINTS)]
        kind = CLASS_OF.get(point) or random.choice(CLASSES)
        how = random.choice(("exit", "kill", "kill", "freeze"))
        heir = random.choice(("later", "beside") if how == "freeze" else ("itself", "itself", "later", "beside"))
        if point in ALONE and heir == "beside":
            heir = "later"
        yield point, kind, how, heir


@pytest.mark.timeout(seconds(500, 14000))
def test_a_worker_that_dies_anywhere_loses_and_repeats_nothing(database, sandbox, daemon, capsys):
    random.seed(SEED)
    fleet = Fleet(database, sandbox, accounts=24)
    pair = [daemon(label=label, start=False) for label in ("left", "right")]
    for number, (point, kind, how, heir) in enumerate(plan(RUNS), 1):
        try:
            run(fleet, pair, point, kind, how, heir)
        except BaseException:
            print(f"seed {SEED}, run {number}: {point}, {kind}, {how}, {heir}")
            raise
        fleet.totals[kind] += 1
        fleet.totals[how] += 1
    if fleet.totals["look_up"] >= 3:
        assert fleet.totals["found by look-up"] > 0 and fleet.totals["not known, sent anew"] > 0, "look-ups settled nothing"
    with capsys.disabled():
        print(f"\ncrash points, seed {SEED}: {RUNS} runs, {dict(sorted(fleet.totals.items()))}")


@pytest.mark.parametrize("text,says", [("claim_answer:1", "no such point"), ("claim_answered", "PASSAGE"),
                                       ("claim_answered:0", "PASSAGE"), ("claim_answered:1x", "PASSAGE"),
                                       ("claim_answered:1:melt", "exit, kill or freeze")])
def test_a_wrong_point_is_refused_at_the_start(daemon, text, says):
    one = daemon(start=False)
    done = subprocess.run([schema.program("followupd"), "--config", str(one.config_path)], capture_output=True, text=True,
                          check=False, timeout=20, env={**os.environ, "FOLLOWUPD_CRASH": text})
    assert done.returncode == 2 and says in done.stderr
