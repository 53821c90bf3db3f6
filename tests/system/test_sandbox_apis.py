"""The stand-in provider through the providers' own APIs, asked with the official SDKs' own requests (tests/data/sdk-requests)."""

import hashlib
import hmac
import json
import pathlib
import threading
import time
import urllib.parse

import pytest
from processes import wait_until
from test_sandbox import Client

REQUESTS = pathlib.Path(__file__).parents[1] / "data" / "sdk-requests"
SES_KEY, SES_SECRET = "AKIDEXAMPLE", "wJalr/EXAMPLE+KEY"
CREDENTIALS = ["sendgrid=SG.test-key", "mailgun=key-test", "postmark=POSTMARK-TOKEN", "resend=re_test_key",
               f"ses={SES_KEY}:{SES_SECRET}"]
SENDS = ["sendgrid-send", "mailgun-send", "postmark-send", "ses-send-simple", "ses-send-session-token", "resend-send"]
MESSAGE_ID = "<fu-1001.3@sender.example>"


@pytest.fixture
def apis(sandbox_factory):
    return sandbox_factory(args=[word for one in CREDENTIALS for word in ("--credential", one)])


@pytest.fixture
def client(apis):
    one = Client(apis)
    yield one
    one.close()


def recorded(name):
    """(method, target, body, headers) of the SDK's first request"""
    request = json.loads((REQUESTS / f"{name}.json").read_text())["requests"][0]
    skipped = {"host", "connection", "content-length", "accept-encoding"}
    headers = {name: value for name, value in request["headers"] if name.lower() not in skipped}
    return request["method"], request["target"], request["body"].encode(), headers


def signed(client, method, target, body, headers, secret=SES_SECRET, skew=0, region="eu-west-1"):
    """The headers of a SigV4 request, by the rules of AWS's documentation."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + skew))
    host = f"{client.connection.host}:{client.connection.port}"
    values = {"content-type": "application/json", "host": host, "x-amz-date": stamp}
    token = next((v for k, v in headers.items() if k.lower() == "x-amz-security-token"), None)
    if token:
        values["x-amz-security-token"] = token
    names = ";".join(sorted(values))
    canonical = "\n".join([method, target, "", *(f"{k}:{values[k]}" for k in sorted(values)), "", names,
                           hashlib.sha256(body).hexdigest()])
    scope = f"{stamp[:8]}/{region}/ses/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for step in scope.split("/"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return {**{k: v for k, v in values.items() if k != "host"},
            "Authorization": f"AWS4-HMAC-SHA256 Credential={SES_KEY}/{scope}, SignedHeaders={names}, Signature={signature}"}


def ask(client, name, change=lambda body: body, **signing):
    """The SDK's request; SES's is signed anew, for its time and host are those of the recording."""
    method, target, body, headers = recorded(name)
    body = change(body)
    if name.startswith("ses"):
        headers = signed(client, method, target, body, headers, **signing)
    return client.request(method, target, body, **headers)


def expected(name):
    return json.loads((REQUESTS / f"{name}.json").read_text())["sdkResult"]


def shape(value):
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("name", SENDS)
def test_an_sdks_request_is_a_line_of_the_ledger(apis, client, name):
    status, answer, headers = ask(client, name)
    assert status == (202 if name.startswith("sendgrid") else 200)
    (line,) = apis.ledger()
    html = "<p>Hello <b>Bob</b> &amp; co – ünï</p>"
    assert (line["api"], line["fu_id"], line["from"]) == (name.split("-")[0], "1001", "Ada Follow <ada@sender.example>")
    assert line["to"] in ("bob@rcpt.example", "Bob Récipient <bob@rcpt.example>")
    assert (line["reply_to"], line["subject"]) == ("reply+t0k3n@in.sender.example", "Re: Your enquiry – naïve café ✓")
    assert (line["text"], line["html"]) == ("Hello Bob,\nsecond line\n.\nünï end\n", html)
    kept = {"In-Reply-To", "References", "List-Unsubscribe", "List-Unsubscribe-Post"}
    assert set(line["headers"]) == kept | {"Feedback-ID" if name.startswith("ses") else "Message-ID"}
    assert line["headers"]["References"] == "<orig-76@rcpt.example> <orig-77@rcpt.example>"
    if name.startswith("sendgrid"):
        assert (answer, bool(headers["X-Message-Id"])) == ("", True)
    else:  # what the SDK made of the answer, without what it added itself
        ok = expected(name)["ok"]
        ok = ok.get("data", ok)
        assert shape(answer) == shape({key: value for key, value in ok.items() if key != "status"})


def test_our_id_names_account_and_message(apis, client):
    ask(client, "postmark-send", lambda body: body.replace(b'"1001"', b'"12-3456-2"'))
    (line,) = apis.ledger()
    assert (line["account_id"], line["message_id"], line["fu_id"]) == (12, "m-3456", "12-3456-2")


@pytest.mark.parametrize("name, status, shape_of_error", [
    ("sendgrid-send", 401, "errors"), ("mailgun-send", 401, "message"), ("postmark-send", 401, "ErrorCode"),
    ("resend-send", 403, "name")])
def test_another_key_is_refused(apis, client, name, status, shape_of_error):
    method, target, body, headers = recorded(name)
    wrong = {key: value[:-3] + "xyz" if key.lower() in ("authorization", "x-postmark-server-token") else value
             for key, value in headers.items()}
    answer = client.request(method, target, body, **wrong)
    assert (answer[0], shape_of_error in answer[1]) == (status, True)
    assert (apis.ledger(), apis.stats()["unauthorized"]) == ([], 1)


def test_without_a_credential_nobody_is_let_in(sandbox):
    client = Client(sandbox)
    assert ask(client, "sendgrid-send")[0] == 401
    assert ask(client, "ses-send-simple")[0] == 403
    client.close()


@pytest.mark.parametrize("wrong", [{"secret": "other"}, {"skew": -400}, {"skew": 400}])
def test_ses_refuses_a_wrong_signature_and_a_stale_one(apis, client, wrong):
    status, _, headers = ask(client, "ses-send-simple", **wrong)
    assert (status, headers["x-amzn-ErrorType"]) == (403, "SignatureDoesNotMatch")
    assert apis.ledger() == []


def test_ses_refuses_a_body_that_was_altered_after_signing(apis, client):
    method, target, body, headers = recorded("ses-send-simple")
    headers = signed(client, method, target, body, headers)
    assert client.request(method, target, body.replace(b"Bob", b"Eve"), **headers)[0] == 403
    assert apis.ledger() == []


def test_resend_repeats_its_answer_for_the_same_key_and_body(apis, client):
    first = ask(client, "resend-send")[:2]
    assert ask(client, "resend-send")[:2] == first
    status, answer, _ = ask(client, "resend-send", lambda body: body.replace(b"Bob", b"Eve"))
    assert (status, answer["name"]) == (409, "invalid_idempotent_request")
    assert len(apis.ledger()) == 1


def test_resend_refuses_a_key_whose_first_request_is_still_running(apis, client):
    apis.put_faults([{"action": "late", "ms": 600000, "count": 1}])
    late = Client(apis)

    def send():
        try:
            ask(late, "resend-send")
        except OSError:
            pass

    thread = threading.Thread(target=send)
    thread.start()
    wait_until(apis.ledger, "the late one is accepted")
    status, answer, _ = ask(client, "resend-send")
    assert (status, answer["name"]) == (409, expected("resend-409-concurrent")["ok"]["error"]["name"])
    apis.stop()
    thread.join()


@pytest.mark.parametrize("name", ["sendgrid-send", "mailgun-send", "postmark-send", "ses-send-simple"])
def test_the_others_know_no_keys(apis, client, name):
    ask(client, name)
    ask(client, name)
    assert [line["key"] for line in apis.ledger()] == [None, None]


def test_each_tells_its_limit_in_its_own_unit(apis, client):
    apis.put_faults([{"action": "429", "retry_after_s": 30}])
    now = time.time()
    sendgrid, mailgun = ask(client, "sendgrid-send"), ask(client, "mailgun-send")
    assert (sendgrid[0], mailgun[0]) == (429, 429)
    assert now + 28 < int(sendgrid[2]["X-RateLimit-Reset"]) < now + 90
    assert now + 28 < int(mailgun[2]["X-RateLimit-Reset"]) / 1000 < now + 90
    resend = ask(client, "resend-send")
    assert (resend[0], resend[1]["name"], resend[2]["ratelimit-reset"]) == (429, "rate_limit_exceeded", "30")
    ses = ask(client, "ses-send-simple")
    assert (ses[0], ses[2]["x-amzn-ErrorType"]) == (429, expected("ses-429-throttle")["error"]["name"])
    assert ask(client, "postmark-send")[0] == 429
    assert apis.ledger() == []


@pytest.mark.parametrize("action, name, status, words", [
    ("inactive", "postmark-send", 422, {"ErrorCode": 406}),
    ("400", "postmark-send", 422, {"ErrorCode": 300}),
    ("suspended", "postmark-send", 422, {"ErrorCode": 405}),
    ("500", "postmark-send", 500, {"ErrorCode": 0}),
    ("quota", "resend-send", 429, {"name": "daily_quota_exceeded"}),
    ("500", "resend-send", 500, {"name": "internal_server_error"}),
    ("500", "mailgun-send", 500, {"message": "a fault rule says so"}),
    ("suspended", "sendgrid-send", 403, {"errors": [{"message": "a fault rule says so", "field": None, "help": None}]}),
])
def test_a_fault_speaks_the_providers_language(apis, client, action, name, status, words):
    apis.put_faults([{"action": action}])
    answer = ask(client, name)
    assert answer[0] == status
    assert words.items() <= answer[1].items()
    assert apis.ledger() == []


@pytest.mark.parametrize("action, status, error", [
    ("inactive", 400, "MessageRejected"), ("suspended", 400, "AccountSuspendedException"),
    ("quota", 400, "LimitExceededException"), ("500", 500, "InternalFailure")])
def test_ses_names_its_error_in_a_header(apis, client, action, status, error):
    apis.put_faults([{"action": action}])
    answer = ask(client, "ses-send-simple")
    assert (answer[0], answer[2]["x-amzn-ErrorType"]) == (status, error)


@pytest.mark.parametrize("name", ["sendgrid-send-two-personalizations", "mailgun-send-recipient-variables", "ses-send-raw"])
def test_what_it_does_not_do_it_refuses(apis, client, name):
    assert ask(client, name)[0] == 400
    assert apis.ledger() == []


def test_mailgun_takes_an_urlencoded_form_too(apis, client):
    _, target, _, headers = recorded("mailgun-send")
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    body = urllib.parse.urlencode({"from": "a@s.example", "to": "b@r.example", "subject": "ü & +", "text": "50 % = a",
                                   "h:Reply-To": "r@s.example", "v:fu_id": "1-2-1"})
    assert client.request("POST", target, body.encode(), **headers)[0] == 200
    (line,) = apis.ledger()
    assert (line["subject"], line["text"], line["reply_to"], line["account_id"]) == ("ü & +", "50 % = a", "r@s.example", 1)


# ---- look-ups ----

def test_look_ups_find_nothing_before(client):
    for name in ("mailgun-events-lookup", "mailgun-logs-lookup", "postmark-search-metadata"):
        status, answer, _ = ask(client, name)
        assert status == 200
        assert answer.get("items", answer.get("Messages")) == []
    assert ask(client, "resend-get")[0] == 404


def test_look_ups_find_what_was_accepted_in_this_run_and_the_one_before(apis, client):
    ids = {name: ask(client, f"{name}-send")[1] for name in ("postmark", "mailgun", "resend")}
    apis.stop()
    apis.start()
    client = Client(apis)
    found = ask(client, "postmark-search-metadata")[1]
    assert (found["TotalCount"], found["Messages"][0]["MessageID"]) == (1, ids["postmark"]["MessageID"])
    for name in ("mailgun-events-lookup", "mailgun-logs-lookup"):
        (item,) = ask(client, name)[1]["items"]
        assert (item["event"], item["user-variables"]) == ("accepted", {"fu_id": "1001"})
    assert ids["mailgun"]["id"] == MESSAGE_ID
    method, _, _, headers = recorded("resend-get")
    status, answer, _ = client.request(method, f"/emails/{ids['resend']['id']}", None, **headers)
    assert (status, answer["object"], answer["id"]) == (200, "email", ids["resend"]["id"])
    client.close()


def test_a_look_up_with_a_lag_does_not_know_yet_what_was_accepted(apis):
    def pages():
        client = Client(apis)
        answers = [ask(client, name)[1] for name in ("postmark-search-metadata", "mailgun-events-lookup", "mailgun-logs-lookup")]
        client.close()
        return [len(answer.get("items", answer.get("Messages"))) for answer in answers]

    args = list(apis.args)
    apis.stop()
    apis.args = [*args, "--look-up-lag-ms", "3600000"]
    apis.start()
    client = Client(apis)
    assert [ask(client, f"{name}-send")[0] for name in ("postmark", "mailgun")] == [200, 200]
    client.close()
    assert pages() == [0, 0, 0]
    apis.stop()
    apis.args = args
    apis.start()
    assert pages() == [1, 1, 1]


@pytest.mark.parametrize("name", ["mailgun-events-lookup", "mailgun-logs-lookup", "postmark-search-metadata", "resend-get"])
def test_a_look_up_needs_the_credential(sandbox, name):
    client = Client(sandbox)
    assert ask(client, name)[0] in (401, 403)
    client.close()
