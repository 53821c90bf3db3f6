"""The stand-in provider from outside: what it answers, what its ledger holds, and that the two agree whatever happens."""

import contextlib
import http.client
import json
import resource
import signal
import socket
import subprocess
import threading

import pytest
from cluster import Cluster, scratch_folder
from processes import wait_until
from schema import program

LOAD_CLIENTS = 16


def message(number=1, **changes):
    return {"message_id": f"m-{number}", "account_id": 1, "due_ms": 1795420800000, "from": "Ann <ann@example.com>",
            "to": f"lead{number}@example.org", "reply_to": None, "subject": "Grüße", "text": "one\ntwo", "html": None,
            "headers": {"Message-ID": f"<{number}@example.com>"}, **changes}


class Client:
    """One connection to the sandbox, kept alive."""

    def __init__(self, sandbox, seconds=20):
        host, port = sandbox.address.rsplit(":", 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=seconds)

    def request(self, method, path, body=None, **headers):
        """(status, document or text, headers)"""
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        self.connection.request(method, path, data, {"Content-Type": "application/json", **headers})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        with contextlib.suppress(ValueError):
            text = json.loads(text)
        return answer.status, text, answer.headers

    def send(self, body, key=None):
        """(status, document or text)"""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.request("POST", "/send", body, **headers)[:2]

    def close(self):
        self.connection.close()


@pytest.fixture
def client(sandbox):
    one = Client(sandbox)
    yield one
    one.close()


def send_quietly(client, *args):
    with contextlib.suppress(OSError, http.client.HTTPException):
        client.send(*args)


def in_flight(sandbox, count):
    """The one that asks is in flight too."""
    return lambda: sandbox.stats()["in_flight"] == count + 1


# ---- accepting ----

def test_an_accepted_message_is_in_the_ledger_field_by_field(sandbox, client):
    assert client.send(message(17), "fu/1/17/1") == (200, {"id": "sb-1"})
    (line,) = sandbox.ledger()
    assert line.pop("at_us") > 1600000000000000
    assert line == {"seq": 1, "key": "fu/1/17/1", **message(17)}
    assert list(json.loads(sandbox.ledger_path.read_text().splitlines()[0]))[:6] == [
        "seq", "at_us", "message_id", "account_id", "key", "due_ms"]


def test_a_repeated_key_gives_the_same_answer_and_no_line(sandbox, client):
    first = client.send(message(), "k")
    reordered = dict(reversed(message().items()))
    assert client.send(reordered, "k") == first
    assert len(sandbox.ledger()) == 1
    stats = sandbox.stats()
    assert (stats["accepted"], stats["replayed"]) == (1, 1)


def test_a_key_with_another_body_is_a_conflict(sandbox, client):
    client.send(message(), "k")
    status, answer = client.send(message(text="other"), "k")
    assert status == 409 and "another body" in answer["error"]
    assert len(sandbox.ledger()) == 1
    assert sandbox.stats()["key_reused"] == 1


def test_without_a_key_every_request_is_a_new_message(sandbox, client):
    assert client.send(message())[1] != client.send(message())[1]
    assert [line["key"] for line in sandbox.ledger()] == [None, None]


def test_a_key_is_in_use_while_its_first_request_waits(sandbox, client):
    sandbox.put_faults([{"action": "late", "ms": 600000, "count": 1}])
    late = Client(sandbox)
    thread = threading.Thread(target=send_quietly, args=(late, message(), "k"))
    thread.start()
    wait_until(lambda: sandbox.ledger(), "the late one is accepted")
    wait_until(in_flight(sandbox, 1), "and waits")
    assert client.send(message(), "k") == (409, {"error": "key in use"})
    assert client.send(message(2), "k")[1]["error"].startswith("Idempotency-Key")
    assert sandbox.stats()["key_in_use"] == 1
    sandbox.stop()  # within its drain, although the answer is due in ten minutes
    thread.join()


# ---- refusing ----

@pytest.mark.parametrize("body, error", [
    (b"{", "body: no JSON"),
    (b"", "body: no JSON"),
    ([], "body: must be a JSON object"),
    ({key: value for key, value in message().items() if key != "subject"}, "subject: is missing"),
    ({key: value for key, value in message().items() if key != "reply_to"}, "reply_to: is missing"),
    (message(account_id="1"), "account_id: must be a whole number"),
    (message(message_id="17"), "message_id: must be"),
    (message(to="nobody"), "to: holds no address"),
    (message(subject="a\nBcc: b@example.org"), "subject: holds a line break"),
    (message(headers={"X": "a\r\nb"}), "headers: X holds a line break"),
    (message(extra=1), "extra: is no field"),
])
def test_a_bad_message_is_refused_by_the_name_of_its_field(sandbox, client, body, error):
    status, answer = client.send(body, "k")
    assert status == 400 and answer["error"].startswith(error)
    assert sandbox.ledger() == []
    assert client.send(message(), "k")[0] == 200, "a refused request must not hold its key"


def test_limits_of_size_are_answered(sandbox, client):
    assert client.send(message(text="x" * (1 << 20)))[0] == 413
    assert Client(sandbox).request("POST", "/send", iter([b"x" * 65536] * 17))[0] == 413  # in chunks
    assert Client(sandbox).request("GET", "/healthz", **{"X-Long": "x" * 20000})[0] in (413, 431)
    assert Client(sandbox).send(message(), "k" * 257)[1]["error"].startswith("Idempotency-Key: is longer")
    assert Client(sandbox).send(message(text="x" * 1000000))[0] == 200


def test_paths_methods_and_types(sandbox):
    assert Client(sandbox).request("GET", "/send")[0] == 405
    assert Client(sandbox).request("GET", "/nothing")[0] == 404
    assert Client(sandbox).request("GET", "/healthz")[:2] == (200, {"status": "ok"})
    status, answer, _ = Client(sandbox).request("POST", "/send", message(), **{"Content-Type": "text/plain"})
    assert status == 415 and "application/json" in answer["error"]


# ---- faults ----

@pytest.mark.parametrize("action", [429, 503, 500, 400, 401])
def test_a_status_fault_accepts_nothing(sandbox, client, action):
    sandbox.put_faults([{"action": str(action), "count": 1}])
    status, answer = client.send(message(), "k")
    assert status == action and answer["error"]
    assert sandbox.ledger() == []
    assert sandbox.stats()["faults"][str(action)] == 1
    assert client.send(message(), "k")[0] == 200, "the count is used up"


def test_retry_after_is_told(sandbox, client):
    sandbox.put_faults([{"action": "429", "retry_after_s": 7}])
    assert client.request("POST", "/send", message())[2]["Retry-After"] == "7"


def test_late_is_accepted_at_once_and_answered_later(sandbox, client):
    sandbox.put_faults([{"action": "late", "ms": 300}])
    lines = []
    thread = threading.Thread(target=lambda: lines.extend(sandbox.wait_for_ledger(1)))
    thread.start()
    assert client.send(message(), "k") == (200, {"id": "sb-1"})
    thread.join()
    assert len(lines) == 1
    assert sandbox.stats()["faults"]["late"] == 1


def test_cut_writes_the_ledger_and_gives_no_answer(sandbox, client):
    sandbox.put_faults([{"action": "cut", "count": 1}])
    with pytest.raises(http.client.RemoteDisconnected):
        client.send(message(), "k")
    assert len(sandbox.ledger()) == 1
    assert Client(sandbox).send(message(), "k") == (200, {"id": "sb-1"}), "the replay finds it"
    assert len(sandbox.ledger()) == 1


def test_cut_before_accepts_nothing(sandbox, client):
    sandbox.put_faults([{"action": "cut_before", "count": 1}])
    with pytest.raises(http.client.RemoteDisconnected):
        client.send(message(), "k")
    assert sandbox.ledger() == []
    assert Client(sandbox).send(message(2), "k")[0] == 200, "the key was never taken"


def test_silent_never_answers_and_notices_a_client_that_left(sandbox):
    sandbox.put_faults([{"action": "silent", "count": 1}])
    one = Client(sandbox, seconds=0.3)
    with pytest.raises(socket.timeout):
        one.send(message(), "k")
    assert sandbox.ledger() == []
    one.close()
    wait_until(in_flight(sandbox, 0), "the silent request is given up")
    assert Client(sandbox).send(message(), "k")[0] == 200


def test_garbage_is_accepted_and_cannot_be_read(sandbox, client):
    sandbox.put_faults([{"action": "garbage", "count": 1}])
    status, answer = client.send(message(), "k")
    assert status == 200 and isinstance(answer, str)
    assert len(sandbox.ledger()) == 1
    assert client.send(message(), "k") == (200, {"id": "sb-1"})


def test_a_recipient_meets_its_fault_and_others_do_not(sandbox, client):
    sandbox.put_faults([{"action": "400", "recipient": "LEAD2@example.org"}])
    assert [client.send(message(number))[0] for number in (1, 2, 3, 2)] == [200, 400, 200, 400]


def test_a_rate_repeats_with_the_seed(sandbox_factory):
    runs = []
    for seed in (5, 5, 6):
        client = Client(sandbox_factory(args=["--seed", str(seed)]))
        client.request("PUT", "/faults", [{"action": "500", "rate": 0.3}])
        runs.append([client.send(message(number))[0] for number in range(1, 201)])
    assert runs[0] == runs[1] != runs[2]
    assert 30 < runs[0].count(500) < 90


def test_bad_rules_are_refused_by_name_and_change_nothing(client):
    assert client.request("PUT", "/faults", [{"action": "500"}])[:2] == (200, {"rules": 1})
    status, answer, _ = client.request("PUT", "/faults", [{"action": "429"}, {"action": "429", "rate": 2}])
    assert status == 400 and answer["error"].startswith("rule 2: rate:")
    assert client.send(message())[0] == 500
    assert client.request("PUT", "/faults", [])[:2] == (200, {"rules": 0})
    assert client.send(message())[0] == 200


# ---- the ledger over the end of the program ----

def test_keys_and_lines_survive_kill_9(sandbox):
    for number in (1, 2, 3):
        Client(sandbox).send(message(number), f"k{number}")
    sandbox.kill()
    sandbox.start()
    client = Client(sandbox)
    assert client.send(message(2), "k2") == (200, {"id": "sb-2"})
    assert client.send(message(9), "k2")[0] == 409
    assert client.send(message(4), "k4") == (200, {"id": "sb-4"})
    assert [line["seq"] for line in sandbox.ledger()] == [1, 2, 3, 4]


def test_a_torn_last_line_is_cut_off_with_a_warning(sandbox):
    Client(sandbox).send(message(1), "k1")
    sandbox.kill()
    with open(sandbox.ledger_path, "a", encoding="utf-8") as ledger:
        ledger.write('{"seq":2,"at_us":17954208')
    sandbox.start()
    assert "ledger_torn_line_cut" in sandbox.log()
    assert Client(sandbox).send(message(2), "k2") == (200, {"id": "sb-2"})
    assert [line["seq"] for line in sandbox.ledger()] == [1, 2]


def load(sandbox, first, answered, stop):
    """Posts until the connection dies; puts the key of each 200 into answered."""
    client = Client(sandbox)
    number = first
    with contextlib.suppress(OSError, http.client.HTTPException):
        while not stop.is_set():
            status, answer = client.send(message(number), f"fu/1/{number}/1")
            assert status == 200
            answered[f"fu/1/{number}/1"] = answer["id"]
            number += LOAD_CLIENTS


def test_kill_9_under_load_loses_no_answered_message(sandbox):
    answered, stop = {}, threading.Event()
    threads = [threading.Thread(target=load, args=(sandbox, first, answered, stop))
               for first in range(1, LOAD_CLIENTS + 1)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(answered) >= 500, "500 answers")
        sandbox.kill()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    in_file = {line["key"]: f"sb-{line['seq']}" for line in sandbox.ledger()}
    assert len(answered) >= 500
    assert {key: in_file.get(key) for key in answered} == answered
    sandbox.start()  # the file is sound, and every answer is repeated as it was
    client = Client(sandbox)
    for key, answer in list(answered.items())[::25]:
        assert client.send(message(int(key.split("/")[2])), key) == (200, {"id": answer})


def test_a_ledger_that_cannot_be_written_ends_it_without_an_answer(sandbox, client):
    client.send(message(1), "k1")
    room = sandbox.ledger_path.stat().st_size + 50  # for part of a line
    resource.prlimit(sandbox.pid, resource.RLIMIT_FSIZE, (room, room))
    with pytest.raises(http.client.RemoteDisconnected):
        client.send(message(2), "k2")
    assert sandbox.wait() == 1
    assert "ledger_write_failed" in sandbox.log()
    sandbox.start()
    assert Client(sandbox).send(message(2), "k2") == (200, {"id": "sb-2"})
    assert [line["key"] for line in sandbox.ledger()] == ["k1", "k2"]


def test_a_clean_stop_answers_what_is_under_way(sandbox):
    sandbox.put_faults([{"action": "late", "ms": 400}])
    answers = []
    client = Client(sandbox)
    thread = threading.Thread(target=lambda: answers.append(client.send(message())))
    thread.start()
    wait_until(in_flight(sandbox, 1), "the request waits for its answer")
    sandbox.stop(expected_status=0)
    thread.join()
    assert answers == [(200, {"id": "sb-1"})]


def test_in_flight_peak_counts_those_who_wait_together(sandbox):
    sandbox.put_faults([{"action": "late", "ms": 300}])
    threads = [threading.Thread(target=Client(sandbox).send, args=(message(number),)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sandbox.stats()["in_flight_peak"] == 8


# ---- the command line ----

@pytest.mark.parametrize("arguments, error", [
    ([], "--listen is missing"),
    (["--listen", "127.0.0.1:0"], "--ledger is missing"),
    (["--listen", "127.0.0.1:0", "--ledger", "x", "--reply-rate", "1.5"], "--reply-rate 1.5: must be"),
    (["--listen", "127.0.0.1:0", "--ledger", "x", "--reply-rate", "0.5"], "--conninfo is missing"),
    (["--listen", "127.0.0.1:0", "--ledger", "x", "--reply-delay-ms", "9-1"], "--reply-delay-ms 9-1: must be"),
    (["--listen", "127.0.0.1:0", "--ledger", "x", "--what"], "--what: no such option"),
    (["--listen", "localhost", "--ledger", "x"], "listen localhost: must be"),
    (["--listen", "127.0.0.1:0", "--ledger", "/nowhere/x"], "/nowhere/x: No such file"),
    (["--listen", "127.0.0.1:0", "--ledger", "/dev/full"], "/dev/full: is no regular file"),
])
def test_a_wrong_command_line_says_what_is_wrong(tmp_path, arguments, error):
    done = subprocess.run([program("followup-sandbox"), *arguments], cwd=tmp_path, capture_output=True, text=True,
                          check=False, timeout=20)
    assert done.returncode in (1, 2) and error in done.stderr


def test_help_teaches(tmp_path):
    done = subprocess.run([program("followup-sandbox"), "--help"], cwd=tmp_path, capture_output=True, text=True,
                          check=False, timeout=20)
    assert done.returncode == 0
    for word in ("--listen", "POST /send", "PUT /faults", "key in use", "curl"):
        assert word in done.stdout


# ---- the leads ----

CALLS_RECORDED = """
    CREATE SCHEMA followup;
    CREATE TABLE followup.account (id bigint, name text);
    INSERT INTO followup.account VALUES (1, 'Acme'), (2, 'Other');
    CREATE TABLE followup.call (what text, account bigint, message bigint, sender text, subject text, body text);
    CREATE TYPE followup.action_result AS (lead_id bigint, done boolean, reason text, sub_state text, message_id bigint,
                                           due_at timestamptz, in_flight bigint[]);
    CREATE FUNCTION followup.answer(call followup.call) RETURNS followup.action_result LANGUAGE sql AS $$
        INSERT INTO followup.call VALUES (call.*);
        SELECT 1::bigint, call.message <> 13, CASE call.message WHEN 13 THEN 'inactive' END, NULL::text, NULL::bigint, NULL::timestamptz,
               NULL::bigint[]; $$;
    CREATE FUNCTION followup.record_reply(p_account bigint, p_message bigint, p_from text, p_subject text, p_body text,
                                          p_received_at timestamptz) RETURNS followup.action_result LANGUAGE sql AS
        $$ SELECT * FROM followup.answer(('reply', p_account, p_message, p_from, p_subject, p_body)::followup.call) $$;
    CREATE FUNCTION followup.record_bounce(p_account bigint, p_message bigint, p_kind text, p_detail text)
        RETURNS followup.action_result LANGUAGE sql AS
        $$ SELECT * FROM followup.answer(('bounce ' || p_kind, p_account, p_message, NULL, NULL, p_detail)) $$;
    CREATE FUNCTION followup.unsubscribe(p_account bigint, p_message bigint) RETURNS followup.action_result LANGUAGE sql AS
        $$ SELECT * FROM followup.answer(('unsubscribe', p_account, p_message, NULL, NULL, NULL)) $$;
"""


@pytest.fixture
def recorder():
    """A database whose functions only write down that they were called, and refuse message 13."""
    with Cluster(parent=scratch_folder()) as cluster:
        cluster.psql("-c", CALLS_RECORDED)
        yield cluster


def calls(cluster):
    text = cluster.psql("-At", "-c", "SELECT row_to_json(c) FROM followup.call c ORDER BY message")
    return [json.loads(line) for line in text.splitlines()]


def people(cluster, *more):
    return ["--conninfo", cluster.conninfo(), "--account", "Acme", "--reply-delay-ms", "1-20", *more]


def acted(sandbox):
    counters = sandbox.stats()["people"]
    return sum(counters[name] for name in ("replies", "bounces", "unsubscribes", "refused", "failed", "other_account"))


def test_leads_answer_through_the_functions_and_repeat_with_the_seed(sandbox_factory, recorder):
    rates = ["--reply-rate", "0.4", "--bounce-rate", "0.3", "--unsubscribe-rate", "0.3"]
    runs = []
    for _ in range(2):
        recorder.psql("-c", "TRUNCATE followup.call")
        sandbox = sandbox_factory(args=people(recorder, *rates))
        client = Client(sandbox)
        for number in range(1, 41):
            client.send(message(number), f"k{number}")
            client.send(message(number), f"k{number}")  # a replay is no second message
        wait_until(lambda one=sandbox: acted(one) == 40, "every lead acted")
        runs.append(calls(recorder))
    assert runs[0] == runs[1]
    assert [call["message"] for call in runs[0]] == list(range(1, 41))
    assert {call["what"] for call in runs[0]} == {"reply", "bounce hard", "unsubscribe"}
    reply = next(call for call in runs[0] if call["what"] == "reply")
    assert (reply["sender"], reply["subject"]) == (f"lead{reply['message']}@example.org", "Re: Grüße")
    assert reply["account"] == 1 and reply["body"]


def test_a_refused_call_is_counted_as_that(sandbox_factory, recorder):
    sandbox = sandbox_factory(args=people(recorder, "--bounce-rate", "1"))
    for number in (12, 13):
        Client(sandbox).send(message(number))
    wait_until(lambda: acted(sandbox) == 2, "both calls are through")
    counters = sandbox.stats()["people"]
    assert (counters["bounces"], counters["refused"], counters["failed"]) == (1, 1, 0)


def test_leads_of_another_account_do_nothing(sandbox_factory, recorder):
    sandbox = sandbox_factory(args=people(recorder, "--reply-rate", "1"))
    Client(sandbox).send(message(1, account_id=2))
    wait_until(lambda: acted(sandbox) == 1, "it was looked at")
    assert sandbox.stats()["people"]["other_account"] == 1
    assert calls(recorder) == []


def test_a_call_that_fails_is_counted_and_the_next_one_works(sandbox_factory, recorder):
    sandbox = sandbox_factory(args=people(recorder, "--unsubscribe-rate", "1"))
    recorder.psql("-c", "ALTER FUNCTION followup.unsubscribe RENAME TO gone")
    Client(sandbox).send(message(1))
    wait_until(lambda: acted(sandbox) == 1, "the first call is through")
    recorder.psql("-c", "ALTER FUNCTION followup.gone RENAME TO unsubscribe")
    recorder.restart("immediate")
    Client(sandbox).send(message(2))  # meets the broken connection
    wait_until(lambda: acted(sandbox) == 2, "the second call is through")
    Client(sandbox).send(message(3))
    wait_until(lambda: acted(sandbox) == 3, "the third call is through")
    assert "lead_calls_failed" in sandbox.log()
    assert [call["message"] for call in calls(recorder)] == [3]
    assert sandbox.stats()["people"]["failed"] == 2


def test_a_second_program_on_the_same_ledger_is_refused(sandbox):
    done = subprocess.run([program("followup-sandbox"), "--listen", "127.0.0.1:0", "--ledger", str(sandbox.ledger_path)],
                          capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 1 and "another followup-sandbox" in done.stderr


def test_sigint_ends_it_well_too(sandbox):
    sandbox.signal(signal.SIGINT)
    assert sandbox.wait() == 0
