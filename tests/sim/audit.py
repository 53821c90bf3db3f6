"""audit: reads the simulation's journal (journal.h) and judges the promise. It shares no code with the simulation or with
followupd, and believes two kinds of lines only: what people asked for, and what the provider took.

    sim --seeds 1..1000 --journal - | python3 audit.py

No message is lost, none is sent twice, none is begun after a stop or in a pause, none is early, none is begun by a worker
that has lost its lease; what was in flight at a stop has begun by then or begins at once. Exit status 1, with the seed
and the message, when one is. Where a provider neither honours keys nor can be asked, a message that was named as in doubt may
be lost (policies hold and assume_sent) or sent twice (resend), as the customer chose.
"""
import sys

# Two seconds after its claim, or it is given back, and the second that its connection may take; so what a stop lists as in flight
# begins by then, or never
BEGIN_WITHIN_US = 3_000_000
LOOK_BACK_US = 12_000_000  # a due time that was in force so long before the first byte counts: claim, 2 s, a slow clock


class Run:
    """One seed."""

    def __init__(self, words):
        self.seed, self.settles, self.policy = words[0], words[1] in ("keys", "look_up"), words[2]
        self.conversation, self.account = {}, {}
        self.dues = {}  # message -> [(since, due)]
        self.accepts = {}  # message -> [(key, begun)]
        self.stops = {}  # conversation -> (at, in flight)
        self.pauses = {}  # account -> [[from, until, in flight]]
        self.owners = {}  # account -> [(since, worker)]
        self.doubts, self.refused = set(), set()
        self.clock = [(-1, 0)]
        self.faults = []

    def fault(self, message, text):
        self.faults.append(f"seed {self.seed}: message {message} {text}")

    def line(self, kind, w):
        if kind == "plan":
            self.conversation[w[0]], self.account[w[0]] = w[1], w[2]
            self.dues[w[0]] = [(int(w[4]), int(w[3]))]
        elif kind == "move":
            self.dues[w[0]].append((int(w[2]), int(w[1])))
        elif kind == "stop":
            self.stops[w[0]] = (int(w[1]), set(w[2:]))
        elif kind == "pause":
            self.pauses.setdefault(w[0], []).append([int(w[1]), None, set(w[2:])])
        elif kind == "resume":
            self.pauses[w[0]][-1][1] = int(w[1])
        elif kind == "clock":
            self.clock.append((int(w[1]), int(w[0])))
        elif kind == "owner":
            self.owners.setdefault(w[0], []).append((int(w[2]), w[1]))
        elif kind == "accept":
            self.accepts.setdefault(w[0], []).append((w[1], int(w[2]), w[4]))
        elif kind == "doubt":
            self.doubts.add(w[0])
        elif kind == "refuse":
            self.refused.add(w[0])
        elif kind == "over":
            self.judge()
        elif kind != "quiet":
            raise ValueError(f"a line of kind {kind}")

    def may_be_uncertain(self, message):
        return not self.settles and message in self.doubts

    def judge(self):
        for message, accepts in self.accepts.items():
            if message not in self.dues:
                self.fault(message, "was sent and never planned")
                continue
            if len(accepts) > 1 and not (self.policy == "resend" and self.may_be_uncertain(message)):
                self.fault(message, f"was sent {len(accepts)} times: {accepts}")
            for _, begun, worker in accepts:
                self.judge_begun(message, begun)
                self.judge_worker(message, begun, worker)
        for message, conversation in self.conversation.items():
            if message in self.accepts or message in self.refused or conversation in self.stops:
                continue
            if self.policy != "resend" and self.may_be_uncertain(message):
                continue
            self.fault(message, "was never sent")

    def judge_begun(self, message, begun):
        conversation, account = self.conversation[message], self.account[message]
        if conversation in self.stops:
            self.judge_forbidden(message, begun, *self.stops[conversation], f"the stop of conversation {conversation}")
        for since, until, in_flight in self.pauses.get(account, ()):
            if until is None or begun < until:
                self.judge_forbidden(message, begun, since, in_flight, f"the pause of account {account}")
        ahead = max(in_force(self.clock, begun - LOOK_BACK_US, begun))
        earliest = min(in_force(self.dues[message], begun - LOOK_BACK_US, begun))
        if begun + ahead < earliest:
            self.fault(message, f"was begun {earliest - begun - ahead} us early")

    def judge_forbidden(self, message, begun, since, in_flight, what):
        if begun > since and message not in in_flight:
            self.fault(message, f"was begun {begun - since} us after {what}")
        elif begun > since + BEGIN_WITHIN_US:
            self.fault(message, f"was in flight at {what} and begun {begun - since} us after it")

    def judge_worker(self, message, begun, worker):
        """Whoever begins a POST owns its account at that moment; unless the clock that leases run out by has just jumped."""
        if len(set(in_force(self.clock, begun - LOOK_BACK_US, begun))) > 1:
            return
        owner = in_force(self.owners[self.account[message]], begun, begun)[-1]
        if owner != worker:
            self.fault(message, f"was begun by worker {worker} when its account was worker {owner}'s")


def in_force(changes, since, until):
    """The values of [(from, value)], ascending, that were in force at some time in the interval."""
    values = [value for at, value in changes if since < at <= until]
    before = [value for at, value in changes if at <= since]
    return before[-1:] + values or [changes[0][1]]


def main():
    run, runs, sent, faults = None, 0, 0, []
    for line in sys.stdin:
        kind, *words = line.split()
        if kind == "seed":
            run = Run(words)
            continue
        run.line(kind, words)
        if kind == "over":
            runs += 1
            sent += sum(map(len, run.accepts.values()))
            faults += run.faults
    for fault in faults[:20]:
        print(fault)
    print(f"{runs} runs, {sent} mails, {len(faults)} faults")
    return 1 if faults or runs == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
