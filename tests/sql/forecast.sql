-- forecast: by hour of the account's zone and assistant, what waits and what follows it.
BEGIN;
\ir support/rules_world.sql
SELECT plan(14);
CREATE FUNCTION t.forecast(p_days integer) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(to_char(f.hour, 'MM-DD HH24:MI') || ' ' || f.assistant_id || ':' || f.messages, ', ' ORDER BY f.hour, f.assistant_id)
      FROM followup.forecast(1, p_days) AS f $$;

SELECT is(t.forecast(7), NULL, 'nothing to send');
SELECT t.started() AS a, t.started() AS b \gset
SELECT followup.start_follow_up(1, ARRAY[t.lead()], 1, 2, '2026-03-02 09:20+00') \gset
SELECT is(t.forecast(7), '03-02 08:00 1:2, 03-02 09:00 2:1, 03-04 08:00 1:2, 03-04 09:00 2:1, 03-07 08:00 1:2, 03-07 09:00 2:1',
          'what waits, and the steps after it, by hour and assistant');
SELECT is(t.forecast(1), '03-02 08:00 1:2, 03-02 09:00 2:1', 'a day');
SELECT is((SELECT sum(messages) FROM followup.forecast(1, 7)),
          (SELECT count(*)::numeric FROM followup.lead AS l CROSS JOIN LATERAL followup.preview(1, l.id)), 'as many as preview shows');
SELECT followup.stop_messaging(1, ARRAY[:b]::bigint[]) \gset
SELECT is(t.forecast(1), '03-02 08:00 1:1, 03-02 09:00 2:1', 'a stopped lead is not in it');
SELECT followup.pause(1, p_assistant => 2) \gset
SELECT is(t.forecast(3), '03-02 08:00 1:1, 03-04 08:00 1:1', 'nor what is paused');
INSERT INTO followup.list_pull (account_id, provider_type, since, planned_at, next_try_at) VALUES (1, 'ses', now(), now(), now());
SELECT is(t.forecast(3), NULL, 'nor what waits for a suppression list');
DELETE FROM followup.list_pull;
SET test.now = '2026-03-02 10:30+00';
SELECT is(t.forecast(3), '03-02 10:00 1:1, 03-04 10:00 1:1', 'what is overdue leaves now, and what follows is counted from there');
UPDATE followup.account SET late_action = 'hold', late_after = '1 hour' WHERE id = 1;
SELECT is(t.forecast(3), NULL, 'unless the account holds what is so late');
UPDATE followup.account SET late_action = 'replan', late_after = '12 hours' WHERE id = 1;
SET test.now = '2026-03-02 08:00+00';
INSERT INTO followup.send_window (account_id, weekday, opens, closes) SELECT 1, d, '09:00', '17:00' FROM generate_series(1, 5) AS d;
SELECT is(t.forecast(8), '03-02 08:00 1:1, 03-04 08:00 1:1, 03-09 08:00 1:1', 'windows are asked, as when it will be planned');
UPDATE followup.account SET timezone = 'Asia/Kathmandu' WHERE id = 1;
SELECT is(t.forecast(1), '03-02 07:15 1:1', 'an hour is one of the account''s zone, here a quarter past');
SELECT throws_ok('SELECT * FROM followup.forecast(1, 0)', '22023', NULL, 'no days');
SELECT throws_ok('SELECT * FROM followup.forecast(1, 367)', '22023', NULL, 'too many days');
SELECT throws_ok('SELECT * FROM followup.forecast(77, 7)', '22023', NULL, 'an unknown account');
SELECT * FROM finish();
ROLLBACK;
