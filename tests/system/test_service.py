"""The daemon as systemd sees it: ready, alive, reloaded, stopped."""
import http.server
import json
import signal
import socket
import subprocess
import tempfile
import threading

import pytest

import schema
from processes import wait_until
from world import World


@pytest.fixture
def world(database):
    return World(database)


def test_ready_is_said_once_and_stopping_before_the_end(daemon):
    one = daemon()
    one.signal(signal.SIGTERM)
    assert one.wait() == 0
    said = [line for line in one.notify.read() if line in ("READY=1", "STOPPING=1")]
    assert said == ["READY=1", "STOPPING=1"]


def test_nobody_who_does_not_read_what_it_tells_holds_it_up(world, sandbox, daemon):
    one = daemon(start=False)
    with tempfile.TemporaryDirectory(prefix="fu-deaf.") as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(f"{folder}/socket")
        deaf.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                deaf.sendto(b"full", f"{folder}/socket")
        one.environment["NOTIFY_SOCKET"] = f"{folder}/socket"
        one.launch()
        account = world.account()
        world.act("start_follow_up", account, world.leads(account, 5))
        sandbox.wait_for_ledger(5)
        told = []

        def ready():
            while True:
                try:
                    told.extend(deaf.recv(4096).decode().splitlines())
                except BlockingIOError:
                    return "READY=1" in told

        wait_until(ready, lambda: f"that it is ready is told when somebody reads again: {told}")
        one.stop()


def test_the_watchdog_is_fed_while_the_engine_moves(world, sandbox, daemon):
    one = daemon(watchdog_ms=600)
    wait_until(lambda: one.notify.read().count("WATCHDOG=1") >= 3, "it is fed three times")
    account = world.account()
    world.act("start_follow_up", account, world.leads(account, 5))
    sandbox.wait_for_ledger(5)
    fed = one.notify.read().count("WATCHDOG=1")
    wait_until(lambda: one.notify.read().count("WATCHDOG=1") > fed, "it goes on being fed")


@pytest.mark.parametrize("rate, faults", [("0.01/s", []), ("1000/s", [{"action": "429", "retry_after_s": 100}])])
def test_the_watchdog_is_fed_while_what_is_due_waits_for_its_provider(world, sandbox, daemon, rate, faults):
    one = daemon(watchdog_ms=600, config={"provider.sandbox": {"rate": rate}})
    sandbox.put_faults(faults)
    account = world.account()
    first, *others = world.leads(account, 6)
    world.act("start_follow_up", account, [first])
    wait_until(lambda: world.count(account_id=account, attempts=1) == 1 and world.count(state="sending") == 0,
               "one POST is over; the next has leave in 100 seconds")
    world.act("start_follow_up", account, others)
    fed = one.notify.read().count("WATCHDOG=1")
    wait_until(lambda: one.notify.read().count("WATCHDOG=1") >= fed + 6, "it goes on being fed")
    assert "watchdog_withheld" not in one.log()


def test_a_reload_takes_over_what_may_change_and_keeps_the_rest_on_error(world, sandbox, daemon):
    one = daemon(config={"log": {"level": "info"}})
    one.configure({"log": {"level": "debug"}})
    one.reload()
    one.wait_for_log("configuration_reloaded")
    one.configure({"engine": {"hoirzon": "1h"}})
    one.reload()
    one.wait_for_log("configuration_kept")
    assert "hoirzon" in one.log()
    one.configure({"engine": {"hoirzon": None, "lease": "3s"}})
    one.reload()
    one.wait_for_log("lease changed: that takes a restart")
    account = world.account()
    world.act("start_follow_up", account, world.leads(account))
    sandbox.wait_for_ledger(1)
    one.wait_for_log("message_attempted")   # at debug: the first reload was taken over


class KeyWitness(http.server.BaseHTTPRequestHandler):
    """A provider that accepts everything and remembers with which key it came."""

    keys = []

    def do_POST(self):  # pylint: disable=invalid-name
        self.keys.append(self.headers["Authorization"])
        body = json.dumps({"id": f"w{len(self.keys)}"}).encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture
def witness():
    KeyWitness.keys = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), KeyWitness) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_reload_takes_a_rotated_key_and_keeps_the_old_one_when_it_cannot_be_read(world, witness, daemon):
    one = daemon(start=False, url=f"http://127.0.0.1:{witness.server_port}/send", config={"provider.sandbox": {"key_file": "key"}})
    one.credential("key", "first\n")
    one.start()
    account = world.account()
    leads = world.leads(account, 4)

    def sent_with(key):
        count = len(KeyWitness.keys)
        world.act("start_follow_up", account, [leads.pop()])
        wait_until(lambda: len(KeyWitness.keys) > count, "one more is posted")
        assert KeyWitness.keys[count:] == [f"Bearer {key}"]

    sent_with("first")
    one.credential("key", "second\n")
    one.reload()
    one.wait_for_log("configuration_reloaded")
    sent_with("second")
    one.credential("key", "")
    one.configure({"provider.sandbox": {"rate": "0.01/s"}})
    one.reload()
    one.wait_for_log("configuration_kept")
    assert "[provider.sandbox] key_file" in one.log() and "holds no key" in one.log()
    sent_with("second")     # nor is the rate of that file taken over
    sent_with("second")


def test_a_reload_takes_another_rate_and_concurrency(world, sandbox, daemon):
    one = daemon(config={"provider.sandbox": {"rate": "0.01/s"}})
    account = world.account()
    world.act("start_follow_up", account, world.leads(account, 5))
    sandbox.wait_for_ledger(1)      # the next has leave in 100 seconds
    sandbox.put_faults([{"action": "late", "ms": 200}])
    one.configure({"provider.sandbox": {"rate": "1000/s", "concurrency_max": "1", "timeout": "310ms"}})
    one.reload()
    one.wait_for_log("timeout changed: that takes a restart")
    assert len(sandbox.ledger()) == 1
    one.configure({"provider.sandbox": {"timeout": "300ms"}})
    one.reload()
    one.wait_for_log("configuration_reloaded")
    sandbox.wait_for_ledger(5)
    assert sandbox.stats()["in_flight_peak"] <= 2   # a message, and this question


def test_a_stop_while_the_database_is_away_waits_for_it_and_records_what_has_left(world, cluster, sandbox, daemon):
    sandbox.put_faults([{"action": "late", "ms": 1000}])
    account = world.account()
    world.act("start_follow_up", account, world.leads(account, 3))
    one = daemon(config={"provider.sandbox": {"timeout": "10s"}, "engine": {"settle_after": "25s", "drain": "30s"}})
    sandbox.wait_for_ledger(3)
    cluster.kill()
    one.wait_for_log("database_down")
    one.signal(signal.SIGTERM)
    one.wait_for_log("stopping")
    wait_until(lambda: one.log().count("message_attempted") == 3, "the answers are there")
    cluster.start()
    assert one.wait() == 0
    assert "drained" in one.log() and "results_dropped" not in one.log()
    assert world.count(state="sent") == 3


def test_a_second_sigterm_ends_it_at_once(world, sandbox, daemon):
    sandbox.put_faults([{"action": "silent"}])
    account = world.account()
    world.act("start_follow_up", account, world.leads(account))
    one = daemon(config={"provider.sandbox": {"timeout": "20s"}, "engine": {"settle_after": "25s", "drain": "20s"}})
    wait_until(lambda: world.count(state="sending") == 1, "it is on its way")
    one.signal(signal.SIGTERM)
    one.wait_for_log("stopping")
    one.signal(signal.SIGTERM)
    assert one.wait() == 0
    assert world.count(state="sending") == 1, "nobody knows what became of it, and that is what the database says"


def test_two_daemons_on_one_state_folder_are_one_too_many(daemon):
    one = daemon(label="a")
    other = daemon(label="b", start=False, config={"engine": {"state_dir": str(one.state_folder)}})
    other.launch()
    assert other.wait() != 0
    assert "worker.lock" in other.log()


@pytest.mark.parametrize("words,status", [(["--help"], 0), (["--version"], 0), (["--print-config"], 0), ([], 2),
                                          (["--config"], 2), (["--config", "/nowhere/at.all"], 2), (["--nonsense"], 2)])
def test_its_command_line(words, status):
    done = subprocess.run([schema.program("followupd"), *words], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == status
    assert done.stdout if status == 0 else done.stderr


def test_check_reads_the_configuration_and_ends(daemon):
    one = daemon(start=False)
    command = [schema.program("followupd"), "--check", "--config", str(one.config_path)]
    assert subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0
    one.configure({"engine": {"sweep": "soon"}})
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 2 and "sweep" in done.stderr
