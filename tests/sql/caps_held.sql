-- Somebody has the places under an account's daily caps for long, as an action that is not committed does: what needs them
-- waits, and no other account. What waited would not come back here.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2);
UPDATE followup.assistant SET daily_cap = 50 WHERE account_id = 1;
SELECT t.lead(1, 'ada') AS ada, t.lead(2, 'ben') AS ben, t.lead(1, 'cem') AS cem, t.lead(2, 'dan') AS dan, t.lead(1, 'eva') AS eva, t.lead(2, 'fay') AS fay, t.lead(1, 'gil') AS gil, t.lead(2, 'hal') AS hal \gset
SELECT t.verdict(1, m) FROM unnest(ARRAY[:ada, :cem, :gil]) AS m;
SELECT t.verdict(2, m) FROM unnest(ARRAY[:ben, :dan, :hal]) AS m;
SELECT t.set(m.account_id, m.id, 'state = ''in_doubt'', claimed_at = now() - interval ''2 days''') FROM followup.message AS m WHERE m.id IN (:gil, :hal);
UPDATE followup.account SET late_after = '1 ms', in_doubt_policy = 'assume_sent';
INSERT INTO followup.lead (account_id, email) VALUES (1, 'new@x.example') RETURNING id AS new \gset
SET statement_timeout = '5s';
\o
SELECT plan(9);
-- Of a message of each account
CREATE FUNCTION t.both(p_one bigint, p_two bigint) RETURNS TABLE (account_id bigint, accepted boolean) LANGUAGE sql AS $$
    SELECT r.account_id, r.accepted
      FROM (SELECT array_agg(m.account_id) AS accounts, array_agg(m.id) AS ids, array_agg(m.attempts) AS attempts, array_agg(m.posts) AS posts, array_agg(m.epoch) AS epochs
              FROM followup.message AS m WHERE m.id IN (p_one, p_two)) AS m,
           LATERAL followup.record_results(t.me(), t.shards(), t.epochs(), m.accounts, m.ids, m.attempts, m.posts, m.epochs, '{sent,sent}', '{f,f}', '{200,200}', '{0,0}',
               '{NULL,NULL}', '{NULL,NULL}', ARRAY[now(), now()], ARRAY[now(), now()], '{S,S}', '{T,T}', '{NULL,NULL}') AS r $$;
CREATE FUNCTION t.verdicts(p_one bigint, p_two bigint) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(account_id || ' ' || verdict, ', ' ORDER BY account_id)
      FROM followup.claim_messages(t.me(), t.shards(), t.epochs(), ARRAY[1, 2]::bigint[], ARRAY[p_one, p_two], 'sandbox') $$;
SELECT t.hold(format('FROM followup.start_follow_up(1, ARRAY[%s], 1, 1)', :new)) \g /dev/null
SELECT results_eq(format('SELECT * FROM t.both(%s, %s)', :ada, :ben), $$ VALUES (2::bigint, true) $$, 'a record of two accounts: the other one''s result is written');
SELECT is(t.state(1, :ada) || ' ' || t.state(2, :ben), 'sending sent', 'and its own is to be told again');
SELECT is(t.verdicts(:eva, :fay), '1 busy, 2 moved', 'of two messages that are too late one is planned anew, the other to be asked about again');
SELECT is((SELECT string_agg(u.message_id::text, ' ') FROM followup.unclaim_messages(t.me(), ARRAY[1, 2]::bigint[], ARRAY[:cem, :dan]::bigint[], (SELECT array_agg(epoch ORDER BY account_id) FROM followup.message WHERE id IN (:cem, :dan))) AS u), :'dan', 'what is given back');
SELECT count(*) FROM followup.settle_by_policy(t.me(), t.shards(), t.epochs(), 1000, 10) \g /dev/null
SELECT is(t.state(1, :gil) || ' ' || t.state(2, :hal), 'in_doubt sent', 'what a policy settles');
SELECT t.let_go() \g /dev/null
SELECT results_eq(format('SELECT * FROM t.both(%s, %s)', :ada, :ben), $$ VALUES (1::bigint, true), (2, true) $$, 'told again, it is written');
SELECT count(*) FROM followup.settle_by_policy(t.me(), t.shards(), t.epochs(), 1000, 10) \g /dev/null
SELECT is(t.state(1, :ada) || ' ' || t.state(1, :gil), 'sent sent', 'and settled');
SELECT is(t.verdict(1, :eva), 'moved', 'and planned anew');
SELECT is_empty('SELECT * FROM followup.invariants(true) WHERE broken > 0 AND invariant <> ''sent_early''', 'everything holds that must');
SELECT * FROM finish();
