-- account.has_calendar: what lets accounts without windows and holidays plan and claim without looking for them.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT plan(13);
CREATE FUNCTION t.marked() RETURNS bigint[] LANGUAGE sql AS $$ SELECT array_agg(id ORDER BY id) FROM followup.account WHERE has_calendar $$;

SELECT is(t.marked(), NULL, 'a new account has none');
INSERT INTO followup.holiday (country, date, name) VALUES ('DE', '2026-10-03', 'Unity Day');
SELECT is(t.marked(), NULL, 'a holiday of a country is nobody''s own');
SELECT throws_ok($$ INSERT INTO followup.holiday (date, name) VALUES ('2026-10-03', 'everybody''s') $$, '23514', NULL, 'one of no country and no account is refused');
INSERT INTO followup.send_window (account_id, weekday, opens, closes) SELECT a, 1, '09:00', '17:00' FROM generate_series(1, 2) AS a;
SELECT is(t.marked(), '{1,2}', 'windows of several accounts in one statement');
INSERT INTO followup.holiday (account_id, date, name) VALUES (2, '2026-12-24', 'closed');
DELETE FROM followup.send_window;
SELECT is(t.marked(), '{2}', 'without windows, a holiday of its own keeps it');
UPDATE followup.holiday SET account_id = 1 WHERE account_id = 2;
SELECT is(t.marked() @> '{1}', true, 'a holiday that was given to another account counts there');
DELETE FROM followup.holiday WHERE account_id = 1;
SELECT is(NOT coalesce(t.marked() @> '{1}', false), true, 'the last one takes it away');

-- Two at once: the one who takes the last window away waits, and sees what the other wrote.
INSERT INTO followup.send_window (account_id, weekday, opens, closes) VALUES (1, 1, '09:00', '17:00');
SELECT t.hold('FROM followup.account WHERE id = 1 FOR NO KEY UPDATE');
SELECT is(dblink_exec('holder', $$ INSERT INTO followup.send_window (account_id, weekday, opens, closes) VALUES (1, 2, '09:00', '17:00') $$), 'INSERT 0 1', 'one writes');
SELECT dblink_connect('second', format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'),
                                       current_setting('port'), current_database(), current_user));
SELECT is(dblink_send_query('second', $$ DELETE FROM followup.send_window WHERE account_id = 1 AND weekday = 1 $$), 1, 'another takes the last away meanwhile');
SELECT lives_ok($$ DO $d$ BEGIN
    FOR i IN 1..1000 LOOP
        EXIT WHEN EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%DELETE FROM followup.send_window%' AND pid <> pg_backend_pid());
        PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
    END LOOP;
END $d$ $$, 'and waits');
SELECT dblink_exec('holder', 'COMMIT'), dblink_disconnect('holder');
SELECT is((SELECT r FROM dblink_get_result('second') AS g (r text)), 'DELETE 1', 'it goes on');
SELECT dblink_disconnect('second');
SELECT is(t.marked() @> '{1}', true, 'and the account is marked still');

SELECT is(followup.plan_at(2, 'Europe/Berlin', 'de', '2026-10-02 12:00+00', '1 day', 'elapsed', NULL, 1), '2026-10-04 12:00+00'::timestamptz, 'a holiday of the lead''s country counts in an account without a calendar');
SELECT * FROM finish();
