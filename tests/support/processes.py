"""processes: our programs as a test runs them. Real ones, each in a folder of the test's own, ended by their id.

    sandbox = Sandbox(folder); sandbox.start(); sandbox.put_faults([{"action": "429", "count": 3}]); sandbox.ledger()
    daemon = Daemon(folder, conninfo, sandbox.url); daemon.start(); daemon.kill(); daemon.start(); daemon.stop()

A program that is still running when the test's process ends is killed by the kernel (start them from the main thread).
The waits have a bound so that a fault ends in a sentence instead of a hang; no test asserts how long something took.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

from cluster import die_with_parent
from schema import program

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 45  # TimeoutStopSec of the service unit
WAIT_SECONDS_MAX = 30
HTTP_SECONDS_MAX = 10
NOTIFICATION_BYTES_MAX = 4096
LOG_LINES_SHOWN = 150


class ProgramError(Exception):
    """A program is not built, did not start, or did not end as it should; the text holds the end of its log."""


def wait_until(predicate, what, seconds=WAIT_SECONDS_MAX):
    """Asks again and again until the answer is true, and returns that answer; fails saying what (text, or a function that
    answers it) was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not so: {what() if callable(what) else what}")
        time.sleep(0.01)


class Program:
    """One of our programs: started, killed, started again. Output and log are appended to files in the folder."""

    name = None  # of the program in FOLLOWUPD_BIN

    def __init__(self, folder, label=None):
        self.folder = pathlib.Path(folder)
        self.label = label or self.name
        self.process = None
        self.env = {}

    def command(self):
        """The arguments that follow the program's path."""
        raise NotImplementedError

    def launch(self):
        """Starts the process and does not wait for anything."""
        assert self.process is None, f"{self.label} is running already"
        path = program(self.name)
        if path is None:
            raise ProgramError(f"{self.name} is not built (FOLLOWUPD_BIN={os.environ.get('FOLLOWUPD_BIN')})")
        with open(self.out_path, "ab") as out, open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([path, *self.command()], stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                                            cwd=self.folder, env={**os.environ, **self.env}, start_new_session=True,
                                            preexec_fn=die_with_parent(signal.SIGKILL, os.getpid()))

    @property
    def pid(self):
        return self.process.pid if self.process else None

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def out_path(self):
        return self.folder / f"{self.label}.out"

    @property
    def log_path(self):
        return self.folder / f"{self.label}.log"

    def log(self):
        """All it wrote to stderr so far, over all its starts."""
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def wait_for_log(self, text, seconds=WAIT_SECONDS_MAX):
        wait_until(lambda: text in self.log(), f"{self.label} logs '{text}'", seconds)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9, and gone when this returns."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def wait(self, seconds=STOP_SECONDS_MAX):
        """Waits for it to end by itself; answers its exit status, negative when a signal ended it."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ProgramError(f"{self.label} did not end within {seconds} s\n{self.log_tail()}") from None
        self.process = None
        return status

    def stop(self, expected_status=0):
        """SIGTERM, and then the exit status has to be the expected one. Nothing to do when it is not running."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        status = self.wait()
        if status != expected_status:
            raise ProgramError(f"{self.label} exited {status}, not {expected_status}\n{self.log_tail()}")

    def log_tail(self):
        lines = self.log().splitlines()
        return "\n".join([f"--- the end of {self.log_path}", *lines[-LOG_LINES_SHOWN:]])

    def _ended(self):
        """Raises when it has ended while it should be starting."""
        if self.process.poll() is not None:
            status, self.process = self.process.returncode, None
            raise ProgramError(f"{self.label} exited {status} while starting\n{self.log_tail()}")


class Sandbox(Program):
    """The stand-in provider, on a port of its own that it keeps when it is started again."""

    name = "followup-sandbox"

    def __init__(self, folder, args=(), label="sandbox"):
        super().__init__(folder, label)
        self.args = list(args)
        self.ledger_path = self.folder / f"{label}.ledger"
        self.address = "127.0.0.1:0"

    def command(self):
        return ["--listen", self.address, "--ledger", str(self.ledger_path), *self.args]

    def start(self):
        """Returns when it takes requests."""
        offset = self.out_path.stat().st_size if self.out_path.exists() else 0
        self.launch()

        def first_line():
            self._ended()
            with open(self.out_path, encoding="utf-8") as out:
                out.seek(offset)
                line = out.readline()
            return line.strip() if line.endswith("\n") else None

        line = wait_until(first_line, f"{self.label} says where it listens", START_SECONDS_MAX)
        word, _, address = line.partition(" ")
        if word != "listening" or not address.startswith("127.0.0.1:"):
            self.kill()
            raise ProgramError(f"{self.label}: first line is '{line}', not 'listening 127.0.0.1:PORT'")
        self.address = address
        return self

    @property
    def url(self):
        """Where the daemon posts."""
        return f"http://{self.address}/send"

    def put_faults(self, rules):
        """Replaces all fault rules; [] is none."""
        self._request("PUT", "/faults", rules)

    def act(self, recipient, act, text=None, **more):
        """That lead does that now, with its last message; told=False: only the suppression list of its provider says so,
        or of api for an address without mail."""
        self._request("POST", "/acts", {"recipient": recipient, "act": act, **({"text": text} if text else {}), **more})

    def stats(self):
        return json.loads(self._request("GET", "/stats"))

    def ledger(self, **match):
        """What it accepted, in order, as dictionaries; with arguments only entries whose fields equal them."""
        if not self.ledger_path.exists():
            return []
        text = self.ledger_path.read_text(encoding="utf-8")
        entries = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [entry for entry in entries if all(entry[key] == value for key, value in match.items())]

    def wait_for_ledger(self, count, seconds=WAIT_SECONDS_MAX, **match):
        """Returns the matching entries as soon as there are at least count."""
        return wait_until(lambda: (found := self.ledger(**match)) and len(found) >= count and found,
                          lambda: f"the ledger holds {count} of {match or 'any'}; it has {len(self.ledger(**match))}", seconds)

    def _request(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=HTTP_SECONDS_MAX) as answer:
            return answer.read().decode()


class NotifySocket:
    """What systemd would listen on for Type=notify. Remembers every message, in order. A thread takes them in as they
    come, as systemd does: a few that nobody reads fill the socket."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="fu-notify.")  # short: a socket's path holds 107 bytes
        self.path = f"{self.folder}/socket"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind(self.path)
        self.lines = []
        self.reader = threading.Thread(target=self._take_in, daemon=True)
        self.reader.start()

    def _take_in(self):
        while message := self.socket.recv(NOTIFICATION_BYTES_MAX):
            self.lines += message.decode(errors="replace").splitlines()

    def read(self):
        """Every line so far: READY=1, STATUS=..., WATCHDOG=1, STOPPING=1."""
        return list(self.lines)

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ourselves:
            ourselves.sendto(b"", self.path)  # an empty message ends the reader
        self.reader.join()
        self.socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Daemon(Program):
    """followupd with short times. Two starts of one Daemon share its state folder, as two starts of a service do."""

    name = "followupd"

    def __init__(self, folder, conninfo, provider_url, label="followupd", config=None, watchdog_ms=None):
        """config: {"engine": {"lease": "2s"}, ...} over the defaults; None as a value removes a key or a section."""
        super().__init__(folder, label)
        self.config_path = self.folder / f"{label}.conf"
        self.state_folder = self.folder / f"{label}.state"
        self.credentials_folder = self.folder / f"{label}.credentials"
        self.notify = None
        self.watchdog_ms = watchdog_ms
        self.environment = {}  # more of it, for the next start
        self.config = {
            "database": {"conninfo": conninfo, "reconnect_min": "20ms", "reconnect_max": "200ms"},
            "engine": {
                "worker": label, "provider": "sandbox", "notify": "on", "horizon": "72h",
                "sweep": "200ms", "sweep_old": "1s", "sending_grace": "2s", "busy_again": "20ms",
                "in_flight_max": "64", "batch_rows": "100", "batch_wait": "5ms",
                "lease": "500ms", "lease_margin": "100ms",
                "settle_after": "500ms", "settle_interval": "100ms", "clock_refresh": "500ms", "drain": "10s",
            },
            "provider.sandbox": {
                "type": "generic", "url": provider_url, "rate": "10000/s", "concurrency_max": "32",
                "timeout": "300ms", "connect_timeout": "200ms",
            },
            "http": {"listen": ""},  # several daemons run at once; a test that wants one names 127.0.0.1:0
            "log": {"level": "debug"},
        }
        self.configure(config or {})

    def configure(self, changes):
        """Changes the configuration file; a running daemon sees it at the next start, or at reload."""
        for section, keys in changes.items():
            if keys is None:
                self.config.pop(section, None)
                continue
            merged = {**self.config.get(section, {}), **{key: value for key, value in keys.items()}}
            self.config[section] = {key: value for key, value in merged.items() if value is not None}
        with open(self.config_path, "w", encoding="utf-8") as file:
            for section, keys in self.config.items():
                file.write(f"[{section}]\n")
                file.writelines(f"{key}={value}\n" for key, value in keys.items())

    def credential(self, name, text):
        """A secret as LoadCredential= hands it over; *_file keys name it."""
        self.credentials_folder.mkdir(mode=0o700, exist_ok=True)
        (self.credentials_folder / name).write_text(text, encoding="utf-8")

    def command(self):
        return ["--config", str(self.config_path)]

    def launch(self):
        self.state_folder.mkdir(mode=0o700, exist_ok=True)
        self.credentials_folder.mkdir(mode=0o700, exist_ok=True)
        self._forget()
        self.notify = NotifySocket()
        self.env = {"NOTIFY_SOCKET": self.notify.path, "STATE_DIRECTORY": str(self.state_folder),
                    "CREDENTIALS_DIRECTORY": str(self.credentials_folder), **self.environment}
        if self.watchdog_ms is not None:  # without WATCHDOG_PID it is meant for whoever reads it
            self.env["WATCHDOG_USEC"] = str(self.watchdog_ms * 1000)
        super().launch()

    def start(self):
        """Returns when it says READY=1."""
        self.launch()

        def ready():
            self._ended()
            return "READY=1" in self.notify.read()

        try:
            wait_until(ready, f"{self.label} says READY=1", START_SECONDS_MAX)
        except AssertionError as failure:
            self.kill()
            raise ProgramError(f"{failure}\n{self.log_tail()}") from None
        return self

    def reload(self):
        self.signal(signal.SIGHUP)

    def freeze(self):
        """SIGSTOP: it holds its leases and connections and does nothing."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def close(self):
        """Ends it whatever its state; for the end of a test."""
        self.kill()
        self._forget()

    def _forget(self):
        if self.notify is not None:
            self.notify.close()
            self.notify = None
