"""The daemon at providers that speak their own API: what is found, what goes again, what rests, what threads."""
import http.server
import json
import subprocess
import threading

import pytest

from processes import wait_until
from schema import program
from world import World


class Api(http.server.ThreadingHTTPServer):
    """A provider on the loopback. answer(method, path, body) gives (status, headers, object), or None: the connection is
    cut without an answer."""

    daemon_threads = True

    def __init__(self, answer):
        self.answer, self.seen = answer, []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one write

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                api.seen.append((self.command, self.path, self.headers, json.loads(body) if body[:1] == b"{" else body))
                said = api.answer(self.command, self.path, api.seen[-1][3])
                if said is None:
                    self.close_connection = True
                    return
                status, headers, answer = said
                text = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = handle_any

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def sends(self):
        return [body for method, path, _, body in self.seen if method == "POST" and "analytics" not in path]


@pytest.fixture
def world(database):
    return World(database)


@pytest.fixture
def api():
    made = []

    def make(answer):
        made.append(Api(answer))
        return made[-1]

    yield make
    for one in made:
        one.shutdown()
        one.server_close()


@pytest.fixture
def at(daemon):
    """A daemon whose only provider is of that type."""
    def make(api, kind, **keys):
        one = daemon(start=False, url=api.url, config={
            "engine": {"settle_after": "1200ms"},
            "provider.sandbox": {"type": kind, "key_file": "key", "timeout": "1s", **keys}, "http": {"public_url": "https://follow.example"}})
        one.credential("key", "s3cret")
        return one.start()
    return make


@pytest.mark.parametrize("keys,said", [
    ({"type": "ses", "key_file": "key", "access_key": "AKID"}, "region is missing: type ses needs it"),
    ({"type": "mailgun", "key_file": "key"}, "domain is missing: type mailgun needs it"),
    ({"type": "mailgun", "key_file": "key", "domain": "mg.x.example", "region": "mars"}, "region is 'mars', known are: us, eu"),
    ({"type": "resend"}, "key_file is missing: type resend needs it"),
    ({"type": "resend", "key_file": "key", "domain": "x.example"}, "domain has no meaning for type resend"),
    ({"type": "resend", "key_file": "key"}, None),
])
def test_a_check_says_what_a_type_needs_and_reads_no_key(daemon, keys, said):
    one = daemon(start=False, config={"provider.sandbox": {"url": None, **keys}, "http": {"public_url": "https://follow.example"}})
    done = subprocess.run([program("followupd"), *one.command(), "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (said is None), done
    assert said is None or f"{one.config_path}: provider sandbox: {said}" in done.stderr


def test_people_get_no_mail_without_a_way_out(daemon):
    one = daemon(start=False, config={"provider.sandbox": {"url": None, "type": "resend", "key_file": "key"}})
    done = subprocess.run([program("followupd"), *one.command(), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "[http] public_url is missing: by [provider.sandbox] people get mail" in done.stderr, done


def started(world, count=1, **kwargs):
    account = world.account(**kwargs)
    leads = world.leads(account, count)
    world.act("start_follow_up", account, leads)
    return account, leads


def test_sendgrid_accepts_and_its_id_is_kept(world, database, api, at):
    account, [lead] = started(world)
    provider = api(lambda *_: (202, {"X-Message-Id": "14c5d75ce93"}, None))
    at(provider, "sendgrid")
    wait_until(lambda: world.count(state="sent") == 1, "it is sent")
    [[message, provider_id]] = database.rows("SELECT id, provider_message_id FROM followup.message WHERE lead_id = %s", lead)
    assert provider_id == "14c5d75ce93"
    [(method, path, headers, body)] = provider.seen
    assert (method, path, headers["Authorization"]) == ("POST", "/v3/mail/send", "Bearer s3cret")
    assert body["personalizations"][0]["custom_args"] == {"fu_id": f"{account}-{message}-1"}
    assert body["from"] == {"email": "ada@acme.example", "name": "Ada"}


def test_postmark_is_searched_for_what_is_in_doubt_and_has_it(world, database, api, at):
    started(world)

    def answer(method, path, _body):
        if method == "POST":
            return None
        return 200, {}, {"TotalCount": 1, "Messages": [{"MessageID": "u-1"}]}

    provider = api(answer)
    at(provider, "postmark", look_up_proof="100ms")
    wait_until(lambda: world.count(state="sent") == 1, "the search finds it")
    assert len(provider.sends()) == 1, "and it is not posted again"
    fu_id = provider.sends()[0]["Metadata"]["fu_id"]
    assert [path for method, path, *_ in provider.seen if method == "GET"][0] == \
        f"/messages/outbound?count=10&offset=0&metadata_fu_id={fu_id}"
    assert database.value("SELECT provider_message_id FROM followup.message") == "u-1"


@pytest.mark.parametrize("kind,keys,empty", [("postmark", {}, {"TotalCount": 0, "Messages": []}),
                                             ("mailgun", {"domain": "mg.acme.example"}, {"items": []})])
def test_what_a_provider_does_not_know_goes_again_when_that_proves_something(world, database, api, at, kind, keys, empty):
    started(world)
    patient = threading.Event()

    def answer(method, path, _body):
        if method == "GET" or "analytics" in path:
            return 200, {}, empty
        return (200, {}, {"MessageID": "u-2", "ErrorCode": 0, "id": "u-2"}) if patient.is_set() else None

    provider = api(answer)
    one = at(provider, kind, look_up_proof="720h", **keys)
    wait_until(lambda: len(provider.seen) - len(provider.sends()) >= 2, "it is asked twice")
    assert world.count(state="in_doubt") == 1 and len(provider.sends()) == 1, "too early: that proves nothing"
    one.stop()
    patient.set()
    one.configure({"provider.sandbox": {"look_up_proof": "100ms"}})
    one.start()
    wait_until(lambda: world.count(state="sent") == 1, "it goes again")
    assert len(provider.sends()) == 2
    assert database.value("SELECT attempts FROM followup.message") == 2, "with a key of its own"


def test_ses_writes_its_own_message_id_and_the_next_message_answers_that(world, database, api, at):
    started(world, steps=(("sequence", "0"), ("sequence", "0")))
    count = iter(range(1, 9))
    provider = api(lambda *_: (200, {}, {"MessageId": f"0100-{next(count)}"}))
    at(provider, "ses", region="eu-west-1", access_key="AKIDEXAMPLE")
    wait_until(lambda: world.count(state="sent") == 2, "both are sent")
    first, second = ({h["Name"]: h["Value"] for h in body["Content"]["Simple"]["Headers"]} for body in provider.sends())
    assert "In-Reply-To" not in first and "Message-ID" not in first
    assert second["In-Reply-To"] == second["References"] == "<0100-1@eu-west-1.amazonses.com>"
    assert all(headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
               for _, _, headers, _ in provider.seen)


def test_resend_that_has_the_key_with_another_body_had_the_message(world, database, api, at):
    started(world)
    answers = iter([None, (409, {}, {"name": "concurrent_idempotent_requests", "message": "in progress"}),
                    (409, {}, {"name": "invalid_idempotent_request", "message": "other payload"})])
    provider = api(lambda *_: next(answers))
    at(provider, "resend")
    wait_until(lambda: world.count(state="sent") == 1, "the first one arrived")
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in provider.seen}) == 1
    assert len(provider.seen) == 3


@pytest.mark.parametrize("kind,keys,refusal,accepted,said", [
    ("ses", {"region": "eu-west-1", "access_key": "AKIDEXAMPLE"},
     (400, {"x-amzn-ErrorType": "SendingPausedException"}, {"message": "paused"}), (200, {}, {"MessageId": "0100-1"}),
     "sending rests: SES has stopped sending for the account (SendingPausedException)"),
    ("postmark", {}, (422, {}, {"ErrorCode": 405, "Message": "out of credits"}), (200, {}, {"ErrorCode": 0, "MessageID": "u-1"}),
     "sending rests: Postmark lets the account send nothing (ErrorCode 405)"),
    ("sendgrid", {}, (404, {}, {"errors": [{"message": "no such path", "field": None}]}), (202, {"X-Message-Id": "x-1"}, None), "no such path"),
    ("resend", {}, (403, {}, None), (200, {}, {"id": "r-1"}), "HTTP 403"),
], ids=["ses: paused", "postmark: no credits", "sendgrid: a wrong url", "resend: not its own answer"])
def test_an_account_that_may_not_send_rests_and_says_so(world, database, api, at, kind, keys, refusal, accepted, said):
    """No lead is given up for what no message can help."""
    started(world, count=3)
    may_send = threading.Event()
    provider = api(lambda *_: accepted if may_send.is_set() else refusal)
    one = at(provider, kind, **keys)
    wait_until(lambda: "provider_breaker" in one.log(), "the provider rests")
    assert said in one.log()
    may_send.set()
    wait_until(lambda: world.count(state="sent") == 3, "a probe finds that it may send again")
    assert database.rows("SELECT DISTINCT attempts FROM followup.message") == [(1,)], "no attempt was counted"
