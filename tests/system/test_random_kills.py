"""kill -9 at any moment, one of two workers, under load on 200 accounts: nothing is lost, nothing twice."""
import random
import time

import pytest

from extent import SEED, extent, seconds
from fleet import CLASSES, SANDBOX_ARGS, Fleet

KILLS = extent(21, 500)
KILLS_A_ROUND = 7  # then everything settles, is judged, and the class of the provider changes

# Few enough that a round settles soon, and from the first kill to the last there is a doubt somewhere.
FAULTS = [{"action": "cut", "rate": 0.02, "count": 8}, {"action": "cut_before", "rate": 0.02, "count": 8},
          {"action": "late", "ms": 40, "rate": 0.5}]


@pytest.fixture
def sandbox(sandbox_factory):
    return sandbox_factory(args=SANDBOX_ARGS)


def round_of_kills(fleet, pair, kind, kills):
    for each in pair:
        fleet.configure(each, kind, policy_after="2s")
        each.start()
    fleet.sandbox.put_faults(FAULTS)
    for _ in range(kills):
        fleet.send(leads_each=2, spread="600 ms", accounts=random.sample(fleet.accounts, 50))
        stops = fleet.stop_some(5, within_s=0.6)
        time.sleep(random.uniform(0, 0.6))
        one = random.choice(pair)
        one.kill()
        time.sleep(random.choice((0, random.uniform(0, 1))))  # itself again at once, or the other after the lease
        one.start()
        stops.result()
    fleet.settle(kind)
    fleet.judge(kind)
    for each in pair:
        each.stop()


@pytest.mark.timeout(seconds(250, 14000))
def test_killed_at_random_moments_two_workers_lose_and_repeat_nothing(database, sandbox, daemon, capsys):
    random.seed(SEED)
    fleet = Fleet(database, sandbox, accounts=200, narrow=False)
    pair = [daemon(label=label, start=False) for label in ("left", "right")]
    for number in range(0, KILLS, KILLS_A_ROUND):
        kills = min(KILLS_A_ROUND, KILLS - number)
        kind = CLASSES[number // KILLS_A_ROUND % len(CLASSES)]
        round_of_kills(fleet, pair, kind, kills)
        fleet.totals[f"kills, class {kind}"] += kills
    with capsys.disabled():
        print(f"\nrandom kills, seed {SEED}: {KILLS} kills, {dict(sorted(fleet.totals.items()))}")
