-- Every pair of message states, allowed or refused, and due times that may not change.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1);
\o
CREATE TABLE t.pair AS
SELECT f.state AS f, n.state AS n,
       (f.state::text, n.state::text) IN (
           ('scheduled', 'sending'), ('scheduled', 'cancelled'), ('scheduled', 'failed'),
           ('sending', 'sent'), ('sending', 'scheduled'), ('sending', 'in_doubt'), ('sending', 'failed'), ('sending', 'cancelled'),
           ('sending', 'delivered'), ('sending', 'bounced'), ('sending', 'complained'),
           ('in_doubt', 'sending'), ('in_doubt', 'sent'), ('in_doubt', 'delivered'), ('in_doubt', 'bounced'),
           ('in_doubt', 'complained'), ('in_doubt', 'scheduled'), ('in_doubt', 'failed'), ('in_doubt', 'cancelled'),
           ('sent', 'delivered'), ('sent', 'bounced'), ('sent', 'complained'), ('sent', 'failed'),
           ('delivered', 'bounced'), ('delivered', 'complained'), ('bounced', 'complained')) AS allowed
  FROM unnest(enum_range(NULL::followup.message_state)) AS f(state), unnest(enum_range(NULL::followup.message_state)) AS n(state)
 WHERE f.state <> n.state;
SELECT plan(72 + 4 + 5);
-- An alert, straight into the state.
CREATE FUNCTION t.in_state(p_state followup.message_state) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO followup.message (account_id, kind, recipient, due_at, state, claimed_by, epoch, claimed_at)
    VALUES (1, 'alert', 'a@b.example', now(), p_state, t.me(), 1, now()) RETURNING id $$;
SELECT CASE WHEN allowed
            THEN lives_ok(format('SELECT t.set(1, t.in_state(%L), $s$state = %L$s$)', f, n), f || ' may become ' || n)
            ELSE throws_ok(format('SELECT t.set(1, t.in_state(%L), $s$state = %L$s$)', f, n), '23514', NULL, f || ' never becomes ' || n) END
  FROM t.pair ORDER BY f, n;
SELECT lives_ok(format('SELECT t.set(1, t.in_state(''scheduled''), ''attempts = 1''); UPDATE followup.message SET state = %L WHERE state = ''scheduled'' AND attempts = 1', n),
                'scheduled with a key that was used may become ' || n) FROM unnest(ARRAY['sent', 'delivered', 'bounced', 'complained']) AS n;
SELECT lives_ok('SELECT t.set(1, t.in_state(''scheduled''), ''due_at = due_at + interval ''''1 h'''''')', 'a scheduled message may move');
SELECT throws_ok('SELECT t.set(1, t.in_state(''sending''), ''due_at = due_at + interval ''''1 h'''''')', '23514', NULL, 'one that is sending may not');
SELECT throws_ok('SELECT t.set(1, t.in_state(''sent''), ''due_at = due_at + interval ''''1 h'''''')', '23514', NULL, 'one that was sent may not');
SELECT lives_ok('SELECT t.set(1, t.in_state(''sent''), ''due_at = due_at, detail = ''''x'''''')', 'the same due time is no change');
SELECT throws_like('SELECT t.set(1, t.in_state(''sent''), ''state = ''''scheduled'''''')', 'message % of account 1 cannot go from sent to scheduled', 'the refusal names message, account and states');
SELECT * FROM finish();
