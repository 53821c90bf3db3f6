"""The HTTP front: health, readiness, metrics as a Prometheus server reads them, and clients that mean no good. How long
anything takes is not asserted: a client that is late is gone, sooner or later, and others are answered meanwhile."""

import contextlib
import http.client
import json
import resource
import select
import signal
import socket
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

import schema
from processes import wait_until
from world import World

GONE_SECONDS_MAX = 30
ANY_PORT = {"listen": "127.0.0.1:0"}
SHORT = {**ANY_PORT, "header_timeout": "400ms", "answer_timeout": "400ms", "idle_timeout": "700ms"}
SECRET = "a-key-that-nobody-may-see"


@pytest.fixture
def world(database):
    return World(database)


def address_of(daemon):
    daemon.wait_for_log("http_listening")
    line = [line for line in daemon.log().splitlines() if "http_listening" in line][-1]
    host, _, port = line.split("address=")[1].split()[0].rpartition(":")
    return host, int(port)


def ask(daemon, path, method="GET", body=None, headers=None):
    connection = http.client.HTTPConnection(*address_of(daemon), timeout=GONE_SECONDS_MAX)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        return answer


def families(daemon):
    answer = ask(daemon, "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = list(text_string_to_metric_families(answer.text))
    assert len({family.name for family in found}) == len(found), "each family stands in one piece"
    return {family.name: family for family in found}


def value(found, name, **labels):
    """The value of the only sample with these labels."""
    values = [sample.value for family in found.values() for sample in family.samples
              if sample.name == name and sample.labels == labels]
    assert len(values) == 1, f"{name} {labels}: {values}"
    return values[0]


def check_histogram(family):
    """Buckets rise with their bounds, the last is +Inf and equals the count; answers the count."""
    assert family.type == "histogram"
    buckets = [(float(s.labels["le"]), s.value) for s in family.samples if s.name.endswith("_bucket")]
    bounds, counts = zip(*buckets)
    assert list(bounds) == sorted(set(bounds)) and bounds[-1] == float("inf")
    assert list(counts) == sorted(counts)
    assert counts[-1] == value({family.name: family}, f"{family.name}_count")
    return counts[-1]


def raw(daemon, text=b"", source=None):
    """A connection that has sent so much."""
    client = socket.create_connection(address_of(daemon), GONE_SECONDS_MAX,
                                      source_address=(source, 0) if source else None)
    client.sendall(text)
    return client


def answer_of(daemon, text):
    """What comes back for these bytes until the server closes."""
    with raw(daemon, text) as client:
        client.settimeout(GONE_SECONDS_MAX)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(65536):
                answer += piece
        return answer


def closed(client):
    """Whether the server has closed it. Anything it said before is read over."""
    client.setblocking(False)
    try:
        while client.recv(4096):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


# --- what it says ---------------------------------------------------------------------------------------------------

def test_healthy_and_ready(daemon):
    one = daemon(config={"http": ANY_PORT})
    assert json.loads(ask(one, "/healthz").text) == {"status": "ok"}
    wait_until(lambda: ask(one, "/readyz").status == 200, "its leases come")
    assert json.loads(ask(one, "/readyz").text) == {"status": "ready"}


def test_without_a_database_it_is_alive_and_says_why_it_is_not_ready(daemon):
    one = daemon(start=False, config={"http": ANY_PORT, "database": {"conninfo": "host=/nowhere dbname=none"}})
    one.launch()
    assert ask(one, "/healthz").status == 200
    answer = ask(one, "/readyz")
    assert answer.status == 503 and answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer.text)["reasons"] == ["the database is not reached", "no shard is held"]
    assert value(families(one), "followupd_database_up") == 0
    one.signal(signal.SIGTERM)
    assert one.wait() == 0


def test_while_it_drains_it_is_alive_and_not_ready(world, sandbox, daemon):
    sandbox.put_faults([{"action": "silent"}])
    account = world.account()
    world.act("start_follow_up", account, world.leads(account))
    one = daemon(config={"http": ANY_PORT, "provider.sandbox": {"timeout": "20s"},
                         "engine": {"settle_after": "25s", "drain": "30s"}})
    wait_until(lambda: world.count(state="sending") == 1, "it is on its way")
    one.signal(signal.SIGTERM)
    one.wait_for_log("stopping")
    assert ask(one, "/healthz").status == 200
    assert "told to stop, draining" in json.loads(ask(one, "/readyz").text)["reasons"]
    one.signal(signal.SIGTERM)
    assert one.wait() == 0


def test_metrics_are_what_happened(world, sandbox, daemon):
    account = world.account(steps=[("sequence", "0"), ("sequence", "2 days")])
    leads = world.leads(account, 40)
    one = daemon(config={"http": ANY_PORT})
    wait_until(lambda: value(families(one), "followupd_loaded") == 1, "it has loaded")
    world.act("start_follow_up", account, leads)
    wait_until(lambda: value(families(one), "followupd_results_recorded_total") >= 40, "all are recorded")
    wait_until(lambda: value(families(one), "followupd_wheel_messages") == 40, "the next step of each waits")
    found = families(one)
    assert value(found, "followupd_messages_total", outcome="sent") == 40 == len(sandbox.ledger())
    assert [value(found, "followupd_messages_total", outcome=outcome) for outcome in ("retry", "rejected", "in_doubt")] == [0] * 3
    assert value(found, "followupd_claim_verdicts_total", verdict="claimed") == 40
    assert check_histogram(found["followupd_lateness_seconds"]) == 40
    assert check_histogram(found["followupd_send_seconds"]) == 40
    assert check_histogram(found["followupd_claim_seconds"]) == value(found, "followupd_claims_total")
    assert 1 <= check_histogram(found["followupd_record_seconds"]) <= 40
    assert check_histogram(found["followupd_loop_turn_seconds"]) > 0
    assert value(found, "followupd_notifications_total") >= 1
    assert value(found, "followupd_notify_age_seconds") >= 0
    assert value(found, "followupd_shards_held") == value(found, "followupd_shards_valid") == 64
    assert value(found, "followupd_provider_breaker", provider="sandbox", state="closed") == 1
    assert value(found, "followupd_provider_breaker", provider="sandbox", state="open") == 0
    assert value(found, "followupd_in_flight") == value(found, "followupd_results_waiting") == 0
    assert value(found, "followupd_wheel_bytes") > 0
    assert value(found, "followupd_http_answers_total", **{"class": "2xx"}) >= 1
    assert value(found, "process_resident_memory_bytes") > 1e6
    assert time.time() - 600 < value(found, "process_start_time_seconds") <= time.time()
    assert 0 < value(found, "process_open_fds") < value(found, "process_max_fds")
    assert value(found, "process_cpu_seconds_total") > 0


def test_every_family_says_what_it_is(daemon):
    one = daemon(config={"http": ANY_PORT})
    for family in families(one).values():
        assert family.documentation.endswith((".", "label.", "now.", "run out.")), family.name
        assert family.type in ("gauge", "counter", "histogram"), family.name
        for sample in family.samples:
            assert sample.name.startswith(("followupd_", "process_"))
            assert (family.type == "counter") == sample.name.endswith("_total"), sample.name


def test_what_is_refused_and_what_is_in_doubt_is_counted_and_the_breaker_shown(world, sandbox, daemon):
    sandbox.put_faults([{"action": "401"}])
    account = world.account()
    world.act("start_follow_up", account, world.leads(account, 3))
    one = daemon(config={"http": ANY_PORT})
    wait_until(lambda: value(families(one), "followupd_provider_breaker", provider="sandbox", state="closed") == 0,
               "the breaker opens")
    found = families(one)
    assert value(found, "followupd_messages_total", outcome="retry") >= 1
    assert value(found, "followupd_messages_total", outcome="sent") == 0


def test_psql_sees_the_same_figures(world, sandbox, daemon, database):
    account = world.account(steps=[("sequence", "0"), ("sequence", "2 days")])
    world.act("start_follow_up", account, world.leads(account, 20))
    one = daemon(config={"http": ANY_PORT})
    sandbox.wait_for_ledger(20)
    wait_until(lambda: database.rows("SELECT 1 FROM followup.engine_figures() WHERE wheel_messages = 20"), "it has reported")
    found = families(one)
    figures = database.value("SELECT figures FROM followup.engine_figures()")
    assert figures["messages_total"] == {"sent": 20, "retry": 0, "rejected": 0, "in_doubt": 0}
    assert figures["lateness_seconds"]["count"] == 20
    for name in ("shards_held", "wheel_messages", "wheel_bytes", "notifications_total", "horizon_seconds"):
        assert figures[name] == value(found, f"followupd_{name}"), name
    assert database.rows("SELECT provider, breaker, wait_seconds FROM followup.engine_providers()") == [("sandbox", "closed", 0)]


# --- what it refuses ------------------------------------------------------------------------------------------------

def test_other_paths_methods_and_bodies(daemon):
    one = daemon(config={"http": ANY_PORT})
    for path, method, body, status in [("/", "GET", None, 404), ("/metrics/", "GET", None, 404), ("/healthz", "POST", "x", 405),
                                       ("/healthz", "DELETE", None, 405), ("/nowhere", "POST", "x" * 300000, 404),
                                       ("/healthz", "GET", "x" * 10, 413), ("/healthz?a=b", "GET", None, 200)]:
        answer = ask(one, path, method, body)
        assert answer.status == status, (path, method)
        if status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert json.loads(answer.text)["status"] == status
        assert (answer.headers["Allow"] == "GET, HEAD") == (status == 405)
    assert ask(one, "/metrics", "HEAD").text == "" and ask(one, "/metrics", "HEAD").status == 200


def test_one_connection_takes_many_requests(daemon):
    one = daemon(config={"http": ANY_PORT})
    with contextlib.closing(http.client.HTTPConnection(*address_of(one), timeout=GONE_SECONDS_MAX)) as connection:
        connection.connect()
        kept = connection.sock
        for path in ("/healthz", "/metrics", "/nowhere", "/healthz"):
            connection.request("GET", path)
            connection.getresponse().read()
            assert connection.sock is kept


@pytest.mark.parametrize("text,status", [
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n", b"431"),
    (b"GET /healthz HTTP/1.1\r\n\r\n", b"400"),  # no Host
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: nonsense\r\n\r\n", b"400"),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", None),  # TLS on a port that speaks none
], ids=["long-target", "long-header", "no-host", "odd-length", "two-lengths", "tls"])
def test_what_is_no_request_of_ours(daemon, text, status):
    one = daemon(config={"http": SHORT})
    answer = answer_of(one, text)
    assert answer.startswith(b"HTTP/1.1 " + status) if status else b" 200 " not in answer
    assert ask(one, "/healthz").status == 200


def test_a_smuggled_request_is_not_answered(daemon):
    one = daemon(config={"http": SHORT})
    inner = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
    for lengths in (b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: %d\r\n" % len(inner)):
        answer = answer_of(one, b"POST /healthz HTTP/1.1\r\nHost: a\r\n" + lengths + b"\r\n" + inner)
        assert answer.count(b"HTTP/1.1 ") == 1 and b"followupd_" not in answer


def test_no_answer_holds_a_secret(world, sandbox, daemon, database):
    one = daemon(start=False, config={"http": ANY_PORT, "provider.sandbox": {"key_file": "provider-key"},
                                      "database": {"conninfo": database.conninfo + " password=" + SECRET}})
    one.credential("provider-key", SECRET)
    one.start()
    account = world.account()
    world.act("start_follow_up", account, world.leads(account))
    sandbox.wait_for_ledger(1)
    for path in ("/healthz", "/readyz", "/metrics", "/%3Cscript%3E", f"/{SECRET}"):
        text = ask(one, path).text
        assert SECRET not in text and "@account" not in text and "<" not in text


# --- slow and hostile clients ---------------------------------------------------------------------------------------

def test_dripping_and_half_requests_are_cut_and_others_are_served_meanwhile(daemon):
    one = daemon(config={"http": SHORT})
    beginnings = [b"", b"G", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ", b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Le"]
    clients = [raw(one, beginnings[i % 4]) for i in range(100)]
    asked, deadline = 0, time.monotonic() + GONE_SECONDS_MAX
    left = clients
    while left and time.monotonic() < deadline:
        for client in left:
            with contextlib.suppress(OSError):
                client.send(b"a")  # a byte each time: never silent
        assert ask(one, "/healthz").status == 200
        asked += 1
        left = [client for client in left if not closed(client)]
    assert not left, f"{len(left)} are there still"
    assert asked > 1
    assert value(families(one), "followupd_http_late_total") == 100
    for client in clients:
        client.close()


def test_a_kept_connection_has_a_deadline_for_its_next_request_too(daemon):
    one = daemon(config={"http": SHORT})
    for beginning in (b"", b"GET /healthz HTTP/1.1\r\nHost"):
        with raw(one, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") as client:
            select.select([client], [], [], GONE_SECONDS_MAX)
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
            client.sendall(beginning)
            wait_until(lambda c=client: closed(c), "it is cut", GONE_SECONDS_MAX)


def test_an_answer_that_nobody_takes_is_cut(daemon):
    one = daemon(config={"http": SHORT})
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(address_of(one))
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 100)  # more answers than fit on their way
        wait_until(lambda: value(families(one), "followupd_http_late_total") == 1, "it is cut", GONE_SECONDS_MAX)


def test_two_thousand_idle_connections_stop_nobody(daemon):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip(f"2,000 connections take descriptors, and this shell allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    one = daemon(config={"http": {**ANY_PORT, "connections_max": "500"}})
    clients = []
    for i in range(2000):
        clients.append(raw(one))
        if i % 200 == 0:
            assert ask(one, "/healthz").status == 200
    assert ask(one, "/healthz").status == 200
    found = families(one)
    assert value(found, "followupd_http_connections") <= 500 + 64
    assert value(found, "followupd_http_evicted_total") >= 1000
    for client in clients:
        client.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_one_address_may_not_take_every_place(daemon):
    one = daemon(config={"http": {**ANY_PORT, "connections_max": "100", "address_connections_max": "10"}})
    clients = [raw(one, source="127.0.0.2") for _ in range(30)]
    wait_until(lambda: sum(closed(client) for client in clients) == 20, "20 of them are refused")
    assert ask(one, "/healthz").status == 200
    assert value(families(one), "followupd_http_evicted_total") == 0
    for client in clients:
        client.close()


# --- where it listens -----------------------------------------------------------------------------------------------

def test_a_named_port_that_is_taken_stops_the_start(daemon):
    one = daemon(label="a", config={"http": ANY_PORT})
    host, port = address_of(one)
    other = daemon(label="b", start=False, config={"http": {"listen": f"{host}:{port}"}})
    other.launch()
    assert other.wait() == 1
    assert f"listen {host}:{port}: Address already in use" in other.log()


def test_the_default_port_may_be_taken(world, sandbox, daemon):
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # by somebody else already
            taken.bind(("127.0.0.1", 8025))
            taken.listen()
        one = daemon(config={"http": {"listen": None}})
        one.wait_for_log("http_not_listening")
        account = world.account()
        world.act("start_follow_up", account, world.leads(account))
        sandbox.wait_for_ledger(1)


def test_empty_is_no_http(daemon):
    one = daemon(config={"http": {"listen": ""}})
    assert "http_" not in one.log()


def test_over_ipv6(daemon):
    one = daemon(config={"http": {"listen": "[::1]:0"}})
    host, port = address_of(one)
    with contextlib.closing(http.client.HTTPConnection(host.strip("[]"), port, timeout=GONE_SECONDS_MAX)) as connection:
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200


@pytest.mark.parametrize("address", ["8025", "localhost:8025", "127.0.0.1:", "127.0.0.1:nonsense", "1.2.3.4.5:1"])
def test_an_address_that_is_none_is_told_with_its_line(daemon, address):
    one = daemon(start=False, config={"http": {"listen": address}})
    done = subprocess.run([schema.program("followupd"), "--config", str(one.config_path), "--check"], capture_output=True,
                          text=True, check=False, timeout=20)
    assert done.returncode == 2
    assert "[http]" in done.stderr and address in done.stderr and f"{one.config_path}:" in done.stderr
