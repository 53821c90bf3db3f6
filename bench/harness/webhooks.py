"""webhooks: signed webhooks of real shape (SendGrid's, of three events and of a hundred) to a daemon, as many as it takes,
until each is committed; against libmicrohttpd that only answers, and against one connection that only INSERTs the same events."""

import contextlib
import signal
import socket
import subprocess
import time

import fixture
import processes
from daemon import Daemon
from table import Row

DATABASE = "followupd_webhooks"
EVENTS = 3  # a webhook, as post.c makes them
BATCH = 100  # events of one webhook when a provider has gathered them: SendGrid posts up to a thousand
APPLIED_SECONDS_MAX = 600
CALL = 200  # webhooks in one INSERT: what gathers while a call is under way
CONNECTIONS = (64, 256)
INSERT = f"""
INSERT INTO followup.provider_event (account_id, provider, event_id, kind, payload, next_try_at)
SELECT 1, 'alone', 'ev-' || w || '-' || e || '-ZGVsaXZlcmVkLTAtMTA5OTQ5MTktTFJ6WGxfTkhTdE9HaFE0a29mU21fQQ', 'delivered',
       jsonb_build_object('event_id', 'ev-' || w || '-' || e || '-ZGVsaXZlcmVkLTAtMTA5OTQ5MTktTFJ6WGxfTkhTdE9HaFE0a29mU21fQQ',
           'kind', 'delivered', 'fu_id', '1-' || w || '-1', 'provider_type', 'sendgrid', 'type', 'delivered',
           'provider_message_id', 'LRzXl_NHStOGhQ4kofSm_A', 'recipient', 'user' || w || '@customer.example',
           'occurred_at', '2026-11-20T10:00:00Z', 'rfc_message_id', '<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>'),
       clock_timestamp()
  FROM generate_series(:from, :from + {CALL} - 1) AS w, generate_series(1, {EVENTS}) AS e;
"""


def run(bench):
    n = bench.options.webhooks
    key, public = _keys(bench)
    fixture.create(bench, DATABASE, {"Hooks": 10})
    rows = []
    try:
        insert = _insert_alone(bench, n)
        for connections in CONNECTIONS:
            bench.say(f"{n:,} webhooks over {connections} connections: answered alone, and followupd")
            answer = _answered_alone(bench, n, connections, key)
            ours = bench.measured(lambda c=connections: _followupd(bench, n, c, key, public))
            rows += _rows(f"{connections} connections", ours, answer, insert)
        few = max(n // BATCH, 100)
        bench.say(f"{few:,} webhooks of {BATCH} events over {CONNECTIONS[0]} connections")
        rows += _batch_rows(bench.measured(lambda: _followupd(bench, few, CONNECTIONS[0], key, public, BATCH)))
    finally:
        key.unlink()
        public.unlink()
    bench.cluster.dropdb(DATABASE)
    return rows


def _rows(case, ours, answer, insert):
    note = f"goal 10,000/s; {ours['calls']:,} commits; the client takes {ours['us']:.0f} us of CPU each"
    return [
        Row(case, "webhooks committed", ours["rate"], "a second", "libmicrohttpd that only answers", answer["rate"], note=note),
        Row(case, "webhooks committed", ours["rate"], "a second", "INSERT of their events", insert),
        Row(case, "events committed", ours["rate"] * EVENTS, "a second"),
        Row(case, "to the answer, p50", ours["p50_ms"], "ms"),
        Row(case, "to the answer, p99", ours["p99_ms"], "ms", goal="<= 50"),
        Row(case, "CPU a webhook, daemon", ours["daemon_us"], "us", note=f"database {ours['database_us']:.0f} us, applying meanwhile included"),
    ]


def _batch_rows(ours):
    case = f"{BATCH} events each"
    return [
        Row(case, "webhooks committed", ours["rate"], "a second", note=f"{ours['bytes'] / 1024:.0f} KiB each"),
        Row(case, "events committed", ours["rate"] * BATCH, "a second"),
        Row(case, "to the answer, p99", ours["p99_ms"], "ms", goal="<= 50"),
        Row(case, "CPU an event, daemon", ours["daemon_us"] / BATCH, "us", note=f"database {ours['database_us'] / BATCH:.1f} us"),
    ]


def _keys(bench):
    key, public = bench.folder / "hooks.pem", bench.folder / "hooks.pub.pem"
    bench.command(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key])
    bench.command(["openssl", "ec", "-in", key, "-pubout", "-out", public])
    return key, public


def _post(bench, port, path, n, connections, key, first, events=EVENTS):
    return bench.json([bench.program("webhooks/post"), "127.0.0.1", port, path, n, connections, key, first, events])


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answered_alone(bench, n, connections, key):
    port = _free_port()
    with subprocess.Popen([bench.program("webhooks/answer"), str(port)], stdout=subprocess.PIPE, text=True) as server:
        try:
            server.stdout.readline()
            return _post(bench, port, "/", n, connections, key, 1)
        finally:
            server.send_signal(signal.SIGTERM)


def _insert_alone(bench, n):
    """Webhooks a second."""
    script = "\n".join(f"\\set from {first}\n{INSERT}" for first in range(1, n, CALL))
    bench.vacuum(DATABASE)
    started = time.monotonic()
    bench.psql(script, DATABASE)
    rate = n / (time.monotonic() - started)
    bench.psql("DELETE FROM followup.provider_event", DATABASE)
    return rate


def _followupd(bench, n, connections, key, public, events=EVENTS):
    port = _free_port()
    bench.psql("TRUNCATE followup.provider_event, followup.webhook CASCADE", DATABASE)
    bench.vacuum(DATABASE)
    account = int(bench.psql("SELECT min(id) FROM followup.account", DATABASE))
    sections = (f"[webhook.sendgrid]\ntype = sendgrid\npublic_key_file = {public}\n"
                f"[http]\nlisten = 127.0.0.1:{port}\naddress_connections_max = 2000\n")
    with Daemon(bench, DATABASE, sections) as daemon:
        daemon.wait_for("leases_changed", 30)
        postmaster = bench.cluster.pid
        daemon_s, database_s = processes.cpu_s(daemon.pid), sum(processes.cpu_by_role(postmaster).values())
        busy, mine, started = processes.machine_busy_s(), processes.own_cpu_s(), time.monotonic()
        ours = _post(bench, port, f"/webhooks/sendgrid/{account}", n, connections, key, 1, events)
        ours["daemon_us"] = (processes.cpu_s(daemon.pid) - daemon_s) * 1e6 / n
        ours["database_us"] = (sum(processes.cpu_by_role(postmaster).values()) - database_s) * 1e6 / n
        seconds = time.monotonic() - started
        used = (ours["daemon_us"] + ours["database_us"] + ours["us"]) * n / 1e6 + processes.own_cpu_s() - mine
        ours["foreign_cores"] = max(0.0, (processes.machine_busy_s() - busy - used) / seconds)
        with contextlib.closing(socket.create_connection(("127.0.0.1", port), 10)) as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            text = b"".join(iter(lambda: client.recv(65536), b"")).decode()
        ours["calls"] = int(next(line for line in text.splitlines() if line.startswith("followupd_inbox_seconds_count")).split()[1])
        until = time.monotonic() + APPLIED_SECONDS_MAX
        while int(bench.psql("SELECT count(*) FROM followup.webhook", DATABASE)) and time.monotonic() < until:
            time.sleep(1)
        ours["applied_s"] = time.monotonic() - started
    kept = int(bench.psql("SELECT count(*) FROM followup.provider_event", DATABASE))
    if ours["ok"] != n or kept != events * n:
        raise RuntimeError(f"webhooks: {ours['ok']} of {n} answered 200, {kept} of {events * n} events kept")
    return ours
