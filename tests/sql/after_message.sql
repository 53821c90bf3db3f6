-- after_message: the next step, from when the last was planned; the end of a conversation; failures.
BEGIN;
\ir support/rules_world.sql
SELECT plan(31);

SELECT t.started() AS l \gset
SELECT t.finish(:l, 'sent', '20 seconds') AS m \gset
SELECT is(t.messages(:l) || ' ' || t.due(:l), 'a:sent b:scheduled 2026-03-04 08:00', 'the next step counts from when the last was planned');
SELECT t.finish(:l, 'sent', '10 minutes') AS m \gset
SELECT is(t.messages(:l) || ' ' || t.due(:l), 'a:sent b:sent c:scheduled 2026-03-07 08:10', 'from when it left, if that was more than a minute late');
SELECT is(t.finish(:l, 'delivered'), NULL, 'nothing follows the last step, least of all a follow-up');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'processed/completed a:sent b:sent c:delivered', 'all sent: processed/completed');
SELECT is((SELECT (state, ended_reason, stop_seq IS NOT NULL)::text FROM followup.conversation WHERE lead_id = :l), '(ended,completed,t)', 'the conversation is completed');
SELECT is(followup.conversation_status(1, :l), 'All messages sent', 'and shown so');

SELECT is(followup.base_of('2026-03-02 08:00+00', '2026-03-02 08:59+00', 3600), '2026-03-02 08:00+00'::timestamptz, 'the minute of lateness is a minute of real time');
SELECT is(followup.base_of('2026-03-02 08:00+00', '2026-03-04 20:01+00', 3600), '2026-03-04 20:01+00'::timestamptz, 'past it the instant it left counts');

-- Follow-ups
SELECT t.lead_in('active/follow_up hot') AS l \gset
SELECT t.finish(:l) AS m \gset
SELECT is((SELECT step_key || ' ' || (due_at - followup.now())::text FROM followup.message WHERE id = :m), 'g 5 days', 'the next follow-up waits its own delay');
SELECT is(t.finish(:l), NULL, 'nothing follows the last follow-up');
SELECT is(t.state(:l), 'processed/completed/hot_lead', 'all sent without an answer: processed/completed, the status kept');

-- Failures
SELECT t.started() AS l \gset
SELECT is(t.finish(:l, 'failed'), NULL, 'a failed message plans nothing');
SELECT is(t.state(:l), 'processed/failed/lead_to_review', 'its lead is for a person to see');
SELECT is((SELECT (state, ended_reason, ended_by)::text FROM followup.conversation WHERE lead_id = :l), '(ended,failed,"no value for first_name")', 'its conversation failed');
SELECT is(followup.conversation_status(1, :l), 'Message failed: no value for first_name', 'and says why');
SELECT is((SELECT note FROM followup.activity WHERE lead_id = :l AND action = 'message_failed'), 'no value for first_name', 'the record says why too');
SELECT t.started() AS l \gset
SELECT is(t.finish(:l, 'bounced'), NULL, 'a bounce that came before the result plans nothing');
SELECT is(t.state(:l), 'deactivated/BounceDeactivated', 'and deactivates the lead');
SELECT t.started() AS l \gset
SELECT is(t.finish(:l, 'complained'), NULL, 'a complaint plans nothing');
SELECT is(t.state(:l), 'unsubscribed', 'and unsubscribes the lead');
SELECT ok(followup.lead_suppressed(1, :l), 'its address is suppressed');

-- What plans nothing
SELECT t.started() AS l \gset
SELECT t.live(:l) AS m \gset
SELECT is_empty(format('SELECT * FROM followup.after_message(ARRAY[1], ARRAY[%s])', :m), 'a message that is still pending plans nothing');
SELECT is(t.messages(:l), 'a:scheduled', 'and stays');
SELECT t.finish(:l) AS n \gset
SELECT is_empty(format('SELECT * FROM followup.after_message(ARRAY[1], ARRAY[%s])', :m), 'asked twice it plans once');
SELECT is(t.messages(:l) || ' ' || t.state(:l), 'a:sent b:scheduled active/sequence', 'and ends nothing');
INSERT INTO followup.message (account_id, id, recipient, kind, due_at, state) VALUES (1, 9900, 'rita@a.example', 'alert', followup.now(), 'sent');
SELECT is_empty('SELECT * FROM followup.after_message(ARRAY[1], ARRAY[9900])', 'an alert plans nothing');
SELECT is_empty('SELECT * FROM followup.after_message(ARRAY[1, 7], ARRAY[424242, 9900])', 'unknown messages plan nothing');
SELECT is_empty($$ SELECT * FROM followup.after_message('{}', '{}') $$, 'none plan nothing');

-- A set, over accounts
SELECT t.started() AS l1, t.started(2) AS l2, t.lead(2) AS l3 \gset
SELECT done FROM followup.start_follow_up(2, ARRAY[:l3], 4) \gset
SELECT t.live(:l1) AS m1, t.live(:l2) AS m2, t.live(:l3) AS m3 \gset
SELECT count(t.claim(l)) AS n FROM unnest(ARRAY[:l1, :l2, :l3]) AS l \gset
UPDATE followup.message SET state = 'sent', sent_at = due_at WHERE id IN (:m1, :m2, :m3);
SELECT results_eq(format('SELECT account_id, message_id = t.live(%s) FROM followup.after_message(ARRAY[1, 1, 2], ARRAY[%s, %s, %s])', :l1, :m1, :m2, :m3),
                  'SELECT 1::bigint, true', 'of a set it answers what it planned');
SELECT is(t.state(:l1) || ' ' || t.state(:l2) || ' ' || t.state(:l3), 'active/sequence processed/completed processed/completed', 'and ends the others');

-- A hold
SELECT t.started() AS l \gset
UPDATE followup.conversation SET hold_until = '2026-06-01 10:00+00' WHERE lead_id = :l;
SELECT t.finish(:l) AS m \gset
SELECT is(t.due(:l), '2026-06-01 10:00', 'not before the end of a hold');
SELECT * FROM finish();
ROLLBACK;
