"""Daemon and stand-in provider over real shapes: each provider's own API one way, its signed webhooks and inbound mail the
other. Nothing is written into the database but by the daemon."""

import pytest
from processes import wait_until
from test_front import ANY_PORT, address_of
from world import World

PROVIDERS = {
    "sendgrid": ({}, {"public_key_file": "sendgrid.public"}),
    "mailgun": ({"domain": "mg.acme.example"}, {"secret_file": "mailgun.secret"}),
    "postmark": ({}, {"secret_file": "postmark.secret"}),
    "ses": ({"access_key": "AKID", "region": "eu-west-1"},
            {"topic_arn": "arn:aws:sns:us-east-1:123456789012:followup-sandbox"}),
    "resend": ({}, {"secret_file": "resend.secret"}),
}


@pytest.fixture
def joined(sandbox_factory, daemon, tmp_path):
    """joined(kind, *options): a daemon that sends through a sandbox of that kind, which tells it what became of it."""
    def make(kind, *options):
        keys = tmp_path / "keys"
        secret = "AKID:s3cret" if kind == "ses" else "s3cret"
        sandbox = sandbox_factory(args=["--credential", f"{kind}={secret}", "--keys", str(keys)])
        provider, webhook = PROVIDERS[kind]
        one = daemon(start=False, config={
            "http": {**ANY_PORT, "public_url": "https://follow.example"}, "engine": {"inbox_interval": "100ms", "settle_after": "2500ms"},
            "provider.sandbox": {"type": kind, "url": f"http://{sandbox.address}", "key_file": "key", "timeout": "1s", **provider},
            "webhook.hook": {"type": kind, **webhook}})
        one.credential("key", "s3cret")
        for name in webhook.values():
            if (keys / name).exists():
                one.credential(name, (keys / name).read_text())
        one.environment["FOLLOWUPD_TEST_CERTIFICATES"] = f"http://{sandbox.address}"
        one.start()
        sandbox.stop()  # its port stays its own
        host, port = address_of(one)
        sandbox.args += ["--webhook", f"{kind}=http://{host}:{port}/webhooks/hook/{{account}}",
                         "--inbound", f"{kind}=http://{host}:{port}/inbound/hook/{{account}}",
                         "--webhook-retry-ms", "100", "--reply-delay-ms", "300-300", *options]
        sandbox.daemon = one
        return sandbox.start()
    return make


def one_lead(database):
    world = World(database)
    account = world.account()
    database.rows("UPDATE followup.assistant SET reply_domain = 'in.acme.example' RETURNING id")
    [lead] = world.leads(account, 1)
    world.act("start_follow_up", account, [lead])
    return lead


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_bounce_comes_back_by_webhook_and_deactivates_the_lead(database, joined, kind):
    sandbox = joined(kind, "--bounce-rate", "1")
    lead = one_lead(database)
    state = "SELECT state::text || coalesce('/' || sub_state, '') FROM followup.lead WHERE id = %s"
    wait_until(lambda: database.value(state, lead) == "deactivated/BounceDeactivated",
               lambda: f"it bounced; {database.value(state, lead)}, {sandbox.stats()['hooks']}")
    assert [line["api"] for line in sandbox.ledger()] == [kind]


@pytest.mark.parametrize("kind", ["sendgrid", "ses"])
def test_what_cannot_be_asked_about_is_settled_by_the_event_of_its_acceptance(database, joined, kind):
    """It took the mail and its answer is lost: only the event, which carries our id, says so."""
    sandbox = joined(kind)
    sandbox.put_faults([{"action": "cut", "count": 1}])
    one_lead(database)
    state = "SELECT state::text FROM followup.message ORDER BY id LIMIT 1"
    wait_until(lambda: database.value(state) in ("sent", "delivered"), lambda: f"it is settled: {database.value(state)}")
    wait_until(lambda: database.value("SELECT count(*) FROM followup.provider_event WHERE kind = 'accepted' AND applied_at IS NOT NULL") == 1,
               "the acceptance was told")
    wait_until(lambda: database.value("SELECT count(*) FROM followup.attempt WHERE outcome = 'in_doubt'") == 1, "its answer was lost")
    assert database.value("SELECT max(attempts) FROM followup.message") == 1 and len(sandbox.ledger()) == 1


@pytest.mark.parametrize("kind", ["sendgrid", "mailgun", "postmark", "ses"])
def test_a_reply_comes_back_as_inbound_mail(database, joined, kind):
    sandbox = joined(kind, "--reply-rate", "1")
    one_lead(database)
    replies = "SELECT count(*) FROM followup.reply"
    wait_until(lambda: database.value(replies) == 1, lambda: f"the reply is there; {sandbox.stats()['hooks']}")
