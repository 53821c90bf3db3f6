"""peer: one worker through one case. Whoever answers setup, enqueue, work and sent can be measured (bench/README.md).

The figures are the receiver's: jobs/s = messages / (last arrival - first due), lateness = arrival - due. CPU counts from
the first due time until half a second after the last arrival, so that what is recorded late is in it, for every side alike.
"""

import json
import os
import signal
import subprocess
import time

import processes
from cluster import die_with_parent

STOP_SECONDS_MAX = 35
RECORD_SECONDS = 0.5


class PeerError(Exception):
    """It could not be measured, or what it did does not add up."""


def measure(name, command, env, cluster, provider, log, limit_s=120):
    """Runs setup, enqueue and work; answers a dict. Raises PeerError unless every message arrived exactly once, none
    early, and each one that arrived is recorded."""
    n, rate = int(env["N"]), int(env["RATE"])
    env = {**os.environ, **env, "PEER_PROVIDER": provider.url}
    t0 = _enqueue(name, command, env, cluster, provider, log)
    worker = subprocess.Popen([*command, "work"], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              preexec_fn=die_with_parent(signal.SIGKILL, os.getpid()))
    try:
        time.sleep(max(0, t0 - time.time()))
        before = _sample(worker, cluster, provider)
        _wait_for_all(worker, provider, n, limit_s, name)
        time.sleep(RECORD_SECONDS)
        after = _sample(worker, cluster, provider)
        rss = processes.memory_bytes(worker.pid, "VmHWM")
        stats = provider.stats()
        committed = _settled(command, env, log, n)
    finally:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
    for what, is_, should in (("arrived", stats["total"], n), ("arrived twice", stats["duplicates"], 0),
                              ("came early", stats["early"], 0), ("without an id", stats["no_id"], 0),
                              ("recorded as sent", committed["sent"], n), ("unfinished", committed["unfinished"], 0)):
        if is_ != should:
            raise PeerError(f"{name}: {is_} messages {what}, not {should}")
    spread_ms, asked_ms = stats["max_due_ms"] - stats["min_due_ms"], (n - 1) * 1000 / rate if rate else 0
    if abs(spread_ms - asked_ms) > 1000 / (rate or 1000):
        raise PeerError(f"{name}: the due times are spread over {spread_ms:.0f} ms, not {asked_ms:.0f} ms")
    wall_s = after["at"] - before["at"]
    used = {role: after["roles"].get(role, 0) - before["roles"].get(role, 0) for role in after["roles"]}
    worker_s, provider_s = after["worker"] - before["worker"], after["provider"] - before["provider"]
    store_s = sum(used.values())
    foreign = after["busy"] - before["busy"] - worker_s - store_s - provider_s - (after["own"] - before["own"])
    return {
        "name": name, "n": n, "rate_asked": rate, "jobs_per_s": n / ((stats["last_ms"] - stats["min_due_ms"]) / 1000),
        "late_ms": {"p50": stats["late_p50"], "p99": stats["late_p99"], "max": stats["late_max"]},
        "us_worker": worker_s * 1e6 / n, "us_store": store_s * 1e6 / n, "us": (worker_s + store_s) * 1e6 / n,
        "us_store_by_role": {role: seconds * 1e6 / n for role, seconds in used.items() if seconds >= 0.01},
        "us_provider": provider_s * 1e6 / n, "rss_bytes": rss, "body_bytes": stats["body_bytes"],
        "foreign_cores": max(0, foreign / wall_s), "committed": committed,
    }


def _enqueue(name, command, env, cluster, provider, log):
    """Sets up and enqueues; answers the first due time, unix seconds, which is still ahead. A slow machine gets one more try
    with three times the lead."""
    for lead_s in (float(env["LEAD"]), 3 * float(env["LEAD"])):
        env = {**env, "LEAD": f"{lead_s:g}"}
        _verb(command, "setup", env, log)
        provider.reset()
        t0 = _verb(command, "enqueue", env, log)["t0_ms"] / 1000
        _rest(cluster)
        if time.time() < t0 - 2:
            return t0
    raise PeerError(f"{name}: {env['N']} messages were not enqueued {lead_s:.0f} s ahead")


def _rest(cluster):
    """What time would have done in a real system: every table vacuumed and known to the planner, a checkpoint behind us."""
    names = cluster.psql("-c", "SELECT datname FROM pg_database WHERE datallowconn AND datname <> 'template1'").split()
    for name in names:
        cluster.psql("-c", "VACUUM (ANALYZE)", dbname=name)
    cluster.psql("-c", "CHECKPOINT")


def _verb(command, verb, env, log):
    done = subprocess.run([*command, verb], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
                          timeout=600, check=False)
    if done.returncode != 0:
        raise PeerError(f"{' '.join(command)} {verb} exited {done.returncode}; its complaint is in {log.name}")
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else None


def _sample(worker, cluster, provider):
    roles = processes.cpu_by_role(cluster.pid)
    return {"at": time.monotonic(), "worker": processes.cpu_s(worker.pid), "roles": roles,
            "provider": processes.cpu_s(provider.pid), "busy": processes.machine_busy_s(), "own": processes.own_cpu_s()}


def _wait_for_all(worker, provider, n, limit_s, name):
    deadline = time.monotonic() + limit_s
    while (arrived := provider.count()) < n:
        if worker.poll() is not None:
            raise PeerError(f"{name}: the worker ended with status {worker.returncode} after {arrived} of {n} messages")
        if time.monotonic() > deadline:
            raise PeerError(f"{name}: {arrived} of {n} messages arrived within {limit_s} s")
        time.sleep(0.1)


def _settled(command, env, log, n):
    """What is committed, asked again for ten seconds while it is less than what arrived."""
    for _ in range(20):
        committed = _verb(command, "sent", env, log)
        if committed["sent"] >= n and committed["unfinished"] == 0:
            break
        time.sleep(0.5)
    return committed
