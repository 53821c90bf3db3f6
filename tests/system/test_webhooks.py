"""Webhooks through the running daemon: every vector answered as it says, events that become rules, what is refused with
nothing stored, and clients that mean no good. The debug build's clock stands where the vectors do."""

import base64
import contextlib
import http.server
import json
import pathlib
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest

import hooks
from processes import wait_until
from schema import program
from test_front import ANY_PORT, address_of, answer_of, ask, closed, families, raw, value
from world import World

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "data/vectors"
CLOCK = 1771803675  # of vectors that name none and are not published ones
SNS_CLOCK = 1659048840
AUTHENTIC_AND_NOT_READ = {"published: signed by the provider, version 1", "published: signed by the provider, version 2, with Subject",
                          "published: test suite vector of the standard-webhooks and svix libraries"}
STALE = {"stale timestamp", "stale timestamp: signature still valid", "old timestamp"}
KEY = "a-key-of-mailgun-for-tests"
NOW = 1771803675
SHORT = {**ANY_PORT, "header_timeout": "400ms", "body_timeout": "400ms", "answer_timeout": "2s", "idle_timeout": "60s"}


@pytest.fixture
def world(database):
    return World(database)


@pytest.fixture
def hooked(daemon, tmp_path):
    """hooked(config): a daemon with sources resend, mailgun and postmark, whose signatures are held against .set_now()."""
    def make(config=None, start=True, **kwargs):
        one = daemon(start=False, config={
            "http": ANY_PORT, "engine": {"inbox_interval": "100ms"},
            "webhook.resend": {"type": "resend", "secret_file": "resend-secret"},
            "webhook.mailgun": {"type": "mailgun", "secret_file": "mailgun-secret"},
            "webhook.postmark": {"type": "postmark", "secret_file": "postmark-secret"}}, **kwargs)
        one.configure(config or {})
        one.credential("resend-secret", hooks.SVIX_SECRET + "\n")
        one.credential("mailgun-secret", KEY + "\n")
        one.credential("postmark-secret", "user:pass\n")
        now = tmp_path / "now"
        one.set_now = lambda seconds: now.write_text(str(seconds), encoding="ascii")
        one.set_now(NOW)
        one.environment["FOLLOWUPD_TEST_NOW"] = str(now)
        return one.start() if start else one
    return make


def stored(database):
    """Events, when every webhook is taken apart."""
    wait_until(lambda: database.value("SELECT count(*) FROM followup.webhook") == 0, "no webhook waits to be taken apart")
    return database.value("SELECT count(*) FROM followup.provider_event")


def reloaded(daemon, event="configuration_reloaded"):
    before = daemon.log().count(event)
    daemon.reload()
    wait_until(lambda: daemon.log().count(event) > before, event)


def resend(daemon, body, account=1, path="webhooks", **kwargs):
    return hooks.post(address_of(daemon), f"/{path}/resend/{account}", body, hooks.svix_headers(hooks.SVIX_SECRET, body, NOW, **kwargs))


def mailgun(daemon, event, token, account=1, now=NOW):
    return hooks.post(address_of(daemon), f"/webhooks/mailgun/{account}", hooks.mailgun_body(KEY, event, now, token),
                      {"Content-Type": "application/json"})


def mailgun_event(event_id="e1", kind="delivered", **more):
    return {"event": kind, "id": event_id, "timestamp": NOW, "recipient": "bob@rcpt.example", **more}


# --- the vectors ----------------------------------------------------------------------------------------------------

def vectors():
    return [(file, vector) for file in ("sendgrid", "mailgun", "postmark", "sns", "svix")
            for vector in json.loads((VECTORS / f"{file}.json").read_text(encoding="utf-8"))["vectors"]]


def clock_of(vector):
    if "clock" in vector:
        return vector["clock"]
    if not vector["name"].startswith("published"):
        return CLOCK
    return int(vector["headers"].get("X-Twilio-Email-Event-Webhook-Timestamp", SNS_CLOCK)) + 3


def section_of(daemon, name, vector):
    """The [webhook.NAME] of a vector's key."""
    key = vector["key"]
    section = {"type": vector["provider"]}
    if "public_key_spki_base64" in key:
        section["public_key_file"] = f"{name}-key"
        daemon.credential(f"{name}-key", key["public_key_spki_base64"])
    elif "allowed_topic_arns" in key:
        section["topic_arn"] = ",".join(key["allowed_topic_arns"])
    else:
        secret = key.get("signing_key") or key.get("secret") or key.get("header_value") or f"{key['basic_user']}:{key['basic_password']}"
        section["secret_file"] = f"{name}-secret"
        daemon.credential(f"{name}-secret", secret + "\n")
        if "header_name" in key:
            section["secret_header"] = key["header_name"]
    return section


def test_there_are_vectors_of_all_five():
    assert len(vectors()) == 38 and {v["provider"] for _, v in vectors()} == {"sendgrid", "mailgun", "postmark", "ses", "resend"}


def test_every_vector_is_answered_as_it_says(world, hooked, database):
    account = world.account()
    one = hooked(start=False)
    paths = {urllib.parse.urlsplit(v["key"]["served_at"]).path: v["key"]["cert_pem"] for _, v in vectors()
             if v["key"].get("served_at", "").startswith("https://sns.us-east-") and not v["name"].startswith("certificate on")}
    host = hooks.CertificateHost(paths)
    one.environment["FOLLOWUPD_TEST_CERTIFICATES"] = host.url
    names = [f"v{i}" for i in range(len(vectors()))]
    one.configure({f"webhook.{name}": section_of(one, name, vector) for name, (_, vector) in zip(names, vectors())})
    one.start()
    wrong = []
    for name, (file, vector) in zip(names, vectors()):
        one.set_now(clock_of(vector))
        kind = "inbound" if "route post" in vector["name"] else "webhooks"
        before, asked = stored(database), len(host.asked)

        def send(name=name, kind=kind, vector=vector):
            answer = hooks.post(address_of(one), f"/{kind}/{name}/{account}", vector["body"].encode(), vector["headers"])
            return None if answer.status == 503 else answer  # as its provider would: again

        answer = wait_until(send, f"{file}: {vector['name']} is not put off any more")
        new = stored(database) - before
        if vector["name"] in AUTHENTIC_AND_NOT_READ:
            right = answer.status in (200, 400) and new == 0
        elif vector["name"] == "valid subscription confirmation":
            right = answer.status == 200 and new == 0
        elif vector["expect"] == "accept" or vector["name"] == "used token":
            right = answer.status == 200 and new > 0
        else:
            right = answer.status == 401 and new == 0
        if vector.get("cert_fetched") is False:
            right = right and len(host.asked) == asked
        if not right:
            wrong.append((file, vector["name"], vector["expect"], answer.status, new, answer.text))
    host.close()
    assert not wrong
    assert database.value("SELECT count(*) FROM followup.webhook_confirmation") == 1
    assert value(families(one), "followupd_webhooks_total", answer="unauthentic") >= 15


# --- from a signature to a rule -------------------------------------------------------------------------------------

def test_a_bounce_and_a_complaint_change_what_the_lead_gets(world, sandbox, hooked, database):
    account = world.account(steps=[("sequence", "0"), ("sequence", "2 days")])
    bounced, complained = world.leads(account, 2)
    one = hooked()
    world.act("start_follow_up", account, [bounced, complained])
    sandbox.wait_for_ledger(2)
    wait_until(lambda: world.count(state="sent") == 2, "both are recorded")
    for lead, kind, more in ((bounced, "bounced", {"bounce": {"type": "Permanent", "subType": "General", "message": "no"}}),
                             (complained, "complained", {})):
        message = world.messages(lead_id=lead, state="sent")[0]
        body = hooks.resend_event(kind, f"{account}-{message['id']}-1", f"lead{lead}@account{account}.example", **more)
        assert resend(one, body, account, message_id=f"msg_{kind}").status == 200
    wait_until(lambda: world.count(state="scheduled") == 0, "nothing is scheduled for them any more")
    states = dict(database.rows("SELECT id, state::text || coalesce('/' || sub_state, '') FROM followup.lead"))
    assert states == {bounced: "deactivated/BounceDeactivated", complained: "unsubscribed"}
    assert resend(one, body, account, message_id="msg_complained").status == 200, "told again"
    assert stored(database) == 2


def answered_mail(database, text, attachments=()):
    """The lead's answer to what was sent, as Postmark brings it."""
    sent = database.value("SELECT rfc_message_id FROM followup.message WHERE state = 'sent'")
    return {"FromFull": {"Email": database.value("SELECT email FROM followup.lead"), "Name": "Lead"}, "From": "x@x.example",
            "To": "ada@acme.example", "ToFull": [{"Email": "ada@acme.example", "Name": "", "MailboxHash": ""}],
            "OriginalRecipient": "ada@acme.example", "Subject": "Re: sequence 1", "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b",
            "Date": "Fri, 20 Nov 2026 16:59:01 +0000", "TextBody": text, "HtmlBody": "",
            "StrippedTextReply": text, "Attachments": list(attachments),
            "Headers": [{"Name": "In-Reply-To", "Value": sent}, {"Name": "Message-ID", "Value": "<answer@x.example>"}]}


INBOUND_HEADERS = {"Content-Type": "application/json", "Authorization": "Basic dXNlcjpwYXNz"}


def answer_by_mail(one, database, account, text, attachments=()):
    mail = answered_mail(database, text, attachments)
    answer = hooks.post(address_of(one), f"/inbound/postmark/{account}", json.dumps(mail).encode(), INBOUND_HEADERS)
    assert answer.status == 200, answer.text
    wait_until(lambda: database.value("SELECT count(*) FROM followup.reply") == 1, "the reply is there")


def started(world, sandbox, one):
    account = world.account(steps=[("sequence", "0"), ("sequence", "2 days")])
    lead = world.leads(account)[0]
    world.act("start_follow_up", account, [lead])
    sandbox.wait_for_ledger(1)
    wait_until(lambda: world.count(state="sent") == 1, "it is recorded")
    return account


def test_a_reply_ends_the_sequence(world, sandbox, hooked, database):
    one = hooked()
    account = started(world, sandbox, one)
    answer_by_mail(one, database, account, "Please call me tomorrow.")
    wait_until(lambda: world.count(state="scheduled", kind="sequence") == 0, "the sequence has ended")


@contextlib.contextmanager
def classifier(answer):
    """A service that answers so, and what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            time.sleep(answer.get("after", 0))
            if "until" in answer:
                answer["until"].wait(30)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *_args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/classify", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("answer,outcome", [
    ({"body": b'{"outcome": "satisfied"}'}, "satisfied"),
    ({"body": b'{"outcome": null}'}, "lead_to_review"),
    ({"body": b"not JSON"}, "lead_to_review"),
    ({"body": b'{"outcome": "satisfied"}', "after": 1}, "lead_to_review"),
])
def test_a_classifier_is_asked_and_the_rules_are_there_without_it(world, sandbox, hooked, database, answer, outcome):
    with classifier(answer) as (url, asked):
        one = hooked({"webhook.postmark": {"classifier_url": url, "classifier_timeout": "300ms"}})
        account = started(world, sandbox, one)
        answer_by_mail(one, database, account, "The quick brown fox jumps over the lazy dog.")
        assert asked == [{"subject": "Re: sequence 1", "text": "The quick brown fox jumps over the lazy dog."}]
        assert database.value("SELECT outcome FROM followup.reply") == outcome
        one.stop()
    assert ("reply_not_classified" in one.log()) == (answer["body"] == b"not JSON" or "after" in answer)


def test_replies_that_a_classifier_ponders_keep_no_mail_from_leaving(world, sandbox, hooked, database):
    until = threading.Event()
    with classifier({"body": b'{"outcome": null}', "until": until}) as (url, asked):
        one = hooked({"webhook.postmark": {"classifier_url": url, "classifier_timeout": "10s"}, "engine": {"in_flight_max": "4"}})
        account = started(world, sandbox, one)
        mail = answered_mail(database, "The quick brown fox jumps over the lazy dog.")
        clients = [socket.create_connection(address_of(one), hooks.HTTP_SECONDS_MAX) for _ in range(100)]
        for number, client in enumerate(clients):
            mail["Headers"][1]["Value"] = f"<answer{number}@x.example>"
            body = json.dumps(mail | {"MessageID": f"73e6d360-66eb-11e1-8e72-a890482401{number:02}"}).encode()
            head = f"POST /inbound/postmark/{account} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
            client.sendall((head + "".join(f"{k}: {v}\r\n" for k, v in INBOUND_HEADERS.items()) + "\r\n").encode() + body)
        wait_until(lambda: len(asked) + stored(database) >= 100, lambda: f"asked about {len(asked)}, stored {stored(database)}")
        other = world.account()
        world.act("start_follow_up", other, world.leads(other, 8))
        wait_until(lambda: world.count(state="sent", account_id=other) == 8, "all are sent and recorded")
        until.set()
        for client in clients:
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
            client.close()
        one.stop()
    assert "message_given_back" not in one.log()


def test_a_stop_is_a_stop_whatever_a_classifier_says(world, sandbox, hooked, database):
    with classifier({"body": b'{"outcome": "hot_lead"}'}) as (url, _asked):
        one = hooked({"webhook.postmark": {"classifier_url": url}})
        account = started(world, sandbox, one)
        answer_by_mail(one, database, account, "Please unsubscribe me.")
        assert database.value("SELECT state FROM followup.lead") == "unsubscribed"


def test_many_at_once_are_stored_once_each(world, hooked, database):
    account = world.account()
    one = hooked()
    address = address_of(one)
    clients = [socket.create_connection(address, hooks.HTTP_SECONDS_MAX) for _ in range(60)]
    for i, client in enumerate(clients):
        body = hooks.resend_event("delivered", f"{account}-1-1", "bob@rcpt.example")
        headers = hooks.svix_headers(hooks.SVIX_SECRET, body, NOW, message_id=f"msg_{i // 2}")  # each twice
        head = f"POST /webhooks/resend/{account} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
        client.sendall((head + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n").encode() + body)
    answers = [client.recv(4096) for client in clients]
    for client in clients:
        client.close()
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert stored(database) == 30
    found = families(one)
    assert value(found, "followupd_webhooks_total", answer="accepted") == 60
    assert value(found, "followupd_inbox_events_total") == 30



def figures(daemon):
    """What /metrics says of webhooks and the inbox, by short names; tries are what was taken up in vain."""
    found = families(daemon)
    answers = {name: value(found, "followupd_webhooks_total", answer=name) for name in ("accepted", "unauthentic", "malformed", "put_off")}
    applied, *tries = (value(found, "followupd_inbox_applied_total", result=name) for name in ("applied", "unmatched", "failed"))
    return {**answers, "calls": value(found, "followupd_inbox_seconds_count"), "events": value(found, "followupd_inbox_events_total"),
            "applied": applied, "tries": sum(tries), "waiting": value(found, "followupd_inbox_waiting"),
            "behind": value(found, "followupd_inbox_behind")}


def samples(one, family):
    """None until the database has been asked."""
    found = families(one).get(family)
    return found.samples if found else []


def test_the_figures_of_webhooks_move_as_what_they_count(world, sandbox, hooked, database):
    one = hooked()
    account = started(world, sandbox, one)
    expected = dict.fromkeys(figures(one), 0)

    def moved(what, **by):
        expected.update({name: expected[name] + count for name, count in by.items()})
        wait_until(lambda: figures(one) == expected, f"{what}: {expected}")

    moved("nothing came yet")
    ours = hooks.resend_event("opened", f"{account}-{world.messages(state='sent')[0]['id']}-1", "bob@rcpt.example")
    assert resend(one, ours, account, message_id="msg_1").status == 200
    moved("accepted, taken apart and applied", accepted=1, calls=1, events=1, applied=1)
    assert resend(one, ours, account, message_id="msg_1").status == 200
    moved("told again: nothing new in it", accepted=1, calls=1)
    assert resend(one, b'{"type":"email.invented","created_at":"2026-11-20T10:00:00Z","data":{}}', account, message_id="msg_2").status == 200
    moved("nothing in it for us: not stored", accepted=1)
    assert hooks.post(address_of(one), f"/webhooks/resend/{account}", ours, {}).status == 401
    moved("refused for its signature", unauthentic=1)
    assert resend(one, b"nonsense", account, message_id="msg_3").status == 400
    moved("refused for what is in it", malformed=1)
    assert resend(one, ours, account=999999, message_id="msg_4").status == 404
    moved("asked and refused: no such account", malformed=1, calls=1)
    answer_by_mail(one, database, account, "My lawyer will contact you. This is legal action.")
    moved("a reply", accepted=1, calls=1, events=1, applied=1)
    wait_until(lambda: [sample.value for sample in samples(one, "followupd_reply_alerts")] == [1], "the alert that it raised")

    # Tried again later, so from here on at least so many.
    assert resend(one, hooks.resend_event("delivered", f"{account}-999-1", "bob@rcpt.example"), account, message_id="msg_5").status == 200
    wait_until(lambda: value(families(one), "followupd_inbox_applied_total", result="unmatched") >= 1, "of no message of ours")
    assert value(families(one), "followupd_inbox_applied_total", result="failed") == 0
    database.rows("ALTER TABLE followup.lead ADD CONSTRAINT opened_once CHECK (opens <= 1)")
    assert resend(one, ours, account, message_id="msg_6").status == 200
    wait_until(lambda: value(families(one), "followupd_inbox_applied_total", result="failed") >= 1, "its event cannot be applied")
    assert figures(one)["events"] == expected["events"] + 2 and figures(one)["applied"] == expected["applied"]


# --- what is refused ------------------------------------------------------------------------------------------------

def test_what_is_not_authentic_is_401_and_nothing_is_stored(world, hooked, database):
    account = world.account()
    one = hooked()
    body = hooks.resend_event("delivered", "1-1-1", "secret-address@rcpt.example")
    good = hooks.svix_headers(hooks.SVIX_SECRET, body, NOW)
    cases = {
        "wrong key": hooks.svix_headers("whsec_" + "b3RoZXIgc2VjcmV0IG90aGVyIHNlY3JldA==", body, NOW),
        "altered body": hooks.svix_headers(hooks.SVIX_SECRET, body + b" ", NOW),
        "stale": hooks.svix_headers(hooks.SVIX_SECRET, body, NOW - 301),
        "future": hooks.svix_headers(hooks.SVIX_SECRET, body, NOW + 301),
        "no header": {k: v for k, v in good.items() if k != "svix-signature"},
        "none": {},
    }
    for name, headers in cases.items():
        answer = hooks.post(address_of(one), f"/webhooks/resend/{account}", body, headers)
        assert answer.status == 401 and answer.headers["WWW-Authenticate"], name
    assert hooks.post(address_of(one), f"/webhooks/resend/{account}", body, good).status == 200
    assert stored(database) == 1
    assert "webhook_refused" in one.log()
    assert "secret-address" not in one.log() and hooks.SVIX_SECRET not in one.log()


def test_the_log_shows_no_secret_no_address_and_no_body(world, sandbox, hooked, database):
    """Whatever comes, taken or refused, applied or not: MARK stands in each address and each body."""
    mark, password = "unmistakable", "pa55-word-of-postmark"
    basic = "Basic " + base64.b64encode(f"user:{password}".encode()).decode()
    one = hooked()
    one.credential("postmark-secret", f"user:{password}\n")
    reloaded(one)
    account = started(world, sandbox, one)
    database.rows("UPDATE followup.lead SET email = %s RETURNING id", f"{mark}@rcpt.example")
    fu_id = f"{account}-{database.value('SELECT id FROM followup.message WHERE state = %s', 'sent')}-1"

    def event(kind, **more):
        return hooks.resend_event(kind, fu_id, f"{mark}@rcpt.example", **more)

    def told(refused):
        """Why it was refused is in the log, where one reason a second is."""
        before = one.log().count("webhook_refused")
        time.sleep(1.1)
        assert refused() in (400, 401)
        wait_until(lambda: one.log().count("webhook_refused") > before, "why it was refused is told")

    def post(path, body, headers):
        return hooks.post(address_of(one), path, body, headers).status

    def mail(text, authorization=basic):
        body = {"FromFull": {"Email": f"{mark}@rcpt.example"}, "MessageID": mark, "Subject": mark, "TextBody": text, "Headers": []}
        return post(f"/inbound/postmark/{account}", json.dumps(body).encode(), {"Authorization": authorization})

    def delivery(event_id):
        return mailgun(one, mailgun_event(event_id, recipient=f"{mark}@rcpt.example"), mark, account).status

    assert resend(one, event("opened"), account).status == 200
    assert mail("I shall call you, " + mark) == 200 and delivery("e1") == 200
    assert post(f"/webhooks/{mark}/{account}", event("opened"), {}) == 404 and post(f"/u/{mark}", b"", {}) == 404
    told(lambda: resend(one, event("delivered")[:-1], account, message_id="cut").status)
    told(lambda: resend(one, event("bounced", bounce={"message": [mark]}), account, message_id="type").status)
    told(lambda: post(f"/webhooks/resend/{account}", event("opened"), hooks.svix_headers("whsec_" + "QUJD" * 8, event("opened"), NOW)))
    told(lambda: post(f"/webhooks/resend/{account}?to={mark}@rcpt.example", event("opened"), {"svix-id": mark, "svix-signature": mark}))
    told(lambda: mail(mark, basic[:-2] + "=="))
    told(lambda: mail([mark]))
    told(lambda: delivery("e2"))  # with a token that came before
    database.rows("ALTER TABLE followup.lead ADD CONSTRAINT none_clicks CHECK (clicks = 0)")
    assert resend(one, event("clicked", click={"link": f"https://{mark}.example"}), account, message_id="clicked").status == 200
    wait_until(lambda: "inbox_events_failed" in one.log(), "what the database refuses to apply is told")
    database.rows("ALTER TABLE followup.webhook ADD CONSTRAINT no_room CHECK (false) NOT VALID")
    assert resend(one, event("opened"), account, message_id="no-room").status in (400, 503)
    log = one.log()
    assert "inbox_refused" in log
    for word in (mark, password, basic[6:], hooks.SVIX_SECRET, hooks.SVIX_SECRET[6:], KEY, "@rcpt.example", "@account"):
        assert word not in log, word


def test_a_token_serves_once(world, hooked, database):
    account = world.account()
    one = hooked()
    token = "a" * 50
    assert mailgun(one, mailgun_event("e1"), token, account).status == 200
    assert mailgun(one, mailgun_event("e1"), token, account).status == 200, "its own repetition"
    assert mailgun(one, mailgun_event("e2", "failed", severity="permanent"), token, account).status == 401
    wait_until(lambda: database.rows("SELECT kind::text FROM followup.provider_event") == [("delivered",)], "it is taken apart")


def test_sources_and_accounts_that_are_not_there(world, hooked, database):
    account, other = world.accounts(2)
    one = hooked(config={"webhook.resend": {"account": account}})
    body = hooks.resend_event("delivered", "1-1-1", "bob@rcpt.example")
    headers = hooks.svix_headers(hooks.SVIX_SECRET, body, NOW)
    for path in (f"/webhooks/resend/{other}", f"/webhooks/nobody/{account}", "/webhooks/resend/0", "/webhooks/resend/x",
                 "/webhooks/resend/-1", f"/webhooks/resend/{account}/", "/webhooks/resend", "/webhooks/resend/" + "9" * 70,
                 "/webhooks/resend/99999999999999999999"):
        assert hooks.post(address_of(one), path, body, headers).status == 404, path
    assert hooks.post(address_of(one), f"/webhooks/resend/{account}", None, headers, method="GET").status == 405
    assert mailgun(one, mailgun_event(), "b" * 50, account=999999).status == 404, "no such account"
    assert stored(database) == 0
    assert hooks.post(address_of(one), f"/webhooks/resend/{account}", body, headers).status == 200


@pytest.mark.parametrize("path,length,status,counted,why", [
    ("/webhooks/resend/1", (1 << 20) + 1, 413, "malformed", "larger than this path takes"),
    ("/inbound/resend/1", (32 << 20) + 1, 413, "malformed", "larger than this path takes"),
    ("/inbound/resend/1", 2 << 20, 503, "put_off", "too many bodies"),
    ("/webhooks/nobody/1", 2, 404, "malformed", "no such section"),
    ("/inbound/nobody/1", 32 << 20, 404, "malformed", "no such section"),
    ("/inbound/resend/2", 32 << 20, 404, "malformed", "not for this account"),
    ("/webhooks/resend/x", 2, 404, "malformed", "not for this account"),
])
def test_what_is_refused_unread_holds_no_room_and_is_counted_and_told(hooked, path, length, status, counted, why):
    one = hooked(config={"webhook.resend": {"account": "1"}, "http": {"bodies_max": str(2 << 20)}})
    # No byte of the body comes, so that the answer is to the header.
    answer = answer_of(one, f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    found = families(one)
    assert value(found, "followupd_http_bodies_bytes") == 0
    assert value(found, "followupd_webhooks_total", answer=counted) == 1
    line = next(line for line in one.log().splitlines() if "webhook_refused" in line)
    assert why in line and ("source=resend " in line) == ("resend" in path) and "nobody" not in line


def test_a_chunked_body_that_does_not_end_is_cut_counted_and_told(hooked):
    one = hooked()
    chunks = b"".join(b"8000\r\n" + b"a" * 0x8000 + b"\r\n" for _ in range(80))
    with contextlib.suppress(ConnectionError):
        answer_of(one, b"POST /webhooks/resend/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert value(families(one), "followupd_webhooks_total", answer="malformed") == 1
    assert one.log().count("larger than this path takes") == 1
    assert ask(one, "/healthz").status == 200


DEEP = b'{"type":"email.sent","x":' + b"[" * 40 + b"]" * 40 + b"}"


@pytest.mark.parametrize("body,status", [
    (b"", 400), (b"nonsense", 400), (b"[1,2]", 400), (b'"text"', 400), (b"null", 400), (b"{", 400),
    (DEEP, 400),
    (b'{"type":"email.sent","type":"email.bounced","created_at":"2026-11-20T10:00:00Z","data":{}}', 400),
    (b'{"type":"email.se\\u0000nt","created_at":"2026-11-20T10:00:00Z","data":{}}', 400),
    (b'{"type":"email.sent\x00","created_at":"2026-11-20T10:00:00Z","data":{}}', 400),
    (b'{"type":"email.\xff\xfe","created_at":"2026-11-20T10:00:00Z","data":{}}', 400),
    (b'{"type":"email.bounced","created_at":"2026-11-20T10:00:00Z","data":{"email_id":17,"to":["a@b.example"]}}', 400),
    (b'{"type":7,"created_at":"2026-11-20T10:00:00Z","data":{}}', 400),
    (b'{"type":"email.invented","created_at":"2026-11-20T10:00:00Z","data":{}}', 200),  # of theirs, some day
], ids=["empty", "no-json", "array", "text", "null", "cut", "deep", "key-twice", "nul-escaped", "nul", "no-utf8", "number", "type", "unknown"])
def test_what_cannot_be_read_is_4xx_at_once(world, hooked, database, body, status):
    account = world.account()
    one = hooked()
    answer = resend(one, body, account)
    assert answer.status == status, answer.text
    if status == 400:
        assert json.loads(answer.text)["status"] == 400
    assert stored(database) == 0


def test_a_body_over_the_limit_is_413(world, hooked, database):
    account = world.account()
    one = hooked(config={"http": {"bodies_max": str(1 << 20)}})
    assert hooks.post(address_of(one), f"/webhooks/resend/{account}", b"a" * (1 << 20), {}).status == 401, "1 MiB is read"
    head = b"POST /webhooks/resend/1 HTTP/1.1\r\nHost: a\r\n"
    assert answer_of(one, head + b"Content-Length: 1048577\r\n\r\n").startswith(b"HTTP/1.1 413"), "before a byte of it"
    assert answer_of(one, head + b"Content-Length: 99999999999999999999999\r\n\r\n").startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))
    chunks = b"".join(b"8000\r\n" + b"a" * 0x8000 + b"\r\n" for _ in range(33))
    assert answer_of(one, head + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n").startswith(b"HTTP/1.1 413")
    mail = b"POST /inbound/resend/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n"
    assert answer_of(one, mail).startswith(b"HTTP/1.1 503"), "there is no room for it among all bodies"
    assert ask(one, "/healthz").status == 200
    assert value(families(one), "followupd_http_bodies_bytes") == 0
    assert stored(database) == 0


def test_the_largest_batch_that_sendgrid_posts_is_taken(world, hooked, database, tmp_path):
    """A batch goes when it reaches 768 kilobytes."""
    account = world.account()
    key = tmp_path / "sendgrid.pem"
    one = hooked(start=False, config={"webhook.sendgrid": {"type": "sendgrid", "public_key_file": "sendgrid-key"}})
    one.credential("sendgrid-key", hooks.sendgrid_key(key))
    one.start()
    events = [{"email": f"lead{i}@rcpt.example", "event": "delivered", "timestamp": NOW - 9, "fu_id": f"{account}-{i}-1",
               "sg_event_id": f"event-{i}", "sg_message_id": f"14c5d75ce93.dfd.{i}", "response": "250 OK " + "x" * 440}
              for i in range(1200)]
    body = json.dumps(events).encode()
    assert 700_000 < len(body) < 768_000
    answer = hooks.post(address_of(one), f"/webhooks/sendgrid/{account}", body, hooks.sendgrid_headers(key, body, NOW))
    assert answer.status == 200, answer.text
    assert stored(database) == 1200


def test_a_mail_with_large_attachments_is_taken(world, hooked, sandbox, database):
    one = hooked()
    account = started(world, sandbox, one)
    attachment = {"Name": "a.bin", "ContentType": "application/octet-stream", "Content": "QUJD" * 7_000_000, "ContentLength": 21_000_000}
    answer_by_mail(one, database, account, "Please call me tomorrow.", [attachment])


def test_two_of_the_largest_mails_at_a_time_and_webhooks_beside_them(world, hooked):
    account = world.account()
    one = hooked()
    largest = 32 << 20
    head = f"POST /inbound/postmark/{account} HTTP/1.1\r\nHost: a\r\nContent-Length: ".encode()
    assert answer_of(one, head + f"{largest + 1}\r\n\r\n".encode()).startswith(b"HTTP/1.1 413"), "no larger one"
    begun = head + f"{largest}\r\n\r\n".encode() + b"a"
    with raw(one, begun), raw(one, begun):
        wait_until(lambda: value(families(one), "followupd_http_bodies_bytes") == 2 * largest, "both are begun")
        assert answer_of(one, begun).startswith(b"HTTP/1.1 503"), "a third has to come again"
        assert hooks.post(address_of(one), f"/webhooks/resend/{account}", b"a" * (1 << 20), {}).status == 401, "a webhook is read"
    wait_until(lambda: value(families(one), "followupd_http_bodies_bytes") == 0, "their room is given back")


def test_a_chunked_body_is_read(world, hooked, database):
    account = world.account()
    one = hooked()
    body = hooks.resend_event("delivered", "1-1-1", "bob@rcpt.example")
    headers = hooks.svix_headers(hooks.SVIX_SECRET, body, NOW)
    text = f"POST /webhooks/resend/{account} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    text += "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
    pieces = [body[:10], body[10:11], body[11:]]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    assert answer_of(one, text.encode() + chunks + b"0\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert stored(database) == 1


def test_smuggled_lengths_are_refused(world, hooked, database):
    world.account()
    one = hooked()
    inner = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
    for lengths in (b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                    b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(inner), b"Content-Length: 3\r\nContent-Length: 3\r\n",
                    b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                    b"Transfer-Encoding: identity\r\n"):
        answer = answer_of(one, b"POST /webhooks/resend/1 HTTP/1.1\r\nHost: a\r\n" + lengths + b"\r\n" + inner)
        assert answer.startswith(b"HTTP/1.1 400"), lengths
        assert answer.count(b"HTTP/1.1 ") == 1 and b"followupd_" not in answer, lengths
    assert stored(database) == 0


# --- slow and many clients ------------------------------------------------------------------------------------------

def test_slow_bodies_are_cut_and_others_are_served_meanwhile(world, hooked):
    account = world.account()
    one = hooked(config={"http": SHORT})
    head = f"POST /webhooks/resend/{account} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n".encode()
    clients = [raw(one, head) for _ in range(50)]
    left, deadline = clients, time.monotonic() + hooks.HTTP_SECONDS_MAX
    body, asked = hooks.resend_event("delivered", "1-1-1", "bob@rcpt.example"), 0
    while left and time.monotonic() < deadline:
        for client in left:
            with contextlib.suppress(OSError):
                client.send(b"a")
        assert resend(one, body, account, message_id=f"msg_{asked}").status == 200
        asked += 1
        left = [client for client in left if not closed(client)]
    assert not left and asked > 1
    wait_until(lambda: value(families(one), "followupd_http_bodies_bytes") == 0, "what they sent is given back")
    for client in clients:
        client.close()


def test_two_thousand_idle_connections_keep_nobody_out(world, hooked):
    account = world.account()
    one = hooked(config={"http": {"connections_max": "2048", "address_connections_max": "60000", "idle_timeout": "60s"}})
    address = address_of(one)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(socket.create_connection(address, hooks.HTTP_SECONDS_MAX))) for _ in range(2000)]
        body = hooks.resend_event("delivered", "1-1-1", "bob@rcpt.example")
        assert all(resend(one, body, account, message_id=f"msg_{i}").status == 200 for i in range(20))
        assert len(clients) == 2000 and value(families(one), "followupd_http_connections") >= 2000


# --- when we are in trouble -----------------------------------------------------------------------------------------

def test_without_a_database_it_says_come_again(hooked):
    one = hooked(start=False, config={"database": {"conninfo": "host=/nowhere dbname=none"}})
    one.launch()
    body = hooks.resend_event("delivered", "1-1-1", "bob@rcpt.example")
    answer = resend(one, body)
    assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
    assert resend(one, body + b" ", message_id="msg_2").status == 503
    assert hooks.post(address_of(one), "/webhooks/resend/1", body, {}).status == 401, "a forgery is one without it too"
    counted = figures(one)
    assert (counted["put_off"], counted["unauthentic"], counted["accepted"], counted["calls"]) == (2, 1, 0, 0)
    for method in ("GET", "POST"):
        answer = ask(one, "/u/" + "0" * 8 + "-0000-0000-0000-" + "0" * 12, method)
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8", "it is a person who reads it"
        assert "try again" in answer.text and '<form method="post">' in answer.text and "Unsubscribed" not in answer.text


def test_a_database_that_goes_away_in_between_loses_nothing_that_was_answered(world, hooked, database):
    account = world.account()
    one = hooked()
    taken = set()
    for i in range(60):
        if i == 20:
            database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'followupd %%'")
        body = hooks.resend_event("delivered", "1-1-1", "bob@rcpt.example")
        answer = resend(one, body, account, message_id=f"msg_{i}")
        assert answer.status in (200, 503)
        if answer.status == 200:
            taken.add(f"msg_{i}")
    wait_until(lambda: resend(one, body, account, message_id="msg_last").status == 200, "it is back")
    stored(database)
    kept = {row[0] for row in database.rows("SELECT event_id FROM followup.provider_event")}
    assert len(taken) >= 20 and all(any(token in event for event in kept) for token in taken)


def test_a_reload_takes_the_next_secret(world, hooked):
    account = world.account()
    one = hooked()
    body = hooks.resend_event("delivered", "1-1-1", "bob@rcpt.example")
    fresh = "whsec_" + "YW5vdGhlciBzZWNyZXQgZm9yIHRlc3Rz"

    def by(secret, number):
        headers = hooks.svix_headers(secret, body, NOW, message_id=f"msg_{number}")
        return hooks.post(address_of(one), f"/webhooks/resend/{account}", body, headers).status

    assert by(fresh, 1) == 401
    one.credential("resend-secret", f"{fresh}\n{hooks.SVIX_SECRET}\n")
    reloaded(one)
    assert by(fresh, 2) == 200 and by(hooks.SVIX_SECRET, 3) == 200, "both, while it is changed"
    one.credential("resend-secret", f"{fresh}\n")
    one.configure({"webhook.mailgun": None, "webhook.more": {"type": "resend", "secret_file": "resend-secret"}})
    reloaded(one)
    assert by(hooks.SVIX_SECRET, 4) == 401 and by(fresh, 5) == 200
    assert mailgun(one, mailgun_event(), "c" * 50, account).status == 404
    one.credential("resend-secret", "")
    reloaded(one, "configuration_kept")
    assert by(fresh, 6) == 200, "a file with a mistake changes nothing"
    assert fresh not in one.log()


def test_either_of_two_keys_in_pem_while_sendgrids_is_changed(world, hooked, tmp_path):
    account = world.account()
    keys = [tmp_path / "new.pem", tmp_path / "old.pem"]
    one = hooked(start=False, config={"webhook.sendgrid": {"type": "sendgrid", "public_key_file": "sendgrid-key"}})
    one.credential("sendgrid-key", "".join(hooks.sendgrid_key(key) for key in keys))
    one.start()
    for key in keys:
        body = json.dumps([{"event": "delivered", "timestamp": NOW - 9, "sg_event_id": key.name, "email": "bob@rcpt.example"}]).encode()
        answer = hooks.post(address_of(one), f"/webhooks/sendgrid/{account}", body, hooks.sendgrid_headers(key, body, NOW))
        assert answer.status == 200, key.name
    one.credential("sendgrid-key", "".join(hooks.sendgrid_key(tmp_path / f"{i}.pem") for i in range(3)))
    reloaded(one, "configuration_kept")
    assert "more than 2 keys" in one.log()


@pytest.mark.parametrize("section,said", [
    ({"type": "postmark"}, "type postmark needs a secret (secret_file)"),
    ({"type": "sendgrid"}, "type sendgrid needs a public key (public_key_file)"),
    ({"type": "resend", "secret_file": "absent", "public_key_file": "absent"}, "type resend takes no public key"),
    ({"type": "ses", "topic_arn": "arn:aws:sns:eu-central-1:1:mail", "secret_file": "absent"}, "type ses takes no secret"),
    ({"type": "ses"}, "topic_arn: type ses needs it"),
    ({"type": "ses", "topic_arn": "a b"}, "topic_arn: arn:..."),
    ({"type": "mailgun", "secret_file": "absent", "topic_arn": "arn:aws:sns:eu-central-1:1:mail"}, "topic_arn: type ses needs it, and no other"),
    ({"type": "mailgun", "secret_file": "absent", "secret_header": "X-Secret"}, "the header of the secret"),
    ({"type": "resend", "secret_file": "absent", "classifier_url": "ftp://a.example"}, "classifier_url: must begin with http"),
    ({"type": "resend", "secret_file": "absent"}, None),
])
def test_a_check_says_what_a_section_needs_and_reads_no_file_and_a_start_says_the_same(hooked, section, said):
    one = hooked(start=False, config={"webhook.bad": section})
    done = subprocess.run([program("followupd"), *one.command(), "--check"], capture_output=True, text=True, check=False, timeout=20)
    if said is None:
        assert done.returncode == 0, done
        return
    assert done.returncode == 2 and f"{one.config_path}:" in done.stderr and "[webhook.bad]" in done.stderr and said in done.stderr
    one.launch()
    assert one.wait() == 2 and said in one.log()


@pytest.mark.parametrize("section,words", [
    ({"type": "resend", "secret_file": "absent"}, ["[webhook.bad] secret_file", "absent"]),
    ({"type": "resend", "secret_file": "three"}, ["[webhook.bad] secret_file", "lines"]),
    ({"type": "sendgrid", "public_key_file": "three"}, ["[webhook.bad] public_key_file"]),
    ({"type": "sendgrid", "public_key_file": "one"}, ["[webhook.bad]", "key"]),
])
def test_what_is_wrong_with_the_files_of_a_section_is_told(hooked, section, words):
    one = hooked(start=False, config={"webhook.bad": section})
    one.credential("three", "a-line\nb-line\nc-line\n")
    one.credential("one", "a-line\n")
    one.launch()
    assert one.wait() == 1
    for word in words:
        assert word in one.log()
    assert "a-line" not in one.log()


# --- /u/{token} -----------------------------------------------------------------------------------------------------

def test_the_unsubscribe_page(world, sandbox, hooked, database):
    account = world.account("<b>Acme & Söhne</b>", steps=[("sequence", "0"), ("sequence", "2 days")])
    lead, other = world.leads(account, 2)
    one = hooked()
    world.act("start_follow_up", account, [lead, other])
    sandbox.wait_for_ledger(2)
    path = "/u/%s" % database.value("SELECT unsubscribe_token FROM followup.lead WHERE id = %s", lead)
    shown = ask(one, path)
    assert shown.status == 200 and shown.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"] and shown.headers["Cache-Control"] == "no-store"
    assert '<form method="post">' in shown.text and "<script" not in shown.text and "<b>" not in shown.text
    assert "&lt;b&gt;Acme &amp; Söhne&lt;/b&gt;" in shown.text and "l***@account" in shown.text and "lead1@" not in shown.text
    assert ask(one, path, "HEAD").status == 200 and ask(one, path, "HEAD").text == ""
    assert database.value("SELECT state::text FROM followup.lead WHERE id = %s", lead) == "active", "looking changes nothing"
    multipart = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    for body, content_type in ((b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
                               (multipart, "multipart/form-data; boundary=x"), (b"", "text/plain")):
        answer = ask(one, path, "POST", body, {"Content-Type": content_type, "User-Agent": "M\xfcller"})
        assert answer.status == 200 and "Location" not in answer.headers and "no more messages" in answer.text
    assert database.value("SELECT state::text FROM followup.lead WHERE id = %s", lead) == "unsubscribed"
    assert world.count(state="scheduled", lead_id=lead) == 0 and world.count(state="scheduled", lead_id=other) == 1
    assert "no more messages" in ask(one, path).text
    for wrong in ("/u/x", "/u/" + "0" * 8 + "-0000-0000-0000-" + "0" * 12, path[:-1], "/u/%00", "/u/" + "%FF" * 36):
        for method in ("GET", "POST"):
            assert ask(one, wrong, method).status == 404, (wrong, method)
    assert ask(one, path, "POST", b"a" * 20000).status == 413
    assert ask(one, path, "PUT").status == 405
    assert path[3:] not in one.log()


def test_a_click_that_waits_for_its_lead_holds_up_no_webhook(world, sandbox, hooked, database):
    account = world.account()
    [lead] = world.leads(account, 1)
    one = hooked({"database": {"statement_timeout": "2m"}})
    world.act("start_follow_up", account, [lead])
    sandbox.wait_for_ledger(1)
    path = "/u/%s" % database.value("SELECT unsubscribe_token FROM followup.lead WHERE id = %s", lead)
    answers = []
    with database.connect() as holder, holder.transaction():
        holder.execute("SELECT FROM followup.lead WHERE id = %s FOR UPDATE", (lead,))
        click = threading.Thread(target=lambda: answers.append(ask(one, path, "POST")))
        click.start()
        wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                          " AND application_name LIKE 'followupd %%'") == 1, "the click waits")
        assert resend(one, hooks.resend_event("delivered", "1-1-1", "bob@rcpt.example"), account).status == 200
        assert not answers, "while it still waits"
    click.join()
    assert answers[0].status == 200 and "no more messages" in answers[0].text


# --- the operator ---------------------------------------------------------------------------------------------------

def test_a_subscription_is_confirmed_by_a_person(world, hooked, ctl, database):
    account = world.account()
    vector = next(v for _, v in vectors() if v["name"] == "valid subscription confirmation")
    host = hooks.CertificateHost({urllib.parse.urlsplit(vector["key"]["served_at"]).path: vector["key"]["cert_pem"]})
    one = hooked(start=False, config={"webhook.ses": {"type": "ses", "topic_arn": vector["key"]["allowed_topic_arns"][0]}})
    one.environment["FOLLOWUPD_TEST_CERTIFICATES"] = host.url
    one.set_now(clock_of(vector))
    one.start()
    assert "Nothing" in ctl("webhook", "list").stdout
    assert hooks.post(address_of(one), f"/webhooks/ses/{account}", vector["body"].encode(), vector["headers"]).status == 200
    assert len(host.asked) == 1, "the certificate, and never SubscribeURL"
    host.close()
    message = json.loads(vector["body"])
    shown = json.loads(ctl("webhook", "list", "--json").stdout)[0]
    url = urllib.parse.urlsplit(shown["confirm_url"])
    assert url.hostname == "sns.us-east-1.amazonaws.com" and shown["topic_arn"] == message["TopicArn"]
    assert dict(urllib.parse.parse_qsl(url.query)) == {"Action": "ConfirmSubscription", "Version": "2010-03-31",
                                                       "TopicArn": message["TopicArn"], "Token": message["Token"]}
    assert stored(database) == 0
