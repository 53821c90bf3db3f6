"""view: the demo live in a terminal: 200 leads, some of whom reply, bounce or unsubscribe, redrawn twice a second."""
import datetime as dt
import sys
import time

from stage import ACCOUNT
from story import LEADS, RATE, START, ZONE, sequences, set_up

REDRAW_SECONDS = 0.5
PEOPLE = ("--reply-rate", "0.12", "--bounce-rate", "0.03", "--unsubscribe-rate", "0.03", "--reply-delay-ms", "500-8000")

COUNTS = """
SELECT count(*) FILTER (WHERE state IN ('sent', 'delivered', 'bounced', 'complained')) AS sent,
       count(*) FILTER (WHERE state = 'scheduled') AS scheduled,
       count(*) FILTER (WHERE state IN ('sending', 'in_doubt')) AS in_flight,
       (SELECT count(*) FROM followup.reply) AS replies,
       (SELECT count(*) FROM followup.lead WHERE sub_state IN ('BounceDeactivated', 'CannotDetermine')) AS bounces,
       (SELECT count(*) FROM followup.lead WHERE state = 'unsubscribed') AS unsubscribes
  FROM followup.message"""
NEXT = """
SELECT m.due_at, l.email, m.kind::text, m.step_key
  FROM followup.message AS m JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
 WHERE m.state = 'scheduled' ORDER BY m.due_at, m.id LIMIT 8"""


def lateness_ms(stage):
    """Real lateness of what left so far, oldest first, from the ledger's own clock."""
    origin_business = dt.datetime.fromisoformat(stage.origin["business"]).timestamp()
    origin_real = dt.datetime.fromisoformat(stage.origin["real"]).timestamp()
    return sorted((line["at_us"] / 1e6 - origin_real - (line["due_ms"] / 1e3 - origin_business) / stage.origin["rate"]) * 1e3
                  for line in stage.ledger())


def share(values, part):
    return values[min(len(values) - 1, int(part * len(values)))] if values else 0.0


def draw(stage):
    sent, scheduled, in_flight, replies, bounces, unsubscribes = stage.database.execute(COUNTS).fetchone()
    late = lateness_ms(stage)
    lines = [
        f"followupd demo    {stage.now().astimezone(ZONE):%A %d %B %H:%M} in Berlin    an hour passes in a second    Ctrl-C ends it",
        "",
        f"  sent      {sent:>6}      in flight  {in_flight:>6}      scheduled    {scheduled:>6}",
        f"  replies   {replies:>6}      bounces    {bounces:>6}      unsubscribed {unsubscribes:>6}",
        f"  lateness in real time: p50 {share(late, 0.5):.1f} ms   p99 {share(late, 0.99):.1f} ms",
        "",
        "  due next",
    ]
    for due, email, kind, step in stage.database.execute(NEXT).fetchall():
        lines.append(f"    {due.astimezone(ZONE):%a %H:%M:%S}   {kind:<9} {step or '':<16} {email}")
    lines += ["", f"  look inside: psql -h {stage.cluster.socket_folder} -U postgres followupd",
              f"               tail -f {stage.log_path}"]
    return lines, scheduled + in_flight


def run(stage):
    """Until everything has left, or Ctrl-C."""
    set_up(stage)
    stage.start_sandbox("--conninfo", stage.cluster.conninfo("followupd"), "--account", ACCOUNT, *PEOPLE)
    stage.clock_starts(START, RATE)
    stage.start_daemon()
    stage.ctl("lead", "import", LEADS, "--account", ACCOUNT, "--sequence", sequences()["welcome"]["name"], "--assistant", "Ada")
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
