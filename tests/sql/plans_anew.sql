-- What was planned and is planned again, where several things meet: lateness, tries, holds, caps, jitter, what a person said.
BEGIN;
\ir support/rules_world.sql
\ir support/posts.sql
SELECT plan(32);

-- late_action hold: only a person gives it a time, whatever else is written
UPDATE followup.account SET late_action = 'hold' WHERE id = 1;
SELECT t.started() AS l \gset
SELECT t.live(:l) AS m \gset
SET test.now = '2026-03-03 08:00+00';
SELECT is(t.ask(:m) || ' ' || t.at(:m), 'gone infinity', 'a day late: held for a person');
SELECT is((SELECT base_at FROM followup.message WHERE id = :m), 'infinity'::timestamptz, 'and its base says so');
UPDATE followup.assistant SET daily_cap = 5 WHERE id = 1;
UPDATE followup.account SET timezone = 'Europe/London' WHERE id = 1;
SELECT is(t.at(:m), 'infinity', 'a cap and a zone are written: it waits still');
SELECT matches((SELECT e.cause FROM followup.explain(1, :m) AS e LIMIT 1), '^held: it was to leave at 2026-03-02', 'and says why');
SELECT is((SELECT due_at FROM followup.hold(1, ARRAY[:l]::bigint[], '2026-03-05 10:00+00')), 'infinity'::timestamptz, 'a hold gives it none');
SELECT is_empty($$ SELECT * FROM followup.wrong_message WHERE invariant = 'never_due' $$, 'which is as it should be');
SELECT is((SELECT due_at FROM followup.release(1, ARRAY[:l]::bigint[])), '2026-03-03 08:00+00'::timestamptz, 'released: now');
SELECT t.replan();
SELECT is(t.at(:m), '2026-03-03 08:00:00', 'and that is what it is planned from');
UPDATE followup.message SET due_at = 'infinity' WHERE id = :m;
SELECT is((SELECT due_at FROM followup.release(1, ARRAY[:l]::bigint[])), '2026-03-03 08:00+00'::timestamptz, 'the same of one that a person put off by hand');
UPDATE followup.assistant SET daily_cap = NULL WHERE id = 1;
UPDATE followup.account SET timezone = 'Europe/Berlin', late_action = 'replan', jitter_max = '4 hours' WHERE id = 1;

-- What could not leave, and goes when it may: no more jitter, and forced asks the hold alone
SET test.now = '2026-03-02 08:00+00';
SELECT t.started() AS l, t.started() AS f \gset
SELECT t.live(:l) AS m, t.live(:f) AS n \gset
SELECT done FROM followup.reschedule(1, ARRAY[:n]::bigint[], '2026-03-02 09:00+00', true, p_note => 'now') \gset h_
SET test.now = '2026-03-03 11:00+00';
SELECT is(t.ask(:m) || ' ' || t.at(:m), 'moved 2026-03-03 11:00:00', 'a day late: from now, and not a second later');
INSERT INTO followup.send_window SELECT 1, d, '14:00', '17:00' FROM generate_series(1, 5) AS d;
SELECT is(t.ask(:n) || ' ' || t.at(:n), 'moved 2026-03-03 11:00:00', 'forced, and late: now, whatever the window says');
SELECT is(t.ask(:n), 'claimed', 'and so it leaves');
SELECT t.started() AS f \gset
SELECT t.live(:f) AS n \gset
SELECT done FROM followup.reschedule(1, ARRAY[:n]::bigint[], NULL, true, p_note => 'now') \gset h_
SET ROLE followup_owner;
UPDATE followup.conversation SET hold_until = '2026-03-04 02:00+00' WHERE lead_id = :f;
RESET ROLE;
SELECT is(t.ask(:n) || ' ' || t.at(:n), 'moved 2026-03-04 02:00:00', 'forced, and a hold that found it in flight: at its end');
UPDATE followup.account SET jitter_max = '0' WHERE id = 1;
DELETE FROM followup.send_window;

-- The wait after a try
SET test.now = '2026-03-02 08:00+00';
SELECT t.started() AS l \gset
SELECT t.live(:l) AS m \gset
SELECT t.ask(:m) AS a, t.tell(:m, 'retry', 3600000) AS b \gset h_
SELECT is(t.at(:m), '2026-03-02 09:00:00', 'not sent: again in an hour');
UPDATE followup.lead SET timezone = 'Asia/Tokyo' WHERE id = :l;
SELECT is(t.at(:m), '2026-03-02 09:00:00', 'planned anew it is not brought forward');
SELECT due_at FROM followup.hold(1, ARRAY[:l]::bigint[], '2026-03-20 10:00+00') \gset h_
SELECT is(t.at(:m), '2026-03-20 10:00:00', 'held');
SELECT is((SELECT due_at FROM followup.release(1, ARRAY[:l]::bigint[])), '2026-03-02 09:00+00'::timestamptz, 'released within the wait: after it');
SELECT due_at FROM followup.hold(1, ARRAY[:l]::bigint[], '2026-03-20 10:00+00') \gset h_
SET test.now = '2026-03-02 12:00+00';
SELECT is((SELECT due_at FROM followup.release(1, ARRAY[:l]::bigint[])), '2026-03-02 12:00+00'::timestamptz, 'released after it: now');
SELECT is((SELECT due_at FROM followup.reschedule(1, ARRAY[:m]::bigint[], '2026-03-02 12:30+00')), '2026-03-02 12:30+00'::timestamptz, 'a person''s word ends the wait');
SELECT t.replan();
SELECT is(t.at(:m), '2026-03-02 12:30:00', 'for good');

-- Spread after a pause: each keeps its turn, and what its plan counts from
SELECT followup.stop_messaging(1, array_agg(id)) FROM followup.lead WHERE account_id = 1 AND state = 'active' \g /dev/null
SET test.now = '2026-03-02 08:00+00';
SELECT t.started() AS p1, t.started() AS p2, t.started() AS p3 \gset
SELECT followup.pause(1) AS p \gset h_
SET test.now = '2026-03-02 10:00+00';
SELECT followup.resume(1) AS r \gset h_
CREATE FUNCTION t.turns() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(to_char(due_at - followup.now(), 'SS.MS'), ' ' ORDER BY id) FROM followup.message WHERE account_id = 1 AND state = 'scheduled' $$;
SELECT is(t.turns(), '00.000 00.100 00.200', 'a tenth of a second apart');
SELECT t.replan();
SELECT is(t.turns(), '00.000 00.100 00.200', 'planned anew too');
SELECT is((SELECT count(*) FROM followup.message WHERE account_id = 1 AND state = 'scheduled' AND exact), 0::bigint, 'nobody asked for these instants');

-- What a daily cap moved: its place stays while the calendar lets it, and asks the calendar
SELECT followup.stop_messaging(1, array_agg(id)) FROM followup.lead WHERE account_id = 1 AND state = 'active' \g /dev/null
SET test.now = '2026-03-02 08:00+00';
INSERT INTO followup.send_window SELECT 1, d, '09:00', '17:00' FROM generate_series(1, 5) AS d;
UPDATE followup.assistant SET daily_cap = 1 WHERE id = 1;
SELECT t.started() AS d1, t.started() AS d2, t.started() AS d3 \gset
SELECT t.live(:d3) AS m \gset
SELECT is(t.at(:m), '2026-03-04 08:00:00', 'Monday and Tuesday are full: Wednesday');
INSERT INTO followup.holiday (account_id, date, name) VALUES (1, '2026-03-04', 'closed');
SELECT is(t.at(:m), '2026-03-05 08:00:00', 'a holiday on that day: Thursday, at once');
DELETE FROM followup.holiday;
SELECT followup.stop_messaging(1, ARRAY[:d2]::bigint[]) \g /dev/null
SET test.now = '2026-03-03 12:00+00';
SELECT t.replan();
SELECT is(t.at(:m), '2026-03-05 08:00:00', 'Monday is over, and Tuesday has a free place: nothing that has changed is a reason to take it');
UPDATE followup.send_window SET opens = '10:00' WHERE account_id = 1;
SELECT is(t.at(:m), '2026-03-05 09:00:00', 'the window opens later: on the same day');
UPDATE followup.assistant SET daily_cap = 2 WHERE id = 1;
SELECT is(t.at(:m), '2026-03-03 12:00:00', 'another cap: as soon as it may');
UPDATE followup.assistant SET daily_cap = 1 WHERE id = 1;
SELECT due_at FROM followup.hold(1, ARRAY[:d1]::bigint[], '2026-03-10 10:00+00') \gset h_
SELECT due_at FROM followup.hold(1, ARRAY[:d3]::bigint[], '2026-03-10 10:00+00') \gset h_
SELECT is(t.at(:m), '2026-03-11 10:00:00', 'held, and that day is full: the day after');
SELECT is((SELECT due_at FROM followup.release(1, ARRAY[:d3]::bigint[])), '2026-03-03 12:00+00'::timestamptz, 'released: now, in today''s place');
UPDATE followup.assistant SET daily_cap = NULL WHERE id = 1;
DELETE FROM followup.send_window;
SELECT is_empty('SELECT * FROM followup.wrong_cap', 'every place is somebody''s');
SELECT is((SELECT string_agg(DISTINCT invariant, ' ') FROM followup.invariants(true) WHERE broken > 0 AND invariant IN ('never_due', 'nothing_scheduled', 'cap_places')), NULL, 'and no message is lost');
SELECT * FROM finish();
ROLLBACK;
