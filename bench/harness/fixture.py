"""fixture: databases with so many leads, made by bare INSERTs: what start_follow_up would leave, without its time."""

SEQUENCE = """
SELECT followup.import_sequence(id, jsonb_build_object('name', 'Order', 'steps', jsonb_build_array(
           jsonb_build_object('key', 'first', 'kind', 'sequence', 'delay', '0',
                              'subject', 'A follow-up on your order, {{first_name|there}}',
                              'body_text', E'Hi {{first_name|there}},\\n\\n' || repeat('x', 600) || E'\\n\\n{{assistant.name}}\\n'))))
  FROM followup.account
"""

# One account after another gets the next lead, so that neighbours on a page belong to different ones, as in real life.
# Foreign keys and triggers are asleep here; what is written would satisfy them.
LEADS = """
SET session_replication_role = replica;
CREATE TEMP TABLE fill AS
    SELECT g.no, a.id AS account_id, a.sequence_id, a.assistant_id
      FROM generate_series(:first, :first + :n - 1) AS g(no)
      JOIN (SELECT row_number() OVER (ORDER BY a.id) - 1 AS no, a.id, s.id AS sequence_id, p.id AS assistant_id
              FROM followup.account AS a
              JOIN followup.sequence AS s ON s.account_id = a.id
              JOIN followup.assistant AS p ON p.account_id = a.id
             WHERE a.name LIKE :'accounts') AS a
        ON a.no = g.no % (SELECT count(*) FROM followup.account WHERE name LIKE :'accounts');
INSERT INTO followup.lead (account_id, id, email, first_name, state, sub_state, sequence_id, assistant_id)
SELECT account_id, no, 'user' || no || '@customer.example', 'User ' || no, :'state', :'sub_state', sequence_id, assistant_id FROM fill;
INSERT INTO followup.conversation (account_id, id, lead_id, sequence_id, version, assistant_id, state,
                                   ended_reason, started_at, ended_at)
SELECT account_id, no, no, sequence_id, 1, assistant_id, CASE WHEN :ended THEN 'ended' ELSE 'active' END::followup.conversation_state,
       CASE WHEN :ended THEN 'completed' END::followup.ended_reason, now() - interval '1 h',
       CASE WHEN :ended THEN now() END FROM fill;
"""
MESSAGES = """
INSERT INTO followup.message (account_id, id, conversation_id, lead_id, kind, version, position, step_key, due_at, state,
                              sent_at, planned_reason, base_at, delay, delay_unit)
SELECT account_id, no, no, no, 'sequence', 1, 1, 'first', :due, CASE WHEN :ended THEN 'sent' ELSE 'scheduled' END::followup.message_state,
       CASE WHEN :ended THEN now() END, 'start', now(), '0', 'elapsed' FROM fill;
"""
COUNTERS = """
SELECT setval(pg_get_serial_sequence('followup.' || t, 'id'), :first + :n) FROM unnest(ARRAY['lead', 'conversation', 'message']) AS t;
"""


def create(bench, database, accounts):
    """A new database with the schema and {name: number} accounts, each with an assistant and a one-step sequence."""
    bench.cluster.dropdb(database)
    bench.psql(f'CREATE DATABASE {database} ENCODING UTF8 TEMPLATE template0')
    bench.command([bench.release / "bin/followupctl", "migrate", "--conninfo", bench.cluster.conninfo(database)])
    for name, number in accounts.items():
        bench.psql(f"SELECT followup.add_account('{name} ' || g, p_postal_address => 'Street 1') FROM generate_series(1, {number}) AS g", database)
    bench.psql("SELECT followup.add_assistant(id, 'Ada', 'ada@shop.example') FROM followup.account;" + SEQUENCE, database)


def fill(bench, database, accounts, first, n, due="now() + interval '2 days'", state="active", leads=True):
    """n leads in the accounts of that name, each with a conversation and a message: scheduled at `due` (SQL; `no` counts
    from first), or sent when state is processed. leads=False: messages alone, which is all that a load reads."""
    ended = state == "processed"
    script = LEADS if leads else LEADS.split("INSERT INTO")[0]
    values = {"first": first, "n": n, "accounts": accounts + " %", "due": due, "state": state, "ended": str(ended).lower(),
              "sub_state": "completed" if ended else "sequence"}
    bench.psql(script + MESSAGES + COUNTERS, database, **values)
