"""view: the demo live in a terminal: 200 leads, some of whom reply, bounce, complain or unsubscribe, redrawn twice a second."""
import datetime as dt
import sys
import time

from stage import ACCOUNT, PROVIDERS
from story import CAPPED, LEADS, RATE, START, ZONE, Cast, set_up, start

REDRAW_SECONDS = 0.5
PEOPLE = ("--reply-rate", "0.12", "--bounce-rate", "0.02", "--unsubscribe-rate", "0.02", "--complaint-rate", "0.01",
          "--reply-delay-ms", "500-8000")
KINDS = ("delivered", "bounced", "complained", "unsubscribed", "replied")

SENT = """
SELECT coalesce(m.provider, 'generic'), count(*) FILTER (WHERE m.sent_at IS NOT NULL),
       count(*) FILTER (WHERE m.state IN ('sending', 'in_doubt')), count(*) FILTER (WHERE m.state = 'scheduled')
  FROM followup.message AS m GROUP BY 1"""
EVENTS = "SELECT provider, kind::text, count(*) FROM followup.provider_event WHERE applied_at IS NOT NULL GROUP BY 1, 2"
DUE = "SELECT 'm-' || id, due_at FROM followup.message WHERE sent_at IS NOT NULL"
NEXT = """
SELECT m.due_at, l.email, m.kind::text, m.step_key
  FROM followup.message AS m JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
 WHERE m.state = 'scheduled' ORDER BY m.due_at, m.id LIMIT 3"""
CAME = """
SELECT e.provider, e.kind::text, l.email, concat_ws(', ', l.state, l.sub_state)
  FROM followup.provider_event AS e
  JOIN followup.message AS m ON m.account_id = e.account_id AND m.id = e.message_id
  JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
 WHERE e.applied_at IS NOT NULL AND e.kind IN ('bounced', 'complained', 'unsubscribed', 'replied')
 ORDER BY e.applied_at DESC LIMIT 4"""


def lateness_ms(stage):
    """Real lateness of what left so far, sorted: when the ledger says it arrived, less when it was due."""
    origin_business, origin_real = (dt.datetime.fromisoformat(stage.origin[key]).timestamp() for key in ("business", "real"))
    due = {message: at.timestamp() for message, at in stage.database.execute(DUE).fetchall()}
    return sorted((line["at_us"] / 1e6 - origin_real - (due[line["message_id"]] - origin_business) / stage.origin["rate"]) * 1e3
                  for line in stage.ledger() if line["message_id"] in due)


def share(values, part):
    return values[min(len(values) - 1, int(part * len(values)))] if values else 0.0


def draw(stage):
    """Fits into 24 lines."""
    query = stage.database.execute
    sent = {provider: counts for provider, *counts in query(SENT).fetchall()}
    events = {(provider, kind): count for provider, kind, count in query(EVENTS).fetchall()}
    late = lateness_ms(stage)
    lines = [
        f"followupd demo    {stage.now().astimezone(ZONE):%A %d %B %H:%M} in Berlin    an hour passes in a second    Ctrl-C ends it",
        "",
        f"  {'through':<10}{'sent':>6}" + "".join(f"{kind:>14}" for kind in KINDS),
    ]
    for provider in [*PROVIDERS, "generic"]:
        told = "".join(f"{events.get((provider, kind), 0) or '-':>14}" for kind in KINDS)
        lines.append(f"  {provider:<10}{sent.get(provider, [0])[0]:>6}{told}")
    scheduled, in_flight = (sum(counts[place] for counts in sent.values()) for place in (2, 1))
    lines += [
        "",
        f"  scheduled {scheduled}   in flight {in_flight}   lateness in real time: p50 {share(late, 0.5):.1f} ms   p99 {share(late, 0.99):.1f} ms",
        "  due next",
    ]
    for due, email, kind, step in query(NEXT).fetchall():
        lines.append(f"    {due.astimezone(ZONE):%a %H:%M:%S}   {kind:<9} {step or '':<16} {email}")
    lines += ["  came in, by signed webhook or as a mail"]
    for provider, kind, email, state in query(CAME).fetchall():
        lines.append(f"    {provider:<10} {kind:<13} {email}: now {state}")
    lines += [f"  look inside: psql -h {stage.cluster.socket_folder} -U postgres followupd",
              f"               tail -f {stage.log_path}"]
    return lines, scheduled + in_flight


def run(stage):
    """Until everything has left, or Ctrl-C."""
    set_up(stage)
    stage.ctl("lead", "import", LEADS, "--account", ACCOUNT)
    stage.start_sandbox(*PEOPLE)
    stage.clock_starts(START, 1)    # until everybody is started
    cast = Cast()
    start(stage, cast, cast.groups["everyone"])
    stage.ctl("start", "--account", ACCOUNT, "--yes", len(cast.groups["invited"]), "--assistant", CAPPED, "--sequence", "Invitation",
              *cast.groups["invited"])
    stage.clock_starts(START, RATE)
    stage.start_daemon()
    terminal = sys.stdout.isatty()
    try:
        while True:
            lines, pending = draw(stage)
            if terminal:
                sys.stdout.write("\x1b[H\x1b[J")
            print("\n".join(lines), flush=True)
            if pending == 0:
                print("\n  everything has left")
                return 0
            time.sleep(REDRAW_SECONDS if terminal else 10)
    except KeyboardInterrupt:
        print("\n  ending; nothing is left running")
        return 0
