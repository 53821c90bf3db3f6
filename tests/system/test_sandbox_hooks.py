"""What the stand-in provider tells about the messages it accepted: signed as each provider signs, judged here with openssl
and Python's own hmac, by the rules that tests/data/vectors were made with."""

import base64
import hashlib
import hmac
import http.server
import json
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from email.parser import BytesParser

import pytest
from processes import wait_until
from test_sandbox import Client
from test_sandbox_apis import CREDENTIALS, MESSAGE_ID, SENDS, ask

APIS = ["sendgrid", "mailgun", "postmark", "ses", "resend"]
SEND = {name.split("-")[0]: name for name in SENDS if "session" not in name}
OURS = ("1001", "12-3456-1")


class Receiver(http.server.ThreadingHTTPServer):
    """Takes webhooks; `answers` are given first, then 200."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken, self.answers = [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def of(self, path):
        return [(headers, body) for where, headers, body in list(self.taken) if where == path]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    with Receiver() as one:
        yield one
        one.shutdown()


@pytest.fixture
def start(sandbox_factory, receiver, tmp_path):
    def do(*options):
        base = f"http://127.0.0.1:{receiver.server_address[1]}"
        args = [word for one in CREDENTIALS for word in ("--credential", one)]
        for api in APIS:
            args += ["--webhook", f"{api}={base}/webhooks/{api}/{{account}}"]
            args += ["--inbound", f"{api}={base}/inbound/{api}/{{account}}"]
        return sandbox_factory(args=[*args, "--keys", str(tmp_path / "keys"), "--webhook-retry-ms", "20",
                                     "--reply-delay-ms", "0-0", *options])
    return do


def send(sandbox, api):
    client = Client(sandbox)
    old, new = (f'"{one}"'.encode() if api not in ("mailgun",) else one.encode() for one in OURS)
    mark = b'name="v:fu_id"\r\n\r\n' if api == "mailgun" else b""
    assert ask(client, SEND[api], lambda body: body.replace(mark + old, mark + new))[0] in (200, 202)
    client.close()


def openssl_verify(tmp_path, public_pem, signature, text):
    for name, data in (("key.pem", public_pem), ("signature", base64.b64decode(signature)), ("text", text)):
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "text"],
                          cwd=tmp_path, capture_output=True, check=False)
    return done.returncode == 0


def is_signed(api, headers, body, sandbox, tmp_path, form=None):
    """By the table in the provider reference, section 6."""
    keys = tmp_path / "keys"
    if api == "sendgrid":
        der = (keys / "sendgrid.public").read_text().strip()
        pem = f"-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n".encode()
        return openssl_verify(tmp_path, pem, headers["X-Twilio-Email-Event-Webhook-Signature"],
                              headers["X-Twilio-Email-Event-Webhook-Timestamp"].encode() + body)
    if api == "mailgun":
        signature = form or json.loads(body)["signature"]
        key = (keys / "mailgun.secret").read_text().strip().encode()
        text = (signature["timestamp"] + signature["token"]).encode()
        return len(signature["token"]) == 50 and hmac.new(key, text, hashlib.sha256).hexdigest() == signature["signature"]
    if api == "postmark":
        pair = (keys / "postmark.secret").read_text().strip().encode()
        return headers["Authorization"] == "Basic " + base64.b64encode(pair).decode()
    if api == "resend":
        key = base64.b64decode((keys / "resend.secret").read_text().strip().removeprefix("whsec_"))
        text = f"{headers['svix-id']}.{headers['svix-timestamp']}.".encode() + body
        return headers["svix-signature"] == "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    envelope = json.loads(body)
    text = "".join(f"{key}\n{envelope[key]}\n" for key in ("Message", "MessageId", "Timestamp", "TopicArn", "Type"))
    path = urllib.parse.urlsplit(envelope["SigningCertURL"]).path
    with urllib.request.urlopen(f"http://{sandbox.address}{path}") as answer:
        certificate = answer.read()
    public = subprocess.run(["openssl", "x509", "-pubkey", "-noout"], input=certificate, capture_output=True, check=True)
    return envelope["SignatureVersion"] == "2" and openssl_verify(tmp_path, public.stdout, envelope["Signature"], text.encode())


def event(api, body):
    """(the provider's word for it, recipient, our id)"""
    document = json.loads(body)
    if api == "sendgrid":
        (one,) = document
        return one["event"], one["email"], one["fu_id"]
    if api == "mailgun":
        one = document["event-data"]
        return one["event"], one["recipient"], one["user-variables"]["fu_id"]
    if api == "postmark":
        return document["RecordType"], document.get("Email", document.get("Recipient")), document["Metadata"]["fu_id"]
    if api == "resend":
        return document["type"], document["data"]["to"][0], document["data"]["tags"]["fu_id"]
    mail = json.loads(document["Message"])
    return mail["eventType"], mail["mail"]["destination"][0], mail["mail"]["tags"]["fu_id"][0]


WORDS = {  # accepted, delivered, bounced, complained, unsubscribed
    "sendgrid": ["processed", "delivered", "bounce", "spamreport", "unsubscribe"],
    "mailgun": ["accepted", "delivered", "failed", "complained", "unsubscribed"],
    "postmark": [None, "Delivery", "Bounce", "SpamComplaint", "SubscriptionChange"],
    "ses": ["Send", "Delivery", "Bounce", "Complaint", "Subscription"],
    "resend": ["email.sent", "email.delivered", "email.bounced", "email.complained", None]}
ACTS = [("--bounce-rate", [0, 2]), ("--complaint-rate", [0, 1, 3]), ("--unsubscribe-rate", [0, 1, 4])]


@pytest.mark.parametrize("option, kinds", ACTS)
@pytest.mark.parametrize("api", APIS)
def test_each_event_is_told_signed_in_the_providers_words(start, receiver, tmp_path, api, option, kinds):
    sandbox = start(option, "1")
    send(sandbox, api)
    words = sorted(filter(None, (WORDS[api][kind] for kind in kinds)))
    path = f"/webhooks/{api}/12"
    wait_until(lambda: len(receiver.of(path)) >= len(words), f"{words} are told")
    taken = receiver.of(path)
    assert sorted(event(api, body)[0] for _, body in taken) == words
    assert {event(api, body)[1:] for _, body in taken} == {("bob@rcpt.example", OURS[1])}
    assert all(is_signed(api, headers, body, sandbox, tmp_path) for headers, body in taken)
    headers, body = taken[0]
    altered = body.replace(b"bob", b"eve")
    if api not in ("mailgun", "postmark"):  # those sign no body
        assert not is_signed(api, headers, altered, sandbox, tmp_path)


def fields(headers, body):
    """of a form, as text"""
    if headers["Content-Type"].startswith("multipart/"):
        mail = BytesParser().parsebytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
        return {part.get_param("name", header="Content-Disposition"): part.get_payload(decode=True).decode()
                for part in mail.get_payload()}
    return dict(urllib.parse.parse_qsl(body.decode()))


def reply(api, headers, body):
    """(to, from, subject, in reply to, text)"""
    if api == "postmark":
        mail = json.loads(body)
        named = {one["Name"]: one["Value"] for one in mail["Headers"]}
        return mail["OriginalRecipient"], mail["FromFull"]["Email"], mail["Subject"], named["In-Reply-To"], mail["TextBody"]
    if api == "ses":
        message = json.loads(json.loads(body)["Message"])
        head, _, text = message["content"].partition("\r\n\r\n")
        named = dict(line.split(": ", 1) for line in head.split("\r\n"))
        return message["receipt"]["recipients"][0], named["From"], named["Subject"], named["In-Reply-To"], text.strip()
    form = fields(headers, body)
    if api == "mailgun":
        named = dict(json.loads(form["message-headers"]))
        return form["recipient"], form["sender"], form["subject"], named["In-Reply-To"], form["body-plain"]
    named = dict(line.split(": ", 1) for line in form["headers"].strip().split("\n"))
    envelope = json.loads(form["envelope"])
    return envelope["to"][0], envelope["from"], form["subject"], named["In-Reply-To"].strip(), form["text"]


@pytest.mark.parametrize("region, domain", [("us-east-1", "email.amazonses.com"), ("eu-west-1", "eu-west-1.amazonses.com")])
def test_the_message_id_of_ses_names_its_region(start, receiver, region, domain):
    sandbox = start("--reply-rate", "1")
    client = Client(sandbox)
    assert ask(client, SEND["ses"], lambda body: body.replace(b'"1001"', b'"12-3456-1"'), region=region)[0] == 200
    client.close()
    wait_until(lambda: receiver.of("/inbound/ses/12"), "a reply comes in")
    (headers, body), = receiver.of("/inbound/ses/12")
    assert reply("ses", headers, body)[3].endswith(f"@{domain}>")
    told = json.loads(json.loads(receiver.of("/webhooks/ses/12")[0][1])["Message"])["mail"]
    assert told["sourceArn"].startswith(f"arn:aws:ses:{region}:")
    assert reply("ses", headers, body)[3] == f"<{told['messageId']}@{domain}>"


@pytest.mark.parametrize("api", ["sendgrid", "mailgun", "postmark", "ses"])
def test_a_reply_comes_in_to_the_reply_address_and_names_what_it_answers(start, receiver, tmp_path, api):
    sandbox = start("--reply-rate", "1")
    send(sandbox, api)
    path = f"/inbound/{api}/12"
    wait_until(lambda: receiver.of(path), "a reply comes in")
    (headers, body), = receiver.of(path)
    to, sender, subject, answers, text = reply(api, headers, body)
    assert (to, sender) == ("reply+t0k3n@in.sender.example", "bob@rcpt.example")
    assert subject == "Re: Re: Your enquiry – naïve café ✓"
    own = "@eu-west-1.amazonses.com>" if api == "ses" else MESSAGE_ID
    assert answers.endswith(own)
    assert text
    form = fields(headers, body) if api == "mailgun" else None
    assert is_signed(api, headers, body, sandbox, tmp_path, form)


def test_what_is_not_taken_is_told_again_with_the_same_id(start, receiver):
    receiver.answers = [503, 503]
    sandbox = start()
    send(sandbox, "resend")
    wait_until(lambda: sandbox.stats()["hooks"]["posted"] == 2, "both events are taken in the end")
    ids = [headers["svix-id"] for headers, _ in receiver.of("/webhooks/resend/12")]
    assert (len(ids), len(set(ids))) == (4, 2)
    assert sandbox.stats()["hooks"]["repeated"] == 2


@pytest.mark.parametrize("api, answer, told", [("mailgun", 406, 2), ("postmark", 403, 1), ("ses", 400, 2)])
def test_an_answer_that_ends_it_is_not_repeated(start, receiver, api, answer, told):
    receiver.answers = [answer] * told
    sandbox = start()
    send(sandbox, api)
    wait_until(lambda: sandbox.stats()["hooks"]["given_up"] == told, "they are given up")
    assert (len(receiver.taken), sandbox.stats()["hooks"]["waiting"]) == (told, 0)


def test_the_keys_are_the_same_after_a_restart(start, tmp_path):
    sandbox = start()
    before = {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    sandbox.stop()
    sandbox.start()
    assert {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()} == before
    assert len(before) == 7


BOB = "bob@rcpt.example"


@pytest.mark.parametrize("act, kind", [("bounce", 2), ("complaint", 3), ("unsubscribe", 4)])
@pytest.mark.parametrize("api", APIS)
def test_a_lead_does_what_it_is_told_after_a_restart_too(start, receiver, api, act, kind):
    sandbox = start()
    send(sandbox, api)
    sandbox.stop()
    sandbox.start()
    if WORDS[api][kind] is None:
        with pytest.raises(urllib.error.HTTPError, match="400"):
            sandbox.act(BOB, act)
        return
    sandbox.act(BOB, act)
    path = f"/webhooks/{api}/12"
    wait_until(lambda: (WORDS[api][kind], BOB, OURS[1]) in [event(api, body) for _, body in receiver.of(path)], f"{act} is told")


def test_a_reply_says_what_it_is_told(start, receiver):
    sandbox = start()
    send(sandbox, "mailgun")
    sandbox.act(BOB, "reply", "Wie viel kostet das?")
    wait_until(lambda: receiver.of("/inbound/mailgun/12"), "the reply comes in")
    (headers, body), = receiver.of("/inbound/mailgun/12")
    assert reply("mailgun", headers, body)[4] == "Wie viel kostet das?"


def test_a_bounce_in_other_words_has_no_code(start, receiver):
    sandbox = start()
    send(sandbox, "sendgrid")
    sandbox.act(BOB, "bounce", "who are you?")
    path = "/webhooks/sendgrid/12"
    wait_until(lambda: len(receiver.of(path)) == 3, "the bounce is told")
    (bounce,) = [one for _, body in receiver.of(path) for one in json.loads(body) if one["event"] == "bounce"]
    assert (bounce["reason"], bounce["bounce_classification"], bounce.get("status")) == ("who are you?", "Unclassified", None)


@pytest.mark.parametrize("recipient, act, text, code", [
    ("eve@rcpt.example", "bounce", None, "404"), (BOB, "nothing", None, "400"), (BOB, "complaint", "!", "400")])
def test_an_act_that_cannot_be_is_refused(start, recipient, act, text, code):
    sandbox = start()
    send(sandbox, "postmark")
    with pytest.raises(urllib.error.HTTPError, match=code):
        sandbox.act(recipient, act, text)
