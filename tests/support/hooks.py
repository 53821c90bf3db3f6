"""hooks: webhooks as providers send them, signed here with nothing of the daemon's, and posted to a daemon.

    source = resend(SECRET)                  # a [webhook.NAME] section and its files
    post(daemon, "/webhooks/resend/1", *resend_signed(SECRET, body, now))
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import http.server
import json
import subprocess
import threading

HTTP_SECONDS_MAX = 30
SVIX_SECRET = "whsec_" + base64.b64encode(b"a secret for tests, 24 b").decode()


def svix_headers(secret, body, now, message_id="msg_1"):
    """As Resend signs: HMAC-SHA256 of id.timestamp.body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = b"%s.%d." % (message_id.encode(), now) + body
    return {"Content-Type": "application/json", "svix-id": message_id, "svix-timestamp": str(now),
            "svix-signature": "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()}


def sendgrid_key(path):
    """A new key there; its public half, as PEM."""
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path], check=True)
    return subprocess.run(["openssl", "ec", "-in", path, "-pubout"], check=True, capture_output=True, text=True).stdout


def sendgrid_headers(key, body, now):
    """As SendGrid signs: ECDSA of timestamp and body."""
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=b"%d" % now + body, check=True, capture_output=True).stdout
    return {"Content-Type": "application/json", "X-Twilio-Email-Event-Webhook-Timestamp": str(now),
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode()}


def mailgun_body(key, event, now, token):
    """The token and the time are signed, the event is not."""
    signature = hmac.new(key.encode(), f"{now}{token}".encode(), hashlib.sha256).hexdigest()
    return json.dumps({"signature": {"timestamp": str(now), "token": token, "signature": signature},
                       "event-data": event}).encode()


def resend_event(kind, fu_id, recipient, **data):
    return json.dumps({"type": f"email.{kind}", "created_at": "2026-11-20T10:00:00.000Z",
                       "data": {"email_id": "56761188-7520-42d8-8898-ff6fc54ce618", "to": [recipient],
                                "tags": {"fu_id": fu_id}, **data}}).encode()


def post(address, path, body, headers=None, method="POST"):
    """The answer, with .text."""
    connection = http.client.HTTPConnection(*address, timeout=HTTP_SECONDS_MAX)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        return answer


class CertificateHost:
    """Stands where Amazon's certificates are: path -> PEM. Counts what is asked."""

    def __init__(self, certificates):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                text = certificates.get(self.path, "").encode()
                self.send_response(200 if text else 404)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
