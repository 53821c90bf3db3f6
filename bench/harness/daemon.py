"""daemon: followupd as a process of ours, on a configuration written for it; its log can be waited on."""

import datetime
import os
import re
import signal
import socket
import subprocess
import threading
import time

import processes
from cluster import die_with_parent

STOP_SECONDS_MAX = 40
NICE = -4  # 2.4 times the weight of the others, as CPUWeight of its unit


class Daemon:
    """A context. `sections` is text in the configuration's own form; the log is at level debug when `debug`."""

    def __init__(self, bench, database, sections="", debug=False):
        folder = bench.folder
        conf = (f"[database]\nconninfo = {bench.cluster.conninfo(database)}\n"
                f"[provider.main]\ntype = generic\nurl = {bench.provider.url}/send\nrate = 100000/s\n"
                f"[log]\nlevel = {'debug' if debug else 'info'}\n{sections}")
        self.conf_path, self.log_path, self.socket_path = (folder / name for name in ("followupd.conf", "daemon.log", "notify"))
        self.conf_path.write_text(conf, encoding="utf-8")
        self._bench_log = bench.log
        self.heard = []  # monotonic times of WATCHDOG=1
        self._watchdog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._watchdog.bind(str(self.socket_path))
        # A thread, because a full socket makes the sender wait.
        threading.Thread(target=self._listen, daemon=True).start()
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [bench.release / "bin/followupd", "--config", self.conf_path], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": str(self.socket_path), "WATCHDOG_USEC": "200000"},
                start_new_session=True, preexec_fn=die_with_parent(signal.SIGKILL, os.getpid()))
        self._go_first(bench)
        self._read = 0
        self.events = []  # (time, name, {key: text})

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._watchdog.shutdown(socket.SHUT_RDWR)
        if failure:
            self._bench_log.write(self.log_path.read_text(encoding="utf-8"))
        for path in (self.conf_path, self.log_path, self.socket_path):
            path.unlink()

    def _go_first(self, bench):
        """A core is given to it before the others, as by its unit. Whoever may not do that measures without it."""
        try:
            os.setpriority(os.PRIO_PROCESS, self.pid, NICE)
            with open(f"/proc/{self.pid}/autogroup", "w", encoding="ascii") as group:  # whose number counts where there are groups
                group.write(str(NICE))
        except OSError as e:
            bench.say(f"followupd has the weight of the others: {e}")

    @property
    def pid(self):
        return self.process.pid

    def _listen(self):
        while text := self._watchdog.recv(4096):
            if b"WATCHDOG=1" in text:
                self.heard.append(time.monotonic())
        self._watchdog.close()

    def read(self):
        """Reads what the log has new."""
        with open(self.log_path, encoding="utf-8") as log:
            log.seek(self._read)
            for line in log:
                if not line.endswith("\n"):
                    break
                self._read += len(line.encode())
                found = LINE.match(line)
                if found:
                    at = datetime.datetime.fromisoformat(found[1].replace("Z", "+00:00")).timestamp()
                    self.events.append((at, found[2], dict(PAIR.findall(found[3]))))

    def wait_for(self, name, seconds_max, after=0):
        """The first event of that name at or after event number `after`."""
        found = []

        def look():
            if self.process.poll() is not None:
                raise RuntimeError(f"followupd ended with status {self.process.returncode}: {self.log_path.read_text()[-2000:]}")
            self.read()
            found[:] = [event for event in self.events[after:] if event[1] == name]
            return bool(found)

        processes.wait_until(look, seconds_max, f"event {name} of followupd")
        return found[0]

    def longest_silence_s(self, since, until):
        """The longest time without a sign of life for the watchdog, which is asked for every 100 ms."""
        times = [since, *(at for at in self.heard if since < at < until), until]
        return max(b - a for a, b in zip(times, times[1:]))


LINE = re.compile(r"(\S+) \S+ +(\w+) ?(.*)")
PAIR = re.compile(r'(\w+)=("[^"]*"|\S*)')
