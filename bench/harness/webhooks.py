"""webhooks: signed webhooks of real shape (SendGrid's, of three events and of a hundred) to a daemon, as many as it takes,
until each is committed, and then until each is applied; against the parts: libmicrohttpd that only answers, the signature and the
events alone, and one connection that only stores."""

import contextlib
import os
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
WAITING = "SELECT EXISTS (SELECT FROM followup.webhook) OR EXISTS (SELECT FROM followup.provider_event WHERE next_try_at IS NOT NULL)"
# What the daemon makes of them, in calls as it makes them.
ARRAYS = f"""
CREATE TABLE bench_call AS
SELECT w / {CALL} AS no, array_agg(1::bigint) AS accounts, array_agg('alone'::text) AS sources, array_agg(NULL::text) AS tokens,
       array_agg((SELECT json_agg(json_build_object('event_id', 'ev-' || w || '-' || e || '-ZGVsaXZlcmVkLTAtMTA5OTQ5MTktTFJ6WGxfTkhTdE9HaFE0a29mU21fQQ',
           'kind', 'delivered', 'fu_id', '1-' || w || '-1', 'provider_type', 'sendgrid', 'type', 'delivered',
           'provider_message_id', 'LRzXl_NHStOGhQ4kofSm_A', 'recipient', 'user' || w || '@customer.example',
           'occurred_at', '2026-11-20T10:00:00Z', 'rfc_message_id', '<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>'))
                    FROM generate_series(1, {EVENTS}) AS e)) AS events
  FROM generate_series(0, :n - 1) AS w GROUP BY 1;
"""
STORE = "SELECT count(*) FROM bench_call AS c, followup.receive_webhooks(c.accounts, c.sources, c.events, c.tokens) WHERE c.no = {no};"


def run(bench):
    n = bench.options.webhooks
    key, public = _keys(bench)
    fixture.create(bench, DATABASE, {"Hooks": 1})
    fixture.fill(bench, DATABASE, "Hooks", 1, n, state="processed")
    bench.psql("SET session_replication_role = replica; UPDATE followup.message SET attempts = 1", DATABASE)
    rows = []
    try:
        parts = {**bench.json([bench.program("webhooks/read"), key, public, 5000]), **_stored_alone(bench, n)}
        rows += _part_rows(parts)
        for connections in CONNECTIONS:
            bench.say(f"{n:,} webhooks over {connections} connections: answered alone, and followupd")
            answer = _answered_alone(bench, n, connections, key)
            ours = bench.measured(lambda c=connections: _followupd(bench, n, c, key, public))
            rows += _rows(f"{connections} connections", ours, answer, parts)
        few = max(n // BATCH, 100)
        bench.say(f"{few:,} webhooks of {BATCH} events over {CONNECTIONS[0]} connections")
        rows += _batch_rows(bench.measured(lambda: _followupd(bench, few, CONNECTIONS[0], key, public, BATCH)))
    finally:
        key.unlink()
        public.unlink()
    bench.cluster.dropdb(DATABASE)
    return rows


def _part_rows(parts):
    return [
        Row("the parts", "CPU a webhook, signature checked", parts["verify_us"], "us", note="ECDSA P-256, in a thread of the pool"),
        Row("the parts", "CPU a webhook, events read", parts["events_us"], "us", note="in the same thread"),
        Row("the parts", "CPU a webhook, stored", parts["store_us"], "us", note=f"receive_webhooks, {CALL} a commit: {parts['store_rate']:,.0f} a second"),
    ]


def _rows(case, ours, answer, parts):
    """The aim is 10,000 a second, 99 of 100 in 50 ms. The parts: what all cores could do if nothing else took their time, the client's
    share included, for it runs on the same ones."""
    cpu_us = parts["verify_us"] + parts["events_us"] + parts["store_us"] + answer["server_us"] + ours["us"]
    limit = os.cpu_count() * 1e6 / cpu_us
    note = f"{os.cpu_count()} cores; {ours['calls']:,} commits; the client takes {ours['us']:.0f} us of CPU each"
    return [
        Row(case, "webhooks committed", ours["rate"], "a second", goal=">= 10000", note=note),
        Row(case, "webhooks committed", ours["rate"], "a second", "the parts, and the client", limit),
        Row(case, "webhooks committed", ours["rate"], "a second", "libmicrohttpd that only answers", answer["rate"],
            note=f"it takes {answer['server_us']:.0f} us of CPU each"),
        Row(case, "webhooks committed", ours["rate"], "a second", "receive_webhooks alone", parts["store_rate"]),
        Row(case, "events committed", ours["rate"] * EVENTS, "a second"),
        Row(case, "to the answer, p50", ours["p50_ms"], "ms"),
        Row(case, "to the answer, p99", ours["p99_ms"], "ms", goal="<= 50"),
        Row(case, "CPU a webhook, daemon", ours["daemon_us"], "us", note=f"database {ours['database_us']:.0f} us, applying meanwhile included"),
        Row(case, "CPU an event until it is applied, database", ours["applied_us"], "us", note=f"all were after {ours['applied_s']:.0f} s"),
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
            used = processes.cpu_s(server.pid)
            answer = _post(bench, port, "/", n, connections, key, 1)
            return {**answer, "server_us": (processes.cpu_s(server.pid) - used) * 1e6 / n}
        finally:
            server.send_signal(signal.SIGTERM)


def _stored_alone(bench, n):
    """By one connection; the CPU is the database's."""
    bench.psql(ARRAYS, DATABASE, n=n)
    bench.vacuum(DATABASE)
    script = "\n".join(STORE.format(no=no) for no in range((n + CALL - 1) // CALL))
    used, started = sum(processes.cpu_by_role(bench.cluster.pid).values()), time.monotonic()
    bench.psql("SET plan_cache_mode = force_generic_plan;" + script, DATABASE)
    seconds = time.monotonic() - started
    time.sleep(0.2)     # the backend has ended, and is counted
    used = sum(processes.cpu_by_role(bench.cluster.pid).values()) - used
    bench.psql("DROP TABLE bench_call", DATABASE)
    return {"store_rate": n / seconds, "store_us": used * 1e6 / n}


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
        while bench.psql(WAITING, DATABASE).strip() == "t":
            if time.monotonic() > until:
                raise RuntimeError(f"webhooks: not applied after {APPLIED_SECONDS_MAX} s")
            time.sleep(1)
        ours["applied_s"] = time.monotonic() - started
        ours["applied_us"] = (sum(processes.cpu_by_role(postmaster).values()) - database_s) * 1e6 / (n * events)
    kept = int(bench.psql("SELECT count(*) FROM followup.provider_event", DATABASE))
    if ours["ok"] != n or kept != events * n:
        raise RuntimeError(f"webhooks: {ours['ok']} of {n} answered 200, {kept} of {events * n} events kept")
    return ours
