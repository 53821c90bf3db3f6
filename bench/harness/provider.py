"""provider: the receiver that counts (bench/provider.c), as a process of ours."""

import json
import os
import signal
import subprocess
import urllib.request

from cluster import die_with_parent


class Provider:
    def __init__(self, program, latency_ms=0):
        self.process = subprocess.Popen([program, "0", str(latency_ms)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        text=True, preexec_fn=die_with_parent(signal.SIGTERM, os.getpid()))
        port = self.process.stdout.readline().strip()
        if not port:
            raise RuntimeError(f"{program} did not start")
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def stats(self):
        return self._get("/stats")

    def count(self):
        """Messages that arrived, each once."""
        count = self._get("/count")
        return count["total"] - count["duplicates"]

    def reset(self):
        self._get("/reset")

    def _get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)
