"""The daemon as systemd sees it: ready, alive, reloaded, stopped."""
import signal
import subprocess

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


def test_the_watchdog_is_fed_while_the_engine_moves(world, sandbox, daemon):
    one = daemon(watchdog_ms=600)
    wait_until(lambda: one.notify.read().count("WATCHDOG=1") >= 3, "it is fed three times")
    account = world.account()
    world.act("start_follow_up", account, world.leads(account, 5))
    sandbox.wait_for_ledger(5)
    fed = one.notify.read().count("WATCHDOG=1")
    wait_until(lambda: one.notify.read().count("WATCHDOG=1") > fed, "it goes on being fed")


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
