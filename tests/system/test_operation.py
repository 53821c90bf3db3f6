"""Watching the engine and settling what it could not: status --watch and in-doubt, with a real daemon and provider."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios

import pytest

import schema
from processes import WAIT_SECONDS_MAX, wait_until
from world import World


@pytest.fixture
def world(database):
    return World(database)


class Watch:
    """followupctl status --watch, its output read as it comes."""

    def __init__(self, conninfo, *words, columns=None):
        self.text = ""
        self.terminal = columns is not None
        self.end, other = pty.openpty() if self.terminal else os.pipe()
        if self.terminal:
            fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        self.process = subprocess.Popen([schema.program("followupctl"), "status", "--watch", *words, "--conninfo", conninfo],
                                        stdin=subprocess.DEVNULL, stdout=other, stderr=subprocess.PIPE, text=True)
        os.close(other)

    def read(self):
        while select.select([self.end], [], [], 0)[0]:
            try:
                more = os.read(self.end, 65536).decode()
            except OSError:  # a terminal whose program has ended
                more = ""
            if not more:
                break
            self.text += more
        return self.text

    def wait_for(self, pattern):
        """The first match in what has come, or comes."""
        return wait_until(lambda: re.search(pattern, self.read()), lambda: f"{pattern} in {self.text}")

    def frames(self):
        return [re.sub(r"\033\[[?0-9]*[A-Za-z]", "", frame).replace("\r", "") for frame in self.read().split("\033[H")[1:]]

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        errors = self.process.communicate(timeout=WAIT_SECONDS_MAX)[1]
        self.read()
        return self.process.returncode, errors

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        os.close(self.end)


@pytest.fixture
def watch(database):
    made = []

    def make(*words, columns=None, conninfo=None):
        made.append(Watch(conninfo or database.conninfo, *words, columns=columns))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_what_a_worker_says_of_itself_stands_below_its_line(world, sandbox, daemon, watch):
    account = world.account(steps=[("sequence", "0"), ("sequence", "2 days")])
    daemon(label="mail-1")
    world.act("start_follow_up", account, world.leads(account, 3))
    sandbox.wait_for_ledger(3)
    one = watch(columns=80)
    one.wait_for(r"(?s)mail-1 +alive +64 .*p50/p99 ms +late [0-9.]+/[0-9.]+, claim [0-9.]+/[0-9.]+, send [0-9.]+/[0-9.]+, "
                 r"record [0-9.]+/[0-9.]+.*wheel +3 messages, 0 stale copies, [0-9.]+ MB; longest pause [0-9.]+ ms.*"
                 r"engine +in flight 0, to record 0, swept \d+, last NOTIFY [0-9.]+ s ago.*"
                 r"process +longest loop turn [0-9.]+ ms, memory [0-9.]+ MB.*provider +sandbox: breaker closed, in flight 0 of 32")
    sandbox.put_faults([{"action": "401"}])
    other = world.account("Other")
    world.act("start_follow_up", other, world.leads(other))
    one.wait_for(r"provider +sandbox: breaker (open|half_open)")
    as_json = watch("--json")
    as_json.wait_for(r'"engine figures": ?\[{.*"wheel_messages": ?[34]\D.*"engine providers": ?\[{.*"breaker": ?"(open|half_open)"')


def test_a_line_a_look_where_there_is_no_terminal(world, sandbox, daemon, watch):
    account = world.account()
    daemon()
    world.act("start_follow_up", account, world.leads(account, 3))
    sandbox.wait_for_ledger(3)
    one = watch()
    one.wait_for(r"(?m)^database=reached .* sent=3 .*late_p50_ms=\d.* workers=1 shards=64 refusals=0$")
    one.wait_for(r"\n.*\n")
    assert one.stop() == (0, "")
    assert "\033" not in one.text


def test_a_program_reads_an_object_a_line(world, watch):
    world.account()
    one = watch("--json")
    one.wait_for(r"\n.*\n")
    one.stop()
    looks = [json.loads(line) for line in one.text.splitlines()]
    assert all(look["database"] == "reached" and look["engine due"][0]["overdue"] == 0 and look["engine status"] == [] for look in looks)


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_on_a_terminal_it_is_drawn_in_place_and_never_wider(world, sandbox, daemon, watch, columns):
    sandbox.put_faults([{"action": "401"}])
    account = world.account()
    daemon()
    world.act("start_follow_up", account, world.leads(account, 3))
    wait_until(lambda: world.database.value("SELECT count(*) FROM followup.attempt") > 0, "the provider has refused one")
    view = watch(columns=columns)
    view.wait_for(r"(?s)worker on.*Not accepted.*\033\[H.*database")
    assert view.stop() == (0, "")
    frame = view.frames()[0]
    assert max(map(len, frame.splitlines())) <= columns
    assert ("401  a fault rule says so" in frame) == (columns >= 80)
    assert view.text.startswith("\033[?25l") and view.text.endswith("\033[?25h"), "the cursor is given back"


def test_no_more_lines_than_the_terminal_has(world, watch):
    view = watch(columns=80)
    view.wait_for("No worker")
    fcntl.ioctl(view.end, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 80, 0, 0))
    wait_until(lambda: len(view.frames()) > 2 and view.frames()[-2].count("\n") <= 4, "it is drawn to the new size")


def test_a_database_that_goes_away_is_waited_for(cluster, database, watch):
    one = watch()
    one.wait_for("database=reached")
    database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'followupctl'")
    one.wait_for(r'database=away reason=".+"\n(.*\n)*database=reached')
    assert one.stop() == (0, "")


def test_watch_is_of_the_whole_engine(ctl, world):
    world.account()
    done = ctl("status", "--watch", "--account", "Acme 1", check=False)
    assert done.returncode == 2 and "leave --account out" in done.stderr


def test_another_signal_ends_it_too(world, watch):
    one = watch(columns=80)
    one.wait_for("No worker")
    assert one.stop(signal.SIGTERM)[0] == 128 + signal.SIGTERM
    assert one.text.endswith("\033[?25h")


# --- in doubt ---------------------------------------------------------------------------------------------------------


def doubt(world, sandbox, daemon, count):
    """So many messages in doubt, which nobody settles any more; the daemon has ended."""
    sandbox.put_faults([{"action": "silent"}])
    account = world.account(steps=[("sequence", "0"), ("sequence", "2 days")])
    one = daemon(config={"engine": {"settle_after": "1m"}})
    world.act("start_follow_up", account, world.leads(account, count))
    wait_until(lambda: world.count(state="in_doubt") == count, "they are in doubt")
    one.stop()
    sandbox.put_faults([])
    return account


def test_what_is_in_doubt_is_settled_by_a_person(world, sandbox, daemon, ctl):
    doubt(world, sandbox, daemon, 2)
    sent, unsent = [row["message_id"] for row in json.loads(ctl("in-doubt", "list", "--json").stdout)]
    assert ctl("in-doubt", "list").stdout.splitlines()[0].split()[:3] == ["message_id", "lead_id", "email"]
    answer = json.loads(ctl("in-doubt", "settle", f"m-{sent}", "sent", "--note", "in their log", "--json").stdout)[0]
    assert answer["state"] == "sent" and answer["next_message_id"] not in (None, sent)
    assert json.loads(ctl("in-doubt", "settle", unsent, "not_sent", "--json").stdout)[0]["next_message_id"] == unsent
    daemon(label="second")
    line, = sandbox.wait_for_ledger(1)
    assert (line["message_id"], line["key"]) == (f"m-{unsent}", f"fu/1/{unsent}/2"), "with a new key"
    assert ctl("in-doubt", "list").stdout == "Nothing is in doubt.\n"


def test_what_is_not_in_doubt_is_not_settled(world, sandbox, daemon, ctl):
    doubt(world, sandbox, daemon, 1)
    message = json.loads(ctl("in-doubt", "list", "--json").stdout)[0]["message_id"]
    for words, says in ((("x", "sent"), "not an id"), ((message, "perhaps"), "neither sent nor not_sent"), ((message,), "ID sent|not_sent"),
                        ((424242, "sent"), "has no message 424242")):
        done = ctl("in-doubt", "settle", *words, check=False)
        assert done.returncode == 2 and says in done.stderr
    ctl("in-doubt", "settle", message, "sent")
    again = ctl("in-doubt", "settle", message, "not_sent", check=False)
    assert (again.returncode, again.stdout) == (2, "") and "is not in doubt: it is sent" in again.stderr
    assert sandbox.ledger() == []
