"""fleet: many accounts under load while workers die, and the judge of what came of it.

    sandbox = sandbox_factory(args=SANDBOX_ARGS)
    fleet = Fleet(database, sandbox, accounts=24)
    fleet.configure(daemon, "keys")
    fleet.send(leads_each=4)                       # messages of so many new leads in every account, due at once
    stops = fleet.stop_some(8, within_s=1.0)       # meanwhile; stops.result() waits for them
    fleet.settle("keys")
    fleet.judge("keys")                            # all that was sent since the last judgement

A third of the accounts has each policy for what is in doubt (hold, resend, assume_sent); two send by a provider
so narrow that messages have to be given back. The class of the provider is the daemons' configuration:

    keys      it honours a key as long as anybody could want, so every doubt is settled by the same key
    look_up   it honours none and can be asked; its pages are LAG_MS late. Postmark, and Mailgun for who sends by `narrow`
    neither   it honours none and nothing can be looked up: the account's policy decides

The judge reads the sandbox's ledger and what an action answered. From followup's tables it takes only which message is
whose and what it says of it.
"""

import collections
import concurrent.futures
import random
import threading
import time

from processes import wait_until
from world import MAIN_SEQUENCE, World

CLASSES = ("keys", "look_up", "neither")
POLICIES = ("hold", "resend", "assume_sent")
FOUND = "was in doubt; the provider has it"
SETTLE_SECONDS_MAX = 60
ARRIVAL_SECONDS = 0.3  # what a dead worker had handed to the kernel is in the ledger by then
LAG_MS = 300  # a message is in the pages of the provider so long after it was taken
SECRET = "s3cret"
SANDBOX_ARGS = ["--credential", f"postmark={SECRET}", "--credential", f"mailgun={SECRET}", "--look-up-lag-ms", str(LAG_MS)]
STOP = "SELECT done, in_flight FROM followup.stop_messaging(%s, ARRAY[%s::bigint])"


class Fleet:
    def __init__(self, database, sandbox, accounts, narrow=True):
        self.database = database
        self.sandbox = sandbox
        self.world = World(database)
        self.accounts = self.world.accounts(accounts, steps=[("sequence", "0"), ("sequence", "10 days")])
        self.policy = {account: POLICIES[n % 3] for n, account in enumerate(self.accounts)}
        for policy in POLICIES:
            database.rows("UPDATE followup.account SET in_doubt_policy = %s::text::followup.in_doubt_policy WHERE id = ANY (%s)",
                          policy, [account for account in self.accounts if self.policy[account] == policy])
        self.narrow = narrow
        self.narrow_accounts = []
        if narrow:
            self.move_narrow()
        self.generation = 0
        self.messages = {}  # (account, lead): message, since the last judgement
        self.stopped = {}   # message: (done, what the answer listed as in flight, when it was known in us)
        self.repeats = 0    # of keys, as the sandbox counted them so far
        self.totals = collections.Counter()
        self.lock = threading.Lock()

    def configure(self, daemon, kind, policy_after="600ms", look_up_proof="2s"):
        """Makes the providers of a daemon those of that class, from its next start on."""
        if kind == "look_up":
            provider = {"type": "postmark", "url": f"http://{self.sandbox.address}", "key_file": "key", "key_window": None,
                        "look_up_proof": look_up_proof}
        else:
            provider = {"type": "generic", "url": self.sandbox.url, "key_file": None,
                        "key_window": "24h" if kind == "keys" else "0ms", "look_up_proof": None}
        changes = {"engine": {"policy_after": policy_after if kind == "neither" else "24h", "sending_grace": "1s"},
                   "http": {"public_url": "https://follow.example"}, "provider.sandbox": provider}
        if self.narrow:
            changes["provider.narrow"] = {**provider, "rate": "1000/s", "concurrency_max": "3", "timeout": "300ms",
                                          "connect_timeout": "200ms", "domain": None}
            if kind == "look_up":
                changes["provider.narrow"].update(type="mailgun", domain="mg.acme.example")
        daemon.credential("key", SECRET)
        daemon.configure(changes)

    def move_narrow(self):
        """Two other accounts send by the narrow provider from now on: workers have to learn that anew."""
        at = self.accounts.index(self.narrow_accounts[-1]) + 1 if self.narrow_accounts else 0
        self.narrow_accounts = (self.accounts[at:] + self.accounts)[:2]
        self.database.rows("UPDATE followup.account SET provider = CASE WHEN id = ANY (%s) THEN 'narrow' END WHERE id = ANY (%s)",
                           self.narrow_accounts, self.accounts)

    def send(self, leads_each, spread=None, accounts=None):
        """Enrols new leads in all accounts or in these, due at once, or each account's at one instant within the spread."""
        accounts = accounts or self.accounts
        self.generation += 1
        mail = f"g{self.generation}n"
        with self.database.connect() as conn, conn.transaction():
            leads = conn.execute(
                "INSERT INTO followup.lead (account_id, email, first_name) SELECT a, %s || n || '@lead.example', 'Lead ' || n"
                " FROM unnest(%s::bigint[]) AS a, generate_series(1, %s) AS n RETURNING id", (mail, accounts, leads_each))
            ids = [row[0] for row in leads.fetchall()]
            conn.execute(
                "SELECT (SELECT count(*) FROM followup.start_follow_up(p_account => account,"
                " p_at => followup.now() + interval '1 second' + random() * %s::interval, p_sequence => (" + MAIN_SEQUENCE + "), p_leads =>"
                " array(SELECT id FROM followup.lead WHERE account_id = account AND id = ANY (%s))))"
                " FROM unnest(%s::bigint[]) AS account", (spread, ids, accounts))
            made = conn.execute("SELECT account_id, lead_id, id FROM followup.message WHERE lead_id = ANY (%s)", (ids,)).fetchall()
        assert len(made) == len(ids), f"{len(ids)} leads started, {len(made)} messages"
        self.messages.update({(account, lead): message for account, lead, message in made})

    def stop_some(self, count, within_s):
        """Stops so many leads, each at its own instant, in a thread of its own; .result() waits for it."""
        chosen = random.sample(sorted(self.messages), min(count, len(self.messages)))
        pauses = sorted(random.uniform(0, within_s) for _ in chosen)

        def run():
            begin = time.monotonic()
            with self.database.connect() as conn:
                for key, pause in zip(chosen, pauses):
                    time.sleep(max(0.0, begin + pause - time.monotonic()))
                    [(done, in_flight)] = conn.execute(STOP, key).fetchall()
                    with self.lock:
                        self.stopped[self.messages[key]] = (done, in_flight or [], time.time_ns() // 1000)

        pool = concurrent.futures.ThreadPoolExecutor(1)
        future = pool.submit(run)
        pool.shutdown(wait=False)
        return future

    # --- the end of a round -------------------------------------------------------------------------------------------

    def _ids(self):
        return list(self.messages.values())

    def _unsettled(self):
        return self.database.rows("SELECT id, state::text, attempts, posts, detail FROM followup.message WHERE id = ANY (%s)"
                                  " AND state IN ('scheduled', 'sending', 'in_doubt') LIMIT 20", self._ids())

    def settle(self, kind):
        """Waits until nothing is left to do. What only a person can settle is settled as one would: by the provider's log."""
        def left():
            """What the daemon will still do."""
            by_machine = {"keys": "NOT over", "look_up": "true", "neither": "over OR policy <> 'hold'"}[kind]
            return self.database.value(
                "SELECT count(*) FROM (SELECT m.state, m.detached OR c.state = 'ended' AS over, a.in_doubt_policy AS policy"
                " FROM followup.message AS m JOIN followup.account AS a ON a.id = m.account_id"
                " JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id"
                f" WHERE m.id = ANY (%s)) AS m WHERE state IN ('scheduled', 'sending') OR state = 'in_doubt' AND ({by_machine})",
                self._ids())

        while True:
            wait_until(lambda: left() == 0, lambda: f"all are settled: {self._unsettled()}", SETTLE_SECONDS_MAX)
            held = self.database.rows("SELECT account_id, id FROM followup.message WHERE id = ANY (%s) AND state = 'in_doubt'",
                                      self._ids())
            if not held:
                return
            time.sleep(ARRIVAL_SECONDS)
            arrived = self.ledger()
            for account, message in held:
                self.totals["settled by a person"] += 1
                self.database.rows("SELECT followup.settle_in_doubt(%s, %s, %s)", account, message,
                                   "sent" if message in arrived else "not_sent")

    def ledger(self):
        """message: its lines."""
        lines = collections.defaultdict(list)
        for line in self.sandbox.ledger():
            lines[int(line["message_id"].removeprefix("m-"))].append(line)
        return lines

    def judge(self, kind):
        """Nothing lost, nothing twice, nothing after a stop: exactly as the class and the policy promise."""
        lines = self.ledger()
        rows = {row[0]: row for row in self.database.rows(
            "SELECT id, state::text, attempts, coalesce(detail, '') FROM followup.message WHERE id = ANY (%s)", self._ids())}
        if kind == "look_up":
            self.totals["found by look-up"] += sum(detail == FOUND for _, _, _, detail in rows.values())
            self.totals["not known, sent anew"] += sum(attempts - 1 for _, _, attempts, _ in rows.values() if attempts > 1)
        for (account, _), message in self.messages.items():
            problem = self._problem(kind, self.policy[account], rows[message], lines[message])
            assert problem is None, (f"{problem}: class {kind}, policy {self.policy[account]}, {rows[message]},"
                                     f" stop {self.stopped.get(message)}, ledger {lines[message]}")
        stats = self.sandbox.stats()
        repeats = stats["replayed"] + stats["key_reused"] + stats["key_in_use"]
        assert kind == "keys" or repeats == self.repeats, "a key was posted again to a provider that honours none"
        assert self.database.value(
            "SELECT count(*) FROM followup.message AS m JOIN followup.conversation AS c"
            " ON c.account_id = m.account_id AND c.id = m.conversation_id WHERE m.claim_seq > c.stop_seq") == 0, "claimed after a stop"
        self.totals["messages"] += len(self.messages)
        self.totals["stops"] += len(self.stopped)
        self.totals["keys posted again"] += repeats - self.repeats
        self.repeats = repeats
        self.messages, self.stopped = {}, {}

    def _problem(self, kind, policy, row, lines):
        message, state, attempts, detail = row
        if message in self.stopped:
            done, in_flight, known_us = self.stopped[message]
            late = [line for line in lines if line["at_us"] > known_us]
            if late and done and (message not in in_flight or len(late) > 1):
                return "sent after a stop"
        elif state != "sent":
            return "neither sent nor stopped"
        if len({line.get("fu_id") or line["key"] for line in lines}) != len(lines):
            return "one key twice in the ledger"
        if kind != "neither" or policy == "hold":
            if kind == "keys" and attempts > 1:
                return "a second key"
            if len(lines) > 1:
                return "sent twice"
            if state == "sent" and not lines:
                return "lost"
        elif policy == "resend":
            self.totals["twice by policy resend"] += len(lines) > 1
            if len(lines) > attempts:
                return "sent more often than it was scheduled"
            if state == "sent" and not lines:
                return "lost"
        else:
            self.totals["not sent by policy assume_sent"] += state == "sent" and not lines
            if len(lines) > 1:
                return "sent twice"
            if state == "sent" and not lines and not detail.startswith("assumed sent"):
                return "lost"
        return None
