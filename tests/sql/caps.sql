-- Daily caps: a message holds a place in cap_use from when it is scheduled until it certainly never leaves.
BEGIN;
\ir support/rules_world.sql
\ir support/no_replan.sql
SELECT plan(52);

-- cap_of
SELECT is(followup.cap_of(c.cap, c.ramp, c.since, c.day), c.expected, c.says)
  FROM (VALUES
    (20, NULL::integer[], NULL::date, '2026-03-02'::date, 20, 'without a ramp: the daily cap'),
    (20, '{5,10}', '2026-03-02', '2026-03-02', 5, 'the first day of the ramp'),
    (20, '{5,10}', '2026-03-02', '2026-03-03', 10, 'the second'),
    (20, '{5,10}', '2026-03-02', '2026-03-04', 20, 'after its end: the daily cap'),
    (20, '{5,10}', '2026-03-02', '2026-02-01', 5, 'before it begins: its first day'),
    (NULL, '{5,10}', '2026-03-02', '2026-03-04', NULL, 'after its end, without a daily cap: none'),
    (20, '{5,10}', NULL, '2026-03-02', 20, 'a ramp that never began does not count')) AS c (cap, ramp, since, day, expected, says);

CREATE FUNCTION t.used() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(to_char(day, 'MM-DD:') || used, ' ' ORDER BY day) FROM followup.cap_use WHERE account_id = 1 AND assistant_id = 1 AND used > 0 $$;
-- What cap_use says is what the messages say: no place is lost and none is held twice.
CREATE FUNCTION t.ledger() RETURNS SETOF record LANGUAGE sql AS $$
    (SELECT cap_assistant_id, cap_day, count(*)::integer FROM followup.message
      WHERE cap_day IS NOT NULL AND state NOT IN ('cancelled', 'failed') GROUP BY 1, 2)
    EXCEPT SELECT assistant_id, day, used FROM followup.cap_use
    UNION ALL
    (SELECT assistant_id, day, used FROM followup.cap_use WHERE used > 0
     EXCEPT SELECT cap_assistant_id, cap_day, count(*)::integer FROM followup.message
             WHERE cap_day IS NOT NULL AND state NOT IN ('cancelled', 'failed') GROUP BY 1, 2) $$;

SELECT t.started() AS free \gset
SELECT is((SELECT cap_day FROM followup.message WHERE id = t.live(:free)), NULL, 'without a cap no place is taken');
SELECT is_empty('SELECT * FROM followup.cap_use', 'and none is counted');
UPDATE followup.assistant SET daily_cap = 2 WHERE id = 1;

-- Reserved when scheduled, in the account's day
SELECT t.started() AS a \gset
SELECT t.started() AS b \gset
SELECT is(t.due(:a), '2026-03-02 08:00', 'the first has a place today');
SELECT is(t.due(:b), '2026-03-02 08:00', 'the second too');
SELECT is(t.used(), '03-02:2', 'both are counted');
SELECT is(r.due_at, '2026-03-03 08:00+00', 'the third is told: the same time tomorrow')
  FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 1) AS r;
SELECT max(lead_id) AS c FROM followup.message \gset
SELECT is(t.due(:c), '2026-03-03 08:00', 'and is scheduled so');
SELECT is((SELECT cap_moved_from FROM followup.message WHERE id = t.live(:c)), '2026-03-02 08:00+00'::timestamptz, 'the instant before the cap moved it is kept');
SELECT is(t.used(), '03-02:2 03-03:1', 'its place is in tomorrow');
SELECT is(r.due_at, '2026-03-02 23:30+00', 'the day is one of the account''s zone: 23:30 UTC is tomorrow in Berlin')
  FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 1, '2026-03-02 23:30+00') AS r;
SELECT is(t.used(), '03-02:2 03-03:2', 'and counts there');
SELECT is(r.due_at, '2026-03-04 08:00+00', 'both days are full: the day after')
  FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 1) AS r;
SELECT is(r.due_at, '2026-03-02 08:00+00', 'another assistant has places of its own')
  FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 2) AS r;
SELECT set_eq(
    $$ SELECT r.due_at, count(*) FROM followup.start_follow_up(1, ARRAY(SELECT t.lead() FROM generate_series(1, 5)), 1, 1) AS r GROUP BY 1 $$,
    $$ VALUES ('2026-03-04 08:00+00'::timestamptz, 1::bigint), ('2026-03-05 08:00+00', 2), ('2026-03-06 08:00+00', 2) $$,
    'many in one statement fill day after day');
SELECT is_empty('SELECT * FROM t.ledger() AS l (a bigint, d date, n integer)', 'cap_use and messages agree');

-- Given back
SELECT followup.stop_messaging(1, ARRAY[:a]::bigint[]) \gset
SELECT is(t.used(), '03-02:1 03-03:2 03-04:2 03-05:2 03-06:2', 'a stop gives the place back');
SELECT is(r.due_at, '2026-03-02 08:00+00', 'and the next takes it') FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 1) AS r;
SELECT followup.skip_to_follow_up(1, ARRAY[:b]::bigint[]) \gset
SELECT is(t.due(:b), '2026-03-07 08:00', 'a skip gives one back and takes one 48 hours on: 4, 5 and 6 March are full');
SELECT is(t.used(), '03-02:1 03-03:2 03-04:2 03-05:2 03-06:2 03-07:1', 'counted so');
SELECT t.claim(:c) AS sending \gset
SELECT followup.stop_messaging(1, ARRAY[:c]::bigint[]) \gset
SELECT is(t.used(), '03-02:1 03-03:2 03-04:2 03-05:2 03-06:2 03-07:1', 'what is in flight keeps its place');
UPDATE followup.message SET state = 'in_doubt' WHERE id = :sending;
UPDATE followup.message SET state = 'cancelled' WHERE id = :sending;
SELECT is(t.used(), '03-02:1 03-03:2 03-04:2 03-05:2 03-06:2 03-07:1', 'so does what may have left');
UPDATE followup.message SET cap_day = NULL WHERE id = :sending;
UPDATE followup.cap_use SET used = used - 1 WHERE day = '2026-03-03';

-- Moved when planned anew
UPDATE followup.message SET due_at = '2026-03-20 09:00+00' WHERE id = t.live(:b);
SELECT is(t.due(:b), '2026-03-20 09:00', 'by hand to a free day');
SELECT is(t.used(), '03-02:1 03-03:1 03-04:2 03-05:2 03-06:2 03-20:1', 'the place goes along');
UPDATE followup.message SET due_at = '2026-03-05 09:00+00' WHERE id = t.live(:b);
SELECT is(t.due(:b), '2026-03-07 09:00', 'to a full day: on to the next free one');
UPDATE followup.message SET due_at = '2026-03-07 12:00+00' WHERE id = t.live(:b);
SELECT is(t.used(), '03-02:1 03-03:1 03-04:2 03-05:2 03-06:2 03-07:1', 'on the same day it keeps one place');
UPDATE followup.message SET due_at = '2026-03-05 09:00+00', forced = true WHERE id = t.live(:b);
SELECT is(t.due(:b), '2026-03-05 09:00', 'forced: on a full day too');
SELECT is(t.used(), '03-02:1 03-03:1 03-04:2 03-05:3 03-06:2', 'but it is counted');
UPDATE followup.message SET due_at = 'infinity', forced = false WHERE id = t.live(:b);
SELECT is(t.used(), '03-02:1 03-03:1 03-04:2 03-05:2 03-06:2', 'what is held without an end has no place');
UPDATE followup.message SET due_at = '2026-03-02 10:00+00' WHERE id = t.live(:b);
SELECT is(t.used(), '03-02:2 03-03:1 03-04:2 03-05:2 03-06:2', 'and takes one when it has a day again');
SELECT is_empty('SELECT * FROM t.ledger() AS l (a bigint, d date, n integer)', 'cap_use and messages agree');

-- With windows and holidays: the first day on which the lead may be written to and a place is free
INSERT INTO followup.send_window (account_id, weekday, opens, closes) SELECT 1, d, '09:00', '17:00' FROM generate_series(1, 5) AS d;
INSERT INTO followup.holiday (account_id, date, name) VALUES (1, '2026-03-09', 'a day off');
SELECT is(r.due_at, '2026-03-10 08:00+00', 'full until Friday, a weekend, a holiday on Monday: Tuesday')
  FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 1, '2026-03-04 08:00+00') AS r;
INSERT INTO followup.lead (account_id, id, email, timezone) VALUES (1, 9001, 'ny@l.example', 'America/New_York');
SELECT is(r.due_at, '2026-03-10 13:00+00', 'when the lead''s window opens: 9:00 in New York')
  FROM followup.start_follow_up(1, ARRAY[9001]::bigint[], 1, 1, '2026-03-06 15:00+00') AS r;
SELECT is_empty('SELECT * FROM t.ledger() AS l (a bigint, d date, n integer)', 'cap_use and messages agree');
DELETE FROM followup.send_window;
DELETE FROM followup.holiday;

-- What comes next takes its place when it is planned; preview says that it may move
SELECT is((SELECT string_agg(coalesce(note, '-'), ' | ' ORDER BY position) FROM followup.preview(1, 9001)),
          '- | planned when the message before has left, if the cap allows | planned when the message before has left, if the cap allows', 'preview: if the cap allows');
SELECT t.finish(9001) AS next \gset
SELECT is((SELECT to_char(cap_day, 'MM-DD') FROM followup.message WHERE id = :next), '03-12', 'the next step has a place of its own');
DELETE FROM followup.lead WHERE id = 9001;
SELECT is((SELECT used FROM followup.cap_use WHERE day = '2026-03-12'), 0, 'a deleted message gives its place back');
SELECT is((SELECT (used, gone)::text FROM followup.cap_use WHERE day = '2026-03-10'), '(2,1)', 'but what had left counts on its day still');
SELECT is_empty('SELECT * FROM followup.wrong_cap', 'and is missed by no invariant');

-- In doubt it keeps its place; not sent after all, it gives that back before it takes one
UPDATE followup.assistant SET daily_cap = 1 WHERE id = 2;
SELECT r.lead_id AS d FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 2, '2026-03-11 10:00+00') AS r \gset
SET test.now = '2026-03-11 10:00+00';
SELECT t.claim(:d) AS doubted \gset
UPDATE followup.message SET state = 'in_doubt' WHERE id = :doubted;
SET test.now = '2026-03-11 12:00+00';
SELECT followup.settle_in_doubt(1, :doubted, 'not_sent') \gset
SELECT is(t.due(:d), '2026-03-11 12:00', 'in doubt and not sent: today, though its day is full of itself');
SELECT is((SELECT used FROM followup.cap_use WHERE assistant_id = 2 AND day = '2026-03-11'), 1, 'and it has one place');
SELECT is_empty('SELECT * FROM followup.wrong_cap WHERE assistant_id = 2', 'as the invariant wants it');
-- A full day, and no other to go to
INSERT INTO followup.holiday (account_id, date, name) SELECT 1, d, 'never' FROM generate_series('2026-03-12'::date, '2027-05-01', '1 day') AS d;
SELECT is((SELECT r::text FROM followup.reserve_place(1, 2, 'Europe/Berlin', NULL, '2026-03-11 14:00+00', false) AS r), '(infinity,)', 'where there is no other day there is no place');
DELETE FROM followup.holiday;

-- A day of which nothing is used between two that are full
UPDATE followup.assistant SET daily_cap = 1 WHERE id = 2;
INSERT INTO followup.cap_use (account_id, assistant_id, day, used) VALUES (1, 2, '2026-04-07', 1), (1, 2, '2026-04-09', 1);
SELECT is((SELECT r::text FROM followup.reserve_place(1, 2, 'Europe/Berlin', NULL, '2026-04-07 14:00+00', false) AS r), '("2026-04-08 14:00:00+00",2026-04-08)', 'is the next free one');
SELECT is((SELECT r::text FROM followup.reserve_place(1, 2, 'Europe/Berlin', NULL, '2026-04-07 14:00+00', false) AS r), '("2026-04-10 14:00:00+00",2026-04-10)', 'once; then the day behind all three');
DELETE FROM followup.cap_use WHERE assistant_id = 2 AND day >= '2026-04-01';

-- A ramp
UPDATE followup.assistant SET daily_cap = 3, ramp = '{1,2}', ramp_from = '2026-05-01' WHERE id = 2;
SELECT results_eq(
    $$ SELECT to_char(r.due_at, 'MM-DD') FROM followup.start_follow_up(1, ARRAY(SELECT t.lead() FROM generate_series(1, 7)), 1, 2, '2026-05-01 08:00+00') AS r ORDER BY 1 $$,
    $$ VALUES ('05-01'), ('05-02'), ('05-02'), ('05-03'), ('05-03'), ('05-03'), ('05-04') $$, 'a ramp: 1, 2, then 3 a day');
SELECT * FROM finish();
ROLLBACK;
