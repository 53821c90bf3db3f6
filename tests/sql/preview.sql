-- The preview is what happens: every message at the instant that was shown before anything left.
BEGIN;
\ir support/rules_world.sql
SELECT plan(17);
INSERT INTO followup.send_window (account_id, weekday, opens, closes) SELECT 1, d, '09:00', '17:00' FROM generate_series(1, 5) AS d;
INSERT INTO followup.lead (account_id, id, email, timezone, sequence_id, assistant_id)
VALUES (1, 7001, 'a@l.example', 'America/Los_Angeles', 1, 1), (1, 7002, 'b@l.example', 'Pacific/Auckland', 1, 1);

CREATE TABLE t.shown AS SELECT l, p.* FROM unnest(ARRAY[7001, 7002]::bigint[]) AS l CROSS JOIN LATERAL followup.preview(1, l) AS p;
SELECT is((SELECT string_agg(step_key || coalesce('*' || (message_id = t.live(l)), ''), ' ' ORDER BY position) FROM t.shown WHERE l = 7001), 'a*true b c',
          'the live message, then what is not planned yet');
SELECT is((SELECT string_agg(subject, ', ' ORDER BY position) FROM t.shown WHERE l = 7001), 'Step a, Step b, Step c', 'with their subjects');
SELECT t.finish(7001), t.finish(7001), t.finish(7001) \gset
SET test.now = '2026-03-02 08:00+00';
SELECT t.finish(7002), t.finish(7002), t.finish(7002) \gset
SELECT results_eq(format('SELECT position, due_at FROM followup.message WHERE lead_id = %s ORDER BY position', l),
                  format('SELECT position, due_at FROM t.shown WHERE l = %s ORDER BY position', l),
                  format('lead %s got every message at the instant that was shown', l))
  FROM unnest(ARRAY[7001, 7002]) AS l;
SELECT is_empty('SELECT * FROM followup.preview(1, 7001)', 'nothing is shown when all has left');

SET test.now = '2026-03-03 12:00+00';
SELECT t.started() AS l \gset
SELECT done FROM followup.skip_to_follow_up(1, ARRAY[:l]) \gset
SELECT results_eq(format('SELECT kind::text, step_key, due_at FROM followup.preview(1, %s)', :l),
                  $$ VALUES ('follow_up', 'f', '2026-03-05 12:00+00'::timestamptz), ('follow_up', 'g', '2026-03-10 12:00+00') $$, 'follow-ups are shown too');
SELECT followup.pause(1) \gset
SELECT is((SELECT note FROM followup.preview(1, :l) LIMIT 1), 'paused', 'a pause is noted');
SELECT followup.resume(1) \gset
INSERT INTO followup.list_pull (account_id, provider_type, since, planned_at, next_try_at) VALUES (1, 'ses', now(), now(), now());
SELECT is((SELECT note FROM followup.preview(1, :l) LIMIT 1), 'waits for a provider''s suppression list', 'so is the wait for a suppression list');
DELETE FROM followup.list_pull;
SET test.now = '2026-03-05 12:00:50+00';
SELECT is((SELECT due_at FROM followup.preview(1, :l) OFFSET 1), '2026-03-10 12:00+00'::timestamptz, 'less than a minute late: nothing moves');
SET test.now = '2026-03-05 12:05+00';
SELECT is((SELECT due_at FROM followup.preview(1, :l) OFFSET 1), '2026-03-10 12:05+00'::timestamptz, 'later: what follows moves along');
SELECT is((SELECT note FROM followup.preview(1, :l) LIMIT 1), 'late: what follows is counted from when it leaves', 'and says so');
SELECT t.claim(:l) AS m \gset
SELECT is((SELECT note FROM followup.preview(1, :l) LIMIT 1), 'in flight', 'a message in flight is noted');
SELECT done FROM followup.stop_messaging(1, ARRAY[:l]) \gset
SELECT is_empty(format('SELECT * FROM followup.preview(1, %s)', :l), 'nothing is shown of a stopped lead');
SELECT is_empty('SELECT * FROM followup.preview(1, NULL)', 'nor of NULL');
UPDATE followup.account SET feedback_subject = 'How was it?', feedback_body_text = 'Tell us.' WHERE id = 1;
SELECT t.started(2) AS l \gset
SELECT done FROM followup.skip_to_follow_up(1, ARRAY[:l]) \gset
SELECT is((SELECT string_agg(subject, ',') FROM followup.preview(1, :l)), 'How was it?', 'the account''s feedback message by its subject');
-- Held without an end, and what follows is counted in business days
INSERT INTO followup.sequence (account_id, id, name) VALUES (1, 9, 'Days');
INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (1, 9, 1);
INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, delay_unit, subject, body_text)
VALUES (1, 9, 1, 'sequence', 1, 'x', '0', 'elapsed', 'X', 'X'), (1, 9, 1, 'sequence', 2, 'y', '2 days', 'business_days', 'Y', 'Y'), (1, 9, 1, 'sequence', 3, 'z', '0', 'business_days', 'Z', 'Z');
SELECT t.started(9) AS l \gset
SELECT done FROM followup.hold(1, ARRAY[:l]) \gset
SELECT is((SELECT string_agg(due_at::text, ' ') FROM followup.preview(1, :l)), 'infinity infinity infinity', 'held until released: nothing has an instant');
SELECT done FROM followup.release(1, ARRAY[:l]) \gset
SELECT is((SELECT count(*) FROM followup.preview(1, :l) WHERE due_at < 'infinity'), 3::bigint, 'released: each has one');
SELECT * FROM finish();
ROLLBACK;
