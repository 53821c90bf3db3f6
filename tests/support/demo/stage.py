"""stage: everything the demo runs on, started and ended in one place: a private PostgreSQL with followupd's schema and a
fast clock, the stand-in for five providers, the daemon. Nothing is installed, nothing outlives it.

The daemon sends through each provider's own API; the stand-in tells it of deliveries, bounces and complaints by signed
webhooks, and posts the mails that leads answer with, as those providers do. SES does not: the certificate of its signature is
fetched from Amazon's hosts alone, and this is the program that will run in production. Resend takes no mail in.

The programs come from FOLLOWUPD_BIN. Business time runs `rate` times faster than real time, in this database only, from
the instant that clock_starts() is called.
"""
import datetime as dt
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))
import cluster as postgres  # noqa: E402  (tests/support is no package)
import schema  # noqa: E402

UTC = dt.timezone.utc
START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 35
DATABASE = "followupd"
ACCOUNT = "Demo"

HTTP_SECONDS_MAX = 10
PUBLIC_URL = "https://demo.example"
KEY = "demo-key"
SES_USER = "AKIDEMO"

# name -> (more of its [provider.NAME], its [webhook.NAME] or None)
PROVIDERS = {
    "sendgrid": ({}, {"public_key_file": "sendgrid.public"}),
    "mailgun": ({"domain": "mg.demo.example", "look_up_proof": "0ms"}, {"secret_file": "mailgun.secret"}),
    "postmark": ({"look_up_proof": "0ms"}, {"secret_file": "postmark.secret"}),
    "resend": ({}, {"secret_file": "resend.secret"}),
    "ses": ({"region": "eu-west-1", "access_key": SES_USER}, None),
}
TELLING = tuple(name for name, (_, webhook) in PROVIDERS.items() if webhook)
ANSWERED = ("sendgrid", "mailgun", "postmark")  # leads' mails come in through them


def sections(stage):
    """followupd.conf."""
    sending = {"concurrency_max": 32, "rate": "2000/s", "timeout": "300ms"}
    yield "database", {"conninfo": stage.cluster.conninfo(DATABASE)}
    yield "engine", {"worker": "demo", "state_dir": stage.folder, "provider": "generic", "lease": "5s", "settle_after": "400ms",
                     "settle_interval": "100ms", "inbox_interval": "50ms"}
    yield "http", {"listen": stage.front, "public_url": PUBLIC_URL}
    yield "provider.generic", {"type": "generic", "url": f"http://{stage.provider}/send", **sending}
    for name, (provider, webhook) in PROVIDERS.items():
        yield f"provider.{name}", {"type": name, "url": f"http://{stage.provider}", "key_file": KEY, **sending, **provider}
        if webhook:
            yield f"webhook.{name}", {"type": name, **webhook}


def free_address():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % one.getsockname()[1]


class Stage:
    def __init__(self, link=None):
        self.link = link
        self.cluster = postgres.Cluster()
        self.bin = pathlib.Path(os.environ["FOLLOWUPD_BIN"])
        self.sandbox = self.daemon = self.database = None
        self.front = free_address()  # the daemon's, kept when it is started again: webhooks go there
        self.origin = None

    # --- life -------------------------------------------------------------------------------------------------------

    def __enter__(self):
        try:
            self.cluster.__enter__()
            if self.link:
                self._link()
            self.cluster.createdb(DATABASE)
            self.folder = pathlib.Path(self.cluster.folder, "demo")
            self.folder.mkdir(mode=0o755)
            self.ledger_path = self.folder / "ledger.jsonl"
            self.secrets = self.folder / "secrets"
            schema.load(self.cluster, DATABASE)
            self.database = psycopg.connect(self.cluster.conninfo(DATABASE), autocommit=True)
            return self
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, *exception):
        for process in (self.daemon, self.sandbox):
            end(process)
        if self.database is not None:
            self.database.close()
        if self.link and os.path.islink(self.link):
            os.unlink(self.link)
        self.cluster.__exit__(*exception)

    def _link(self):
        if os.path.islink(self.link):
            os.unlink(self.link)
        os.symlink(self.cluster.folder, self.link)

    # --- the programs -----------------------------------------------------------------------------------------------

    def ctl(self, *words):
        """followupctl, with --json; its answer parsed, its complaint raised."""
        command = [str(self.bin / "followupctl"), "--conninfo", self.cluster.conninfo(DATABASE), "--json"]
        done = subprocess.run([*command, *(str(word) for word in words)], text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"followupctl {' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def start_sandbox(self, *options):
        """The stand-in for all of them; its port is its own choice."""
        command = [str(self.bin / "followup-sandbox"), "--listen", "127.0.0.1:0", "--ledger", str(self.ledger_path),
                   "--keys", str(self.secrets), "--webhook-retry-ms", "100"]
        for name in PROVIDERS:
            command += ["--credential", f"{name}={SES_USER}:{KEY}" if name == "ses" else f"{name}={KEY}"]
        for name in TELLING:
            command += ["--webhook", f"{name}=http://{self.front}/webhooks/{name}/{{account}}"]
        for name in ANSWERED:
            command += ["--inbound", f"{name}=http://{self.front}/inbound/{name}/{{account}}"]
        self.sandbox = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
                                        stderr=open(self.folder / "sandbox.log", "ab"), start_new_session=True,
                                        preexec_fn=postgres.die_with_parent(signal.SIGTERM, os.getpid()))
        line = self.sandbox.stdout.readline()
        if not line.startswith("listening "):
            raise RuntimeError(f"the sandbox did not start: {(self.folder / 'sandbox.log').read_text()}")
        self.provider = line.split()[1]
        (self.secrets / KEY).write_text(KEY, encoding="utf-8")
        conf = [f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) for section, keys in sections(self)]
        (self.folder / "followupd.conf").write_text("\n".join(conf), encoding="utf-8")

    def start_daemon(self):
        """Returns when its log says that it is up."""
        self.log_path = self.folder / "followupd.log"
        seen = self.log_path.stat().st_size if self.log_path.exists() else 0
        self.daemon = subprocess.Popen([str(self.bin / "followupd"), "--config", str(self.folder / "followupd.conf")],
                                       stdin=subprocess.DEVNULL, stderr=open(self.log_path, "ab"), start_new_session=True,
                                       env={**os.environ, "CREDENTIALS_DIRECTORY": str(self.secrets)},
                                       preexec_fn=postgres.die_with_parent(signal.SIGTERM, os.getpid()))
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.daemon.poll() is None:
            with open(self.log_path, encoding="utf-8") as log:
                log.seek(seen)
                if "followupd_ready" in log.read():
                    return
            time.sleep(0.01)
        raise RuntimeError(f"followupd did not start:\n{self.log_path.read_text()[-4000:]}")

    def kill_daemon(self):
        """kill -9."""
        self.daemon.kill()
        self.daemon.wait()

    # --- leads, at their providers ------------------------------------------------------------------------------------

    def post(self, address, path, body, content_type):
        request = urllib.request.Request(f"http://{address}{path}", data=body, headers={"Content-Type": content_type})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=HTTP_SECONDS_MAX) as answer:
            answer.read()

    def act(self, recipient, act, text=None):
        """reply, bounce, complaint or unsubscribe, upon the last message that the lead got."""
        order = {"recipient": recipient, "act": act, **({"text": text} if text else {})}
        self.post(self.provider, "/acts", json.dumps(order).encode(), "application/json")

    def one_click(self, recipient):
        """As a mailbox does when its button is pressed (RFC 8058), by the header of the last message."""
        header = [line["headers"]["List-Unsubscribe"] for line in self.ledger() if line["to"] == recipient][-1]
        path = header.partition(PUBLIC_URL)[2].partition(">")[0]
        self.post(self.front, path, b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")

    def ledger(self):
        """What the stand-in provider accepted so far, oldest first; a line still being written is left for later."""
        if not self.ledger_path.exists():
            return []
        with open(self.ledger_path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    # --- business time ----------------------------------------------------------------------------------------------

    def clock_starts(self, business, rate):
        """From now on it is `business`, and time runs that much faster."""
        real = dt.datetime.now(UTC)
        self.origin = {"business": business.astimezone(UTC).isoformat(), "real": real.isoformat(), "rate": rate}
        schema.fast_clock(self.cluster, DATABASE, business.astimezone(UTC), real, rate)

    def now(self):
        passed = dt.datetime.now(UTC) - dt.datetime.fromisoformat(self.origin["real"])
        return dt.datetime.fromisoformat(self.origin["business"]) + passed * self.origin["rate"]

    def sleep_until(self, business):
        """Until that business instant has come."""
        while (left := (business - self.now()) / self.origin["rate"]) > dt.timedelta():
            time.sleep(min(left.total_seconds(), 0.5))


def end(process):
    """Asks it to stop, and makes it when it does not; by its id."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
