-- Lines of the rules of actions that no other file holds: what continue never repeats, what waits from when, what goes through
-- the window, replies by a rule before a follow-up, steps changed while messages wait, a sold code and a bulk.
BEGIN;
\ir support/rules_world.sql
SELECT plan(23);
CREATE FUNCTION t.said(r followup.action_result) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', CASE WHEN r.done THEN 'yes' ELSE concat_ws('/', r.reason, r.sub_state) END,
                     to_char(r.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')) $$;

-- Continue never sends a step again, although the newest version has it behind the last one sent.
SELECT t.started() AS l \gset
SELECT t.finish(:l) AS m \gset
SELECT t.finish(:l) AS m \gset
SELECT (t.reply(:l, 'further_action')).done \gset
INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (1, 1, 2);
INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text)
VALUES (1, 1, 2, 'sequence', 1, 'b', '0', 'B', 'B'), (1, 1, 2, 'sequence', 2, 'a', '1 day', 'A', 'A'), (1, 1, 2, 'sequence', 3, 'n', '1 day', 'N', 'N'),
       (1, 1, 2, 'follow_up', 1, 'f', '1 hour', 'F', 'F'), (1, 1, 2, 'follow_up', 2, 'g', '5 days', 'G', 'G');
SELECT t.said(r) AS said FROM followup.continue_follow_up(1, ARRAY[:l]) AS r \gset
SELECT is(t.messages(:l), 'a:sent b:sent c:cancelled n:scheduled', 'continue: b, then a again, then n: a was sent, n is next');
SELECT t.finish(:l) AS m \gset
SELECT is((SELECT reason::text FROM followup.continue_follow_up(1, ARRAY[:l])), 'no_more_messages', 'and nothing is left');

-- Skip and continue while a message is in flight count from now; its late result plans nothing.
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS m \gset
SELECT (t.reply(:l, 'further_action')).done \gset
SELECT set_config('test.now', (followup.now() + '7 minutes')::text, false) \gset n_
SELECT is((SELECT (done, due_at, in_flight)::text FROM followup.continue_follow_up(1, ARRAY[:l])), (true, followup.now(), ARRAY[:m]::bigint[])::text,
          'continue with a message in flight: the one after it, from now, and the answer lists it');
SELECT is(t.messages(:l), '(b:sending) a:scheduled', 'in flight is as good as sent, and is detached');
UPDATE followup.message SET state = 'sent', sent_at = followup.now() WHERE id = :m;
SELECT is_empty(format('SELECT * FROM followup.after_message(ARRAY[1], ARRAY[%s])', :m), 'its result plans nothing');

-- Restart onto another sequence, in flight and in doubt
SELECT t.started() AS l \gset
SELECT t.claim(:l) AS m \gset
SELECT (followup.restart_follow_up(1, ARRAY[:l], p_sequence => 2)).in_flight AS f \gset
UPDATE followup.message SET state = 'sent', sent_at = followup.now() WHERE id = :m;
SELECT is_empty(format('SELECT * FROM followup.after_message(ARRAY[1], ARRAY[%s])', :m), 'restart: the late result of what was in flight plans nothing');
SELECT is(t.messages(:l) || ' ' || t.state(:l), '(b:sent) s:scheduled active/sequence', 'beside the message of the other sequence');
SELECT t.claim(:l) AS m \gset
UPDATE followup.message SET state = 'in_doubt' WHERE id = :m;
SELECT is((SELECT (done, in_flight)::text FROM followup.restart_follow_up(1, ARRAY[:l], p_sequence => 1)), (true, ARRAY[:m]::bigint[])::text, 'restart while one is in doubt lists it');
SELECT is(t.messages(:l), '(b:sent) (s:in_doubt) b:scheduled', 'and detaches it');
SELECT is((SELECT sends_again FROM followup.in_doubt_list(1) WHERE message_id = :m), false, 'it is never sent again');

-- What an action plans goes through the lead's window.
SET test.now = '2026-03-07 03:00+00';
INSERT INTO followup.send_window SELECT 1, d, '09:00', '17:00' FROM generate_series(1, 5) AS d;
INSERT INTO followup.lead (account_id, id, email, timezone) VALUES (1, 9001, 'ny@l.example', 'America/New_York');
SELECT is((SELECT t.said(r) FROM followup.start_follow_up(1, ARRAY[9001], 1, 1, '2026-03-07 12:00+00') AS r), 'yes 2026-03-09 13:00', 'start: Saturday becomes Monday 09:00 in New York, summer time since Sunday');
SELECT is((SELECT t.said(r) FROM followup.restart_follow_up(1, ARRAY[9001], '2026-03-14 12:00+00') AS r), 'yes 2026-03-16 13:00', 'restart');
SELECT is((SELECT t.said(r) FROM followup.skip_to_follow_up(1, ARRAY[9001]) AS r), 'yes 2026-03-09 13:00', 'skip: 48 hours on is Monday before the window');
SELECT (t.reply(9001, 'lead_to_review')).done \gset
SELECT is((SELECT t.said(r) FROM followup.continue_follow_up(1, ARRAY[9001]) AS r), 'yes 2026-03-09 13:00', 'continue');
DELETE FROM followup.send_window;

-- Before a follow-up left, a review by an explicit rule ends it; a rule for after it does not apply yet.
INSERT INTO followup.reply_rule (account_id, position, applies, field, pattern, outcome)
VALUES (1, 1, 'after_follow_up', 'body', 'text', 'satisfied'), (1, 2, 'before_follow_up', 'body', 'text', 'lead_to_review');
SELECT is(x.state || ' ' || x.messages, 'processed/responded/lead_to_review b:cancelled f:cancelled', 'lead_to_review by a rule for before the follow-up') FROM t.after_reply('active/follow_up hot', NULL) AS x;
SELECT is(x.state, 'processed/responded/satisfied', 'which is none after it left') FROM t.after_reply('after follow_up', NULL) AS x;
DELETE FROM followup.reply_rule;
SET test.now = '2026-03-07 03:00+00';

-- Step delays and follow_up_delay act on what is planned afterwards.
SELECT t.started() AS l, t.lead_in('active/follow_up') AS f \gset
SELECT t.due(:f) AS due \gset
UPDATE followup.account SET follow_up_delay = '1 hour' WHERE id = 1;
SELECT is(t.due(:f), :'due', 'follow_up_delay: what is scheduled stays');
SELECT is((SELECT due_at - followup.now() FROM followup.skip_to_follow_up(1, ARRAY[:l])), '1 hour'::interval, 'what is planned next waits the new one');
SELECT t.started() AS l1, t.started() AS l2 \gset
SELECT t.finish(:l1) AS m, t.due(:l1) AS due \gset
UPDATE followup.step SET delay = '9 days' WHERE sequence_id = 1 AND version = 2 AND step_key = 'a';
SELECT is(t.due(:l1), '2026-03-08 03:00', 'a step''s delay: what is scheduled stays');
SELECT t.finish(:l2) AS m \gset
SELECT is((SELECT to_char(due_at, 'YYYY-MM-DD HH24:MI') FROM followup.message WHERE id = :m), '2026-03-16 03:00', 'what is planned next waits the new one');

-- A sold code on a processed lead keeps it out of the next bulk continue; 12 without a rule does not, 7 needs none.
SELECT t.lead_in('processed/responded') AS p1, t.lead_in('processed/responded') AS p2 \gset
UPDATE followup.lead SET crm_source = 'HigherGear', company = 'sold', external_id = 'c' || id WHERE id IN (:p1, :p2);
SELECT (followup.crm_status(1, 'HigherGear', 'c' || :p1, '7')).done, (followup.crm_status(1, 'HigherGear', 'c' || :p2, '12')).done \gset c_
SELECT is((SELECT (leads, would_be_done, left_alone)::text FROM followup.bulk_plan(1, 'continue', 'company=sold')), '(2,1,"{""stopped"": 1}")', 'the lead with code 7 is left alone, the one with 12 goes on');
SELECT is(t.state(:p1) || ', ' || t.state(:p2), 'stopped/further_action, processed/responded/further_action', 'as their states say');

-- An INSERT of a lead on a suppressed address starts nobody.
SELECT count(*) AS n FROM followup.suppress(1, 'never@l.example', 'asked', 'test') \gset
INSERT INTO followup.lead (account_id, id, email, sequence_id, assistant_id) VALUES (1, 9002, 'Never@l.example', 1, 1);
SELECT is(t.state(9002) || ' ' || (SELECT action || ' ' || note FROM followup.activity WHERE lead_id = 9002), 'new not_started suppressed', 'INSERT with a suppressed address: not started, and the record says why');
SELECT * FROM finish();
ROLLBACK;
