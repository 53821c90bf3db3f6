"""The running daemon at the stand-in provider through each provider's own API: every message arrives once, whatever becomes
of the answers."""

import pytest

from processes import wait_until
from world import World, message_id, twice

KINDS = {
    "sendgrid": ("SG.s3cret", {}),
    "mailgun": ("key-s3cret", {"domain": "mg.acme.example"}),
    "postmark": ("token-s3cret", {}),
    "ses": ("wJalr/s3cret", {"region": "eu-west-1", "access_key": "AKIDEXAMPLE"}),
    "resend": ("re_s3cret", {}),
}
LEADS = 25


@pytest.fixture
def world(database):
    return World(database)


@pytest.fixture
def at(sandbox_factory, daemon):
    """A sandbox that asks for the credential, and a daemon that has it."""
    def make(kind, faults=()):
        secret, keys = KINDS[kind]
        asked = f"AKIDEXAMPLE:{secret}" if kind == "ses" else secret
        provider = sandbox_factory(args=["--credential", f"{kind}={asked}"])
        provider.put_faults(list(faults))
        one = daemon(start=False, url=f"http://{provider.address}", config={
            "engine": {"settle_after": "1200ms"},
            "provider.sandbox": {"type": kind, "key_file": "key", "timeout": "1s", **keys}, "http": {"public_url": "https://follow.example"}})
        one.credential("key", secret)
        one.start()
        return provider
    return make


def started(world, count):
    account = world.account(steps=(("sequence", "0"), ("sequence", "0")))
    leads = world.leads(account, count)
    world.act("start_follow_up", account, leads)
    return account


def check_ledger(world, provider, kind, account):
    """Each message once, as the database has it, and by its own id."""
    ledger = provider.ledger()
    messages = {one["id"]: one for one in world.messages()}
    assert twice(ledger) == set() and {message_id(entry) for entry in ledger} == set(messages)
    for entry in ledger:
        attempts = messages[message_id(entry)]["attempts"]
        assert (entry["api"], entry["account_id"]) == (kind, account)
        assert entry["fu_id"] == f"{account}-{message_id(entry)}-{attempts}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_arrives_once_in_each_providers_own_api(world, database, at, kind):
    account = started(world, LEADS)
    provider = at(kind)
    wait_until(lambda: world.count(state="sent") == 2 * LEADS, "all are sent")
    check_ledger(world, provider, kind, account)
    assert provider.stats()["unauthorized"] == 0
    answered = database.value("SELECT count(DISTINCT provider_message_id) FROM followup.message")
    assert answered == 2 * LEADS, "each with the id that the provider gave it"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_told_to_wait_arrives_once(world, at, kind):
    account = started(world, 3)
    provider = at(kind, [{"action": "429", "count": 2, "retry_after_s": 1}])
    wait_until(lambda: world.count(state="sent") == 6, "all are sent after the wait", seconds=30)
    check_ledger(world, provider, kind, account)
    assert provider.stats()["faults"]["429"] == 2


@pytest.mark.parametrize("kind", ["postmark", "mailgun"])
def test_what_was_accepted_and_not_answered_is_found_by_a_look_up(world, database, at, kind):
    account = started(world, 3)
    provider = at(kind, [{"action": "cut", "count": 2}])
    wait_until(lambda: world.count(state="sent") == 6, "the look-up finds what was cut", seconds=30)
    check_ledger(world, provider, kind, account)
    assert provider.stats()["faults"]["cut"] == 2
    assert database.value("SELECT max(attempts) FROM followup.message") == 1, "nothing went again"


def test_resend_gets_what_was_not_answered_again_under_its_key(world, database, at):
    account = started(world, 3)
    provider = at("resend", [{"action": "cut", "count": 2}])
    wait_until(lambda: world.count(state="sent") == 6, "the same key again has the same answer", seconds=30)
    check_ledger(world, provider, "resend", account)
    stats = provider.stats()
    assert (stats["faults"]["cut"], stats["replayed"]) == (2, 2)
    assert database.value("SELECT count(DISTINCT provider_message_id) FROM followup.message") == 6
