-- A person says what became of a message in doubt.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1);
\o
SELECT plan(40);
CREATE FUNCTION t.doubt(p_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_message bigint := t.lead(1, p_name);
BEGIN
    PERFORM t.verdict(1, v_message);
    PERFORM t.record(1, v_message, 'in_doubt');
    RETURN v_message;
END $$;
SELECT t.doubt('ada') AS ada, t.doubt('ben') AS ben, t.doubt('cid') AS cid, t.doubt('dan') AS dan, t.doubt('eva') AS eva, t.doubt('fay') AS fay \gset

-- the list
SELECT results_eq('SELECT message_id FROM followup.in_doubt_list(1)', format('VALUES (%s::bigint), (%s), (%s), (%s), (%s), (%s)', :ada, :ben, :cid, :dan, :eva, :fay), 'all of them, the oldest first');
SELECT results_eq('SELECT key, posts, email, policy::text, sends_again FROM followup.in_doubt_list(1, 1)',
    format($$ VALUES ('fu/1/%s/1', 1, 'ada@People.example', 'hold', true) $$, :ada), 'as the provider knows it');

-- sent
CREATE TABLE t.answer_ada AS SELECT * FROM followup.settle_in_doubt(1, :ada, 'sent', p_note => 'seen in the log');
SELECT is((message_id, state::text), (:ada::bigint, 'sent'::text), 'sent: it is sent') FROM t.answer_ada;
SELECT is((m.position, m.state::text, m.due_at), (2, 'scheduled'::text, a.next_due_at), 'and the next one is planned')
  FROM t.answer_ada AS a JOIN followup.message AS m ON m.id = a.next_message_id;
SELECT is((actor, note, detail->>'as'), (('sql:' || session_user)::text COLLATE "default", 'seen in the log'::text, 'sent'::text), 'logged with its note')
  FROM followup.activity WHERE action = 'settle_in_doubt';
SELECT cmp_ok(sent_at, '<=', followup.now(), 'sent when it was last posted') FROM followup.message WHERE id = :ada;
SELECT is(detail, 'was in doubt; sent, says sql:' || session_user, 'it says who says so') FROM followup.message WHERE id = :ada;
SELECT throws_ok(format('SELECT * FROM followup.settle_in_doubt(1, %s, ''not_sent'')', :ada), '22023', format('message %s is not in doubt: it is sent', :ada), 'not twice');
SELECT is(t.state(1, :ada), 'sent', 'and nothing changed');

-- not sent
CREATE TABLE t.answer_ben AS SELECT * FROM followup.settle_in_doubt(1, :ben, 'not_sent');
SELECT is((state::text, next_message_id), ('scheduled'::text, :ben::bigint), 'not_sent: scheduled again') FROM t.answer_ben;
SELECT cmp_ok(due_at, '<=', followup.now(), 'due at once') FROM followup.message WHERE id = :ben;
SELECT is((attempts, posts), (2, 1), 'claimed with a new key') FROM t.claim(1, :ben);
SELECT is(accepted, false, 'a late answer to the old key is not taken for the new one') FROM t.record(1, :ben, 'sent', p_attempts => 1);
SELECT throws_ok(format('SELECT * FROM followup.settle_in_doubt(1, %s, ''not_sent'')', :ben), '22023', format('message %s is not in doubt: it is sending', :ben), 'what is being posted is not settled');

-- whoever may not be written to
\o /dev/null
SELECT followup.stop_messaging(1, ARRAY[t.lead_of(1, :cid)]);
SELECT followup.stop_messaging(1, ARRAY[t.lead_of(1, :dan)]);
INSERT INTO followup.suppression (account_id, address, reason, source) VALUES (1, 'eva@people.example', 'test', 'test');
SELECT followup.restart_follow_up(1, ARRAY[t.lead_of(1, :fay)]);
\o
SELECT is(sends_again, false, 'the list says that it will not be sent') FROM followup.in_doubt_list(1) WHERE message_id = :cid;
SELECT is((state::text, next_message_id), ('cancelled'::text, NULL::bigint), 'a stopped lead''s, not sent: closed, never sent again') FROM followup.settle_in_doubt(1, :cid, 'not_sent');
SELECT is((state::text, next_message_id), ('sent'::text, NULL::bigint), 'a stopped lead''s, sent: sent, and nothing follows') FROM followup.settle_in_doubt(1, :dan, 'sent');
SELECT is((t.conversation_of(1, :dan)).ended_reason::text, 'stopped', 'and its conversation is as it was');
SELECT is(state::text, 'cancelled', 'a suppressed address, not sent: closed') FROM followup.settle_in_doubt(1, :eva, 'not_sent');
SELECT is(state::text, 'cancelled', 'what a restart replaced is not sent beside the new one') FROM followup.settle_in_doubt(1, :fay, 'not_sent');
SELECT is(count(*), 1::bigint, 'the restarted lead has its one live message') FROM followup.message AS m JOIN followup.conversation AS c ON c.id = m.conversation_id
 WHERE c.lead_id = t.lead_of(1, :fay) AND m.pending AND NOT m.detached;
SELECT is_empty('SELECT * FROM followup.in_doubt_list(1)', 'nothing is in doubt any more');

-- an alert
SELECT t.alert(1) AS alert \gset
\o /dev/null
UPDATE followup.message SET lead_id = t.lead_of(1, :eva) WHERE id = :alert;
SELECT t.verdict(1, :alert);
SELECT t.record(1, :alert, 'in_doubt');
\o
SELECT is((email, lead_id), ('rita@firm.example'::text, t.lead_of(1, :eva)), 'an alert is in the list too') FROM followup.in_doubt_list(1);
SELECT is(sends_again, true, 'that its lead is suppressed is nothing to the one who is alerted') FROM followup.in_doubt_list(1);
SELECT is(state::text, 'scheduled', 'and is settled') FROM followup.settle_in_doubt(1, :alert, 'not_sent');

-- what settles it, and when
SELECT t.doubt('gil') AS gil \gset
SELECT is((settles, next_try_at), (NULL::text, NULL::timestamptz), 'without a worker nobody can say') FROM followup.in_doubt_list(1);
CREATE FUNCTION t.says(p_window integer, p_looks integer, p_proof integer) RETURNS void LANGUAGE sql AS $$
    SELECT followup.worker_report(t.me(), format('{"settle_after_seconds": 30, "providers": [{"provider": "%s", "provider_key_window_seconds": %s,
        "provider_looks_up": %s, "provider_look_up_proof_seconds": %s}]}', coalesce(m.provider, 'sandbox'), p_window, p_looks, p_proof)::jsonb)
      FROM followup.message AS m WHERE m.state = 'in_doubt' $$;
SELECT t.says(0, 0, 0) \g /dev/null
SELECT is((settles, next_try_at), ('an event of the provider about it'::text, NULL::timestamptz), 'a provider that offers nothing') FROM followup.in_doubt_list(1);
SELECT t.says(3600, 1, 1800) \g /dev/null
SELECT matches(settles, '^posted again with the same key, which the provider knows until [-0-9]+ [:0-9]+ UTC; looked up at the provider; not found means not sent from [-0-9]+ [:0-9]+ UTC on; an event of the provider about it$',
               'one that knows keys and can be asked') FROM followup.in_doubt_list(1);
SELECT is(next_try_at, last_post_at + interval '30 s', 'next after settle_after') FROM followup.in_doubt_list(1);
SELECT is((SELECT array_agg(split_part(e.cause, ',', 1)) FROM followup.explain(1, :gil) AS e WHERE e.cause LIKE 'before that: %'),
          ARRAY['before that: posted again with the same key', (SELECT e.cause FROM followup.explain(1, :gil) AS e WHERE e.cause LIKE '%looked up%'), 'before that: an event of the provider about it'], 'explain says so');
INSERT INTO followup.look_up VALUES (1, :gil, 1, 3, clock_timestamp());
SELECT t.says(0, 1, 0) \g /dev/null
SELECT is(next_try_at, (SELECT looked_up_at + interval '240 s' FROM followup.look_up), 'after three looks eight times as long') FROM followup.in_doubt_list(1);

-- refusals
\o /dev/null
CREATE ROLE settle_app LOGIN IN ROLE followup_app;
SET ROLE settle_app;
SET followup.account = '2';
\o
SELECT is_empty('SELECT * FROM followup.in_doubt_list(1)', 'a page of another account sees none of them');
SET followup.account = '1';
SELECT results_eq('SELECT message_id FROM followup.in_doubt_list(1)', format('VALUES (%s::bigint)', :gil), 'one of this account does');
RESET ROLE;
SELECT throws_ok(format('SELECT * FROM followup.settle_in_doubt(1, %s, ''maybe'')', :gil), '22023', 'settle_in_doubt: "maybe" is neither sent nor not_sent', 'another word is refused');
SELECT throws_ok(format('SELECT * FROM followup.settle_in_doubt(1, %s, NULL)', :gil), '22023', NULL, 'no word too');
SELECT throws_ok('SELECT * FROM followup.settle_in_doubt(1, 0, ''sent'')', '22023', 'account 1 has no message 0', 'an unknown message');
SELECT throws_ok(format('SELECT * FROM followup.settle_in_doubt(2, %s, ''sent'')', :gil), '22023', NULL, 'another account''s');
SELECT throws_ok(format('SELECT * FROM followup.settle_in_doubt(1, %s, ''sent'', p_actor => 1)', :gil), '42501', NULL, 'a representative may not');
UPDATE followup.app_user SET profile = 'manager' WHERE account_id = 1;
SELECT is(detail, 'was in doubt; sent, says Rita', 'a manager may') FROM followup.settle_in_doubt(1, :gil, 'sent', p_actor => 1);
SELECT is(actor, 'user:1', 'and is logged') FROM followup.activity WHERE action = 'settle_in_doubt' ORDER BY id DESC LIMIT 1;
SELECT * FROM finish();
