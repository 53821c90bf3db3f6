"""world: a sales team in a database, made by plain SQL as somebody with psql would: accounts, an assistant, a sequence,
leads. The actions are followup's own functions.

    world = World(database)
    account = world.account(steps=[("sequence", "0"), ("sequence", "10 days"), ("follow_up", "0")])
    leads = world.leads(account, 200)
    world.act("start_follow_up", account, leads)
"""

import datetime as dt

MAIN_SEQUENCE = "SELECT s.id FROM followup.sequence AS s WHERE s.account_id = account AND s.name = 'Main'"
ACTION_ROW = ("lead_id", "done", "reason", "message_id", "due_at", "in_flight")


class World:
    def __init__(self, database):
        self.database = database

    def account(self, name="Acme", steps=(("sequence", "0"),), **columns):
        """An account with an assistant and a sequence of these (kind, delay); the account's id."""
        return self.accounts(1, name, steps, **{"reply_rules_at": dt.datetime.now(dt.UTC), **columns})[0]

    def accounts(self, count, name="Acme", steps=(("sequence", "0"),), **columns):
        """Many of them, alike but for their names; without rules for replies, whose patterns are most of an account's cost."""
        columns = {"reply_rules_at": None, **columns}
        extra = "".join(f", {column}" for column in columns)
        values = "".join(", %s" for _ in columns)
        ids = [row[0] for row in self.database.rows(
            f"INSERT INTO followup.account (name, postal_address{extra}) "
            f"SELECT %s || ' ' || n, '1 Main Street'{values} FROM generate_series(1, %s) AS n RETURNING id",
            name, *columns.values(), count)]
        self.database.rows("INSERT INTO followup.assistant (account_id, name, from_address) "
                           "SELECT id, 'Ada', 'ada@acme.example' FROM unnest(%s::bigint[]) AS id", ids)
        self.database.rows(
            "WITH s AS (INSERT INTO followup.sequence (account_id, name) SELECT id, 'Main' FROM unnest(%s::bigint[]) AS id"
            " RETURNING account_id, id) "
            "INSERT INTO followup.sequence_version (account_id, sequence_id, version) SELECT account_id, id, 1 FROM s", ids)
        positions = {}
        for kind, delay in steps:
            position = positions[kind] = positions.get(kind, 0) + 1
            self.database.rows(
                "INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text)"
                " SELECT account_id, sequence_id, 1, %s, %s, %s, %s, %s, 'Hello {{first_name|there}}'"
                " FROM followup.sequence_version WHERE account_id = ANY (%s)",
                kind, position, f"{kind}-{position}", delay, f"{kind} {position}", ids)
        return ids

    def leads(self, account, count=1, **columns):
        return self.leads_each([account], count, **columns)

    def leads_each(self, accounts, count, **columns):
        """So many leads in each account; their ids."""
        extra = "".join(f", {column}" for column in columns)
        values = "".join(", %s" for _ in columns)
        return [row[0] for row in self.database.rows(
            f"INSERT INTO followup.lead (account_id, email, first_name{extra}) "
            f"SELECT a, 'lead' || n || '@account' || a || '.example', 'Lead ' || n{values} "
            "FROM unnest(%s::bigint[]) AS a, generate_series(1, %s) AS n RETURNING id",
            *columns.values(), accounts, count)]

    def act(self, function, account, leads, at=None, note=None):
        """An action on leads of one account: a dictionary a lead."""
        sequence = f", p_sequence => ({MAIN_SEQUENCE})" if function == "start_follow_up" else ""
        rows = self.database.rows(
            f"SELECT {', '.join(ACTION_ROW)} FROM (SELECT %s::bigint AS account) AS a, followup.{function}"
            f"(p_account => account, p_leads => %s::bigint[], p_at => %s, p_note => %s{sequence})", account, list(leads), at,
            note)
        return [dict(zip(ACTION_ROW, row)) for row in rows]

    def start_everywhere(self, accounts, at=None):
        """All leads of these accounts, from their first message."""
        self.database.rows(
            "SELECT (SELECT count(*) FROM followup.start_follow_up(p_account => account, p_at => %s, p_leads => "
            f"array(SELECT id FROM followup.lead WHERE account_id = account), p_sequence => ({MAIN_SEQUENCE})))"
            " FROM unnest(%s::bigint[]) AS account", at, accounts)

    def messages(self, **match):
        """Rows of followup.message as dictionaries, oldest id first; with arguments only those that equal them."""
        columns = ("account_id", "id", "lead_id", "conversation_id", "kind", "position", "due_at", "state", "detached",
                   "attempts", "posts", "detail")
        where = " AND ".join(f"{column} = %s" for column in match) or "true"
        rows = self.database.rows(f"SELECT {', '.join(columns)} FROM followup.message WHERE {where} ORDER BY id",
                                  *match.values())
        return [dict(zip(columns, row)) for row in rows]

    def count(self, **match):
        return len(self.messages(**match))


def message_id(entry):
    """m-17 of a ledger line -> 17."""
    return int(entry["message_id"].removeprefix("m-"))


def twice(ledger):
    """Message ids that the ledger holds more than once."""
    seen, again = set(), set()
    for entry in ledger:
        (again if entry["message_id"] in seen else seen).add(entry["message_id"])
    return again
