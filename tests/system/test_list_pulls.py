"""Away for longer than a provider repeats its webhooks: whom it suppressed meanwhile is read from its list before anything
is sent. The time away is made by setting back when somebody was last there to receive webhooks."""

import http.server
import signal
import threading

import pytest
from processes import wait_until
from test_crash_points import EVERY_POINT
from test_sandbox_daemon import joined  # noqa: F401, a fixture
from world import World

AWAY = "UPDATE followup.inbox_beat SET beat_at = clock_timestamp() - interval '2 days' RETURNING true"
DUE = "UPDATE followup.message SET due_at = followup.now() - interval '1 second' WHERE state = 'scheduled' RETURNING id"
ERROR = "SELECT error FROM followup.list_pull WHERE asked_provider = 'sick'"
KINDS = ["sendgrid", "mailgun", "postmark", "ses"]


def two_mails(database, sandbox, count):
    """Leads that got their first mail, of which the webhooks came; the second one is due and the daemon away."""
    world = World(database)
    account = world.account(steps=[("sequence", "0"), ("sequence", "10 days")])
    leads = world.leads(account, count)
    world.act("start_follow_up", account, leads)
    sandbox.wait_for_ledger(count)
    wait_until(lambda: database.value("SELECT count(*) FROM followup.message WHERE state = 'delivered'") == count,
               "webhooks have told that all were delivered")
    sandbox.daemon.stop()
    database.rows(DUE)
    database.rows(AWAY)
    return [address for address, in database.rows("SELECT email FROM followup.lead ORDER BY id")]


def state(database, address):
    return database.value("SELECT state::text || coalesce('/' || sub_state, '') FROM followup.lead WHERE email = %s", address)


@pytest.mark.parametrize("kind", KINDS)
def test_whom_the_provider_suppressed_meanwhile_gets_nothing(database, joined, kind):  # noqa: F811
    sandbox = joined(kind, "--list-page", "2")
    addresses, acts = four_suppressed_of_six(database, sandbox, kind)
    sandbox.daemon.start()
    judge(database, sandbox, addresses, acts)


@pytest.mark.parametrize("point", [point for point in EVERY_POINT if point.startswith("list_")])
def test_a_pull_whose_worker_ended_half_way_is_made_again(database, joined, point):  # noqa: F811
    sandbox = joined("sendgrid", "--list-page", "2")
    addresses, acts = four_suppressed_of_six(database, sandbox, "sendgrid")
    one = sandbox.daemon
    one.environment["FOLLOWUPD_CRASH"] = f"{point}:{2 if 'page' in point else 1}:kill"
    one.launch()
    assert one.wait() == -signal.SIGKILL
    assert len(sandbox.ledger()) == 6, "nothing was sent meanwhile"
    database.rows("UPDATE followup.list_pull SET next_try_at = clock_timestamp() RETURNING true")  # two minutes without news of it
    one.environment.pop("FOLLOWUPD_CRASH")
    one.start()
    judge(database, sandbox, addresses, acts)
    tries = {"list_wanted": [1], "list_asked": [1, 2], "list_end_asked": [1, 2], "list_ended": [1]}.get(point, [2])
    assert database.value("SELECT tries FROM followup.list_pull") in tries


def four_suppressed_of_six(database, sandbox, kind):
    addresses = two_mails(database, sandbox, 6)
    acts = ["bounce", "complaint", "bounce" if kind == "ses" else "unsubscribe", "bounce"]
    for address, act in zip(addresses, acts):
        sandbox.act(address, act, told=False)
    for n in range(5):  # strangers, and more than a page
        sandbox.act(f"stranger{n}@elsewhere.example", "bounce", told=False, api=kind)
    return addresses, acts


def judge(database, sandbox, addresses, acts):
    """The two who are on no list got their second mail, the others what the list says."""
    sandbox.wait_for_ledger(8)
    assert sorted(line["to"] for line in sandbox.ledger()[6:]) == addresses[4:]
    told = {"bounce": "deactivated/BounceDeactivated", "complaint": "unsubscribed", "unsubscribe": "unsubscribed"}
    assert [state(database, address) for address in addresses[:4]] == [told[act] for act in acts]
    assert database.value("SELECT count(*) FROM followup.provider_event WHERE provider = 'sandbox' AND applied_at IS NOT NULL") == 4
    assert database.value("SELECT applied FROM followup.list_pull WHERE ended_at IS NOT NULL AND error IS NULL") == 4
    assert database.value("SELECT string_agg(DISTINCT kinds, ' ') FROM followup.events_may_be_missing() WHERE kinds <> 'delivered'") == "rest"


def test_without_the_pull_mail_goes_on_to_them(database, joined):  # noqa: F811
    sandbox = joined("sendgrid")
    addresses = two_mails(database, sandbox, 2)
    database.rows("UPDATE followup.suppression_list SET waits = '0' RETURNING true")
    sandbox.act(addresses[0], "bounce", told=False)
    sandbox.daemon.start()
    sandbox.wait_for_ledger(4)
    assert database.value("SELECT string_agg(kinds, ' ') FROM followup.events_may_be_missing()") == "all"


class Sick(http.server.BaseHTTPRequestHandler):
    """Answers GETs as its server's list says, the last for ever; POSTs go nowhere."""
    def do_GET(self):
        answers = self.server.answers
        status, body, *retry_after = answers.pop(0) if len(answers) > 1 else answers[0]
        self.server.asked += 1
        self.send_response(status)
        for seconds in retry_after:
            self.send_header("Retry-After", seconds)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def ill(database, daemon, sandbox_factory):
    """ill(answers): two accounts after a long time away, a mail due in each; one waits for a list that is answered so."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Sick)

    def make(answers):
        server.answers, server.asked = answers, 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sandbox = sandbox_factory()
        one = daemon(start=False, config={
            "http": {"listen": "127.0.0.1:0", "public_url": "https://follow.example"},
            "engine": {"settle_interval": "100ms", "settle_after": "2s", "provider": "sandbox"},
            "provider.sandbox": {"type": "generic", "url": sandbox.url},
            "provider.sick": {"type": "sendgrid", "url": f"http://127.0.0.1:{server.server_port}", "key_file": "key", "timeout": "400ms"}})
        one.credential("key", "s3cret")
        world = World(database)
        well, sick = world.accounts(2)
        for account in (well, sick):
            world.act("start_follow_up", account, world.leads(account, 1))
            # Both had webhooks of SendGrid once; only one sends by it, by its second assistant.
            database.rows("INSERT INTO followup.provider_event (account_id, provider, event_id, kind, occurred_at, payload) VALUES "
                          "(%s, 'hook', '1', 'opened', now(), '{\"provider_type\": \"sendgrid\"}') RETURNING true", account)
        database.rows("INSERT INTO followup.assistant (account_id, name, from_address, provider) VALUES (%s, 'Two', 'two@acme.example', 'sick') RETURNING id", sick)
        database.rows("INSERT INTO followup.inbox_beat (beat_at) VALUES (clock_timestamp() - interval '2 days') RETURNING true")
        one.start()
        [line] = sandbox.wait_for_ledger(1)
        assert line["account_id"] == well, "others are not held up"
        wait_until(lambda: server.asked and database.value(ERROR), "it was asked in vain")
        return sandbox, sick
    yield make
    server.shutdown()


@pytest.mark.parametrize("answers, why", [
    ([(500, b"")], "HTTP 500"), ([(401, b'{"errors":[]}')], "HTTP 401"), ([(200, b"<html>")], "the answer is no list"),
    ([(200, b'[{"email": 7}]')], "entry 1 of a page is none"), ([(200, b"[" + b" " * (1 << 20) + b"]")], "HTTP 200")])
def test_a_list_that_cannot_be_had_is_not_waited_for_for_ever(database, ill, answers, why):
    sandbox, sick = ill(answers)
    assert why in database.value(ERROR)
    assert len(sandbox.ledger()) == 1, "it waits"
    database.rows("UPDATE followup.list_pull SET planned_at = planned_at - interval '11 minutes', next_try_at = clock_timestamp() RETURNING true")
    sandbox.wait_for_ledger(2)
    assert "given up" in database.value("SELECT detail FROM followup.account_alerts(%s) WHERE alert = 'list not pulled'", sick)


def test_a_provider_that_names_a_time_is_not_asked_before(database, ill):
    sandbox, sick = ill([(429, b"", "120"), (503, b"", "3600")])
    assert database.value("SELECT next_try_at > clock_timestamp() + interval '100 seconds' FROM followup.list_pull WHERE asked_provider = 'sick'")
    assert len(sandbox.ledger()) == 1, "it waits"
    database.rows("UPDATE followup.list_pull SET next_try_at = clock_timestamp() RETURNING true")
    sandbox.wait_for_ledger(2)  # for an hour nobody waits
    assert "HTTP 503, not again before 3600 s" in database.value(
        "SELECT detail FROM followup.account_alerts(%s) WHERE alert = 'list not pulled'", sick)
