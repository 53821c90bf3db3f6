-- What is in doubt at a provider that can be asked about it.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT plan(20);
-- A message that is in doubt, posted p_age ago.
CREATE FUNCTION t.doubt(p_account bigint, p_name text, p_age interval = '1 hour') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_message bigint := t.lead(p_account, p_name);
BEGIN
    PERFORM t.verdict(p_account, v_message);
    PERFORM t.record(p_account, v_message, 'in_doubt');
    PERFORM t.set(p_account, v_message, format('claimed_at = claimed_at - %L::interval', p_age));
    RETURN v_message;
END $$;
CREATE FUNCTION t.ask(p_providers text[] = '{sandbox}', p_after_ms bigint = 1000) RETURNS SETOF bigint LANGUAGE sql AS $$
    SELECT message_id FROM followup.claim_look_ups(t.me(), t.shards(), t.epochs(), p_providers, p_after_ms, 'sandbox', 100) $$;
CREATE FUNCTION t.answer(p_account bigint, p_message bigint, p_found boolean, p_proof_ms bigint = 1800000,
                         p_provider_id text = NULL, p_attempts integer = 1, p_posts integer = 1) RETURNS SETOF bigint LANGUAGE sql AS $$
    SELECT message_id FROM followup.settle_looked_up(t.me(), t.shards(), t.epochs(), ARRAY[p_account], ARRAY[p_message], ARRAY[p_attempts],
        ARRAY[p_posts], ARRAY[p_found], ARRAY[p_proof_ms], ARRAY[p_provider_id]) $$;

SELECT is_empty('SELECT t.ask()', 'nothing is in doubt');
SELECT t.doubt(1, 'ann') AS ann, t.doubt(1, 'bob') AS bob, t.doubt(1, 'cy', '10 minutes') AS cy \gset
SELECT is_empty($$ SELECT t.ask('{other}') $$, 'a provider that is not asked has none');
SELECT is_empty($$ SELECT t.ask(p_after_ms => 7200000) $$, 'nor is asked too soon after the POST');
SELECT set_eq('SELECT t.ask()', format('VALUES (%s::bigint), (%s), (%s)', :ann, :bob, :cy), 'each is asked about');
SELECT is_empty('SELECT t.ask()', 'and not at once again');
UPDATE followup.look_up SET looked_up_at = looked_up_at - '1500 ms'::interval;
SELECT is_empty('SELECT t.ask()', 'the wait doubles with each look');
UPDATE followup.look_up SET looked_up_at = looked_up_at - '1 second'::interval;
SELECT is(count(*), 3::bigint, 'then again') FROM t.ask();

-- found
\o /dev/null
CREATE TABLE t.due AS SELECT t.answer(1, :ann, true, p_provider_id => 'u-1') AS id;
\o
SELECT results_eq('SELECT id FROM t.due',
    format('SELECT id FROM followup.message WHERE account_id = 1 AND conversation_id = %s AND state = ''scheduled''', (SELECT (t.conversation_of(1, :ann)).id)),
    'found: what comes next is due');
SELECT is((state::text, provider_message_id, detail), ('sent'::text, 'u-1'::text, 'was in doubt; the provider has it'::text), 'it was sent')
  FROM followup.message WHERE account_id = 1 AND id = :ann;

-- not found
SELECT is_empty(format('SELECT t.answer(1, %s, false)', :cy), 'an empty answer ten minutes after the POST proves nothing');
SELECT is(t.state(1, :cy), 'in_doubt', 'it stays in doubt');
SELECT is_empty(format('SELECT t.answer(1, %s, false, 0)', :bob), 'nor does one of a provider that proves nothing');
SELECT is_empty(format('SELECT t.answer(1, %s, false, p_posts => 2)', :bob), 'nor one about another POST');
SELECT is_empty(format('SELECT t.answer(1, %s, true, p_attempts => 2)', :bob), 'nor one about another key');
SELECT results_eq(format('SELECT t.answer(1, %s, false)', :bob), format('VALUES (%s::bigint)', :bob), 'an hour after it, it was not sent, and is due');
SELECT is((attempts, posts), (2, 1), 'with a new key') FROM t.claim(1, :bob);

-- nobody is to be written to
SELECT t.doubt(2, 'dee') AS dee, t.doubt(2, 'eve') AS eve \gset
\o /dev/null
SELECT followup.stop_messaging(2, ARRAY[t.lead_of(2, :dee), t.lead_of(2, :eve)]);
SELECT t.ask();
\o
SELECT is_empty(format('SELECT t.answer(2, %s, false) UNION ALL SELECT t.answer(2, %s, true)', :dee, :eve), 'stopped: nothing is due');
SELECT is((t.state(2, :dee), t.state(2, :eve)), ('cancelled'::text, 'sent'::text), 'what was not sent never is, what was sent is known');
SELECT is_empty(format('SELECT t.answer(2, %s, true)', :dee), 'and an answer that comes again changes nothing');

-- an alert goes to somebody else than its lead
SELECT t.alert(2) AS alert, t.lead(2, 'fay') AS fay \gset
\o /dev/null
INSERT INTO followup.suppression (account_id, address, reason, source) VALUES (2, 'fay@people.example', 'test', 'test');
UPDATE followup.message SET lead_id = t.lead_of(2, :fay) WHERE id = :alert;
SELECT t.verdict(2, :alert);
SELECT t.record(2, :alert, 'in_doubt');
SELECT t.set(2, :alert, 'claimed_at = claimed_at - ''1 hour''::interval');
SELECT t.ask();
\o
SELECT results_eq(format('SELECT t.answer(2, %s, false)', :alert), format('VALUES (%s::bigint)', :alert), 'that its lead is suppressed does not end it');
SELECT * FROM finish();
