-- Writes that plan again what is scheduled: from any client, in its own transaction, a statement at a time.
BEGIN;
\ir support/rules_world.sql
SELECT plan(54);
-- Monday 08:00 UTC is 09:00 in Berlin, 03:00 in New York, 17:00 in Tokyo.
INSERT INTO followup.send_window SELECT 1, d, '09:00', '17:00' FROM generate_series(1, 5) AS d;

-- lead.timezone
SELECT t.started() AS l1, t.started() AS l2, t.started() AS l3 \gset
SELECT t.live(:l1) AS m1 \gset
UPDATE followup.lead SET timezone = v.timezone FROM (VALUES (:l1, 'America/New_York'), (:l2, 'Asia/Tokyo'), (:l3, 'Europe/Madrid')) AS v (id, timezone) WHERE lead.id = v.id;
SELECT is(t.due(:l1), '2026-03-02 14:00', 'lead.timezone: 09:00 of New York');
SELECT is(t.live(:l1), :m1::bigint, 'by the same message');
SELECT is(t.due(:l2), '2026-03-03 00:00', '09:00 of the next day of Tokyo: the window has closed there');
SELECT is(t.due(:l3), '2026-03-02 08:00', 'a zone of the same hour: nothing moves');
SELECT is((SELECT planned_reason FROM followup.message WHERE id = :m1), 'planned anew: zone or country of the lead changed', 'the message says why');
UPDATE followup.lead SET timezone = NULL WHERE id IN (:l1, :l2);
SELECT is(t.due(:l1) || ', ' || t.due(:l2), '2026-03-02 08:00, 2026-03-02 08:00', 'undone: as it was');
UPDATE followup.lead SET timezone = 'Mars/Olympus' WHERE id = :l1;
SELECT is(t.due(:l1), '2026-03-02 08:00', 'an unknown zone: the account''s');
UPDATE followup.lead SET first_name = 'Ann', timezone = timezone WHERE id = :l2;
SELECT is((SELECT planned_reason FROM followup.message WHERE id = t.live(:l2)), 'planned anew: zone or country of the lead changed', 'no change, nothing planned');
-- what is in flight, forced, or of others stays
SELECT t.started() AS l4, t.started() AS l5 \gset
SELECT t.claim(:l4) AS m4 \gset
SELECT r.message_id AS m5 FROM followup.reschedule(1, ARRAY[t.live(:l5)], p_forced => true, p_note => 'now') AS r \gset
UPDATE followup.lead SET timezone = 'Asia/Tokyo' WHERE id IN (:l4, :l5);
SELECT is((SELECT due_at FROM followup.message WHERE id = :m4), '2026-03-02 08:00+00', 'a message in flight keeps its time');
SELECT is((SELECT due_at FROM followup.message WHERE id = :m5), '2026-03-02 08:00+00', 'a forced one too');
-- what was planned by a delay is planned from the same base
SELECT t.started() AS l6 \gset
SELECT t.finish(:l6) AS m6 \gset
SELECT is(t.due(:l6), '2026-03-04 08:00', 'two days after the first');
UPDATE followup.lead SET timezone = 'Asia/Tokyo' WHERE id = :l6;
SELECT is(t.due(:l6), '2026-03-05 00:00', 'two days after the first, and 09:00 in Tokyo');
-- a retry keeps its wait
SET ROLE followup_owner;
UPDATE followup.message SET attempts = 1, due_at = '2026-03-06 02:00+00', not_before = '2026-03-06 02:00+00' WHERE id = :m6;
RESET ROLE;
UPDATE followup.lead SET timezone = 'Asia/Seoul' WHERE id = :l6;
SELECT is(t.due(:l6), '2026-03-06 02:00', 'a retry is not brought forward');
-- overdue stays overdue
SET test.now = '2026-03-02 09:30+00';
SELECT t.started() AS l7 \gset
SET test.now = '2026-03-02 10:00+00';
UPDATE followup.lead SET timezone = 'Europe/Paris' WHERE id = :l7;
SELECT is(t.due(:l7), '2026-03-02 09:30', 'what is overdue is not made later');
-- nothing becomes due before now
SET test.now = '2026-03-02 08:00+00';

-- lead.country alone is read by plan_at (holidays): it is asked again
UPDATE followup.message SET due_at = '2026-03-05 10:00+00' WHERE id = t.live(:l3);
UPDATE followup.lead SET country = 'DE' WHERE id = :l3;
SELECT is(t.due(:l3), '2026-03-05 10:00', 'lead.country');

-- lead.email
SELECT t.started() AS l8, t.started() AS l9 \gset
SELECT count(*) AS n FROM followup.suppress(1, 'gone@l.example', 'asked', 'test') \gset
UPDATE followup.lead SET email = CASE id WHEN :l8 THEN 'Gone@l.example' ELSE 'fresh@l.example' END WHERE id IN (:l8, :l9);
SELECT is(t.state(:l8) || ' ' || t.messages(:l8), 'stopped a:cancelled', 'lead.email: a suppressed address ends it');
SELECT is((SELECT ended_reason FROM followup.conversation WHERE lead_id = :l8), 'suppressed', 'as suppressed');
SELECT is(t.state(:l9) || ' ' || t.messages(:l9), 'active/sequence a:scheduled', 'any other is written to next');

-- send_window: each kind of statement
SELECT t.started() AS l10, t.live(:l9) AS m9 \gset
DELETE FROM followup.send_window WHERE account_id = 1 AND weekday < 3;
SELECT is(t.due(:l10), '2026-03-04 08:00', 'send_window, DELETE: Wednesday is the first day');
UPDATE followup.send_window SET opens = '10:30' WHERE account_id = 1;
SELECT is(t.due(:l10), '2026-03-04 09:30', 'UPDATE');
INSERT INTO followup.send_window VALUES (1, 1, '13:00', '14:00');
SELECT is(t.due(:l10), '2026-03-02 12:00', 'INSERT: earlier again');
DELETE FROM followup.send_window WHERE account_id = 1;
SELECT is(t.due(:l10), '2026-03-02 08:00', 'no window: now, never before');
SELECT is((SELECT count(*) FROM followup.message WHERE account_id = 2 AND planned_reason LIKE 'planned anew%'), 0::bigint, 'other accounts are left alone');

-- account.timezone
INSERT INTO followup.send_window SELECT 1, d, '09:00', '17:00' FROM generate_series(1, 5) AS d;
UPDATE followup.account SET timezone = 'America/New_York' WHERE id = 1;
SELECT is(t.due(:l10), '2026-03-02 14:00', 'account.timezone: for a lead without one');
SELECT is((SELECT due_at FROM followup.message WHERE id = :m6), '2026-03-06 02:00+00', 'a lead with its own stays');
UPDATE followup.account SET timezone = 'Europe/Berlin' WHERE id = 1;
SELECT is(t.due(:l10), '2026-03-02 08:00', 'and back');

-- holiday and caps: plan_at is asked again, whatever it makes of them
CREATE FUNCTION t.asked(p_statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    SET LOCAL ROLE followup_owner;
    UPDATE followup.message SET due_at = '2026-09-01 12:00+00' WHERE account_id = 1 AND state = 'scheduled' AND NOT forced AND attempts = 0;
    SET LOCAL ROLE NONE;
    EXECUTE p_statement;
    SELECT count(*) INTO v_count FROM followup.message
     WHERE account_id = 1 AND state = 'scheduled' AND NOT forced AND attempts = 0 AND due_at <> '2026-09-01 12:00+00';
    RETURN v_count;
END $$;
SELECT count(*) AS live, count(*) FILTER (WHERE l.country = 'DE') AS german
  FROM followup.message AS m JOIN followup.lead AS l ON l.id = m.lead_id
 WHERE m.account_id = 1 AND m.state = 'scheduled' AND NOT forced AND attempts = 0 \gset
SELECT cmp_ok(:german, '>', 0, 'there is a German lead');
SELECT is(t.asked($$INSERT INTO followup.holiday (account_id, date, name) VALUES (1, '2030-01-01', 'Ours')$$), :live::bigint, 'a holiday of an account: all of it is planned again');
SELECT is(t.asked($$INSERT INTO followup.holiday (country, date, name) VALUES ('DE', '2030-10-03', 'Unity')$$), :german::bigint, 'of a country: its leads alone');
SELECT is(t.asked($$INSERT INTO followup.holiday (country, date, name) VALUES ('FR', '2030-07-14', 'Bastille')$$), 0::bigint, 'of another country: nobody');
SELECT is(t.asked($$UPDATE followup.holiday SET country = 'IT' WHERE country = 'DE' AND date = '2030-10-03'$$), :german::bigint, 'moved to another country: those it was for');
SELECT is(t.asked($$DELETE FROM followup.holiday WHERE account_id = 1$$), :live::bigint, 'deleted: all of it again');
SELECT is(t.asked($$UPDATE followup.assistant SET title = 'Ms' WHERE id = 1$$), 0::bigint, 'an assistant''s title plans nothing');

-- caps
\o /dev/null
DELETE FROM followup.send_window;
DELETE FROM followup.holiday;
SELECT followup.stop_messaging(1, array_agg(id)) FROM followup.lead WHERE account_id = 1 AND state = 'active';
SELECT t.started() AS c1, t.started() AS c2, t.started() AS c3, t.started() AS c4, t.started() AS c5 \gset
\o
CREATE FUNCTION t.days() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(to_char(due_at, 'MM-DD'), ' ' ORDER BY id) FROM followup.message WHERE account_id = 1 AND state = 'scheduled' AND NOT detached $$;
CREATE FUNCTION t.places() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(to_char(day, 'MM-DD:') || used, ' ' ORDER BY day) FROM followup.cap_use WHERE account_id = 1 AND assistant_id = 1 AND used > 0 $$;
SELECT is(t.days(), '03-02 03-02 03-02 03-02 03-02', 'no cap: all today');
UPDATE followup.assistant SET daily_cap = 2 WHERE id = 1;
SELECT is(t.days(), '03-02 03-02 03-03 03-03 03-04', 'a cap: two a day, in the order in which they were planned');
SELECT is(t.places(), '03-02:2 03-03:2 03-04:1', 'with their places');
UPDATE followup.assistant SET daily_cap = 1 WHERE id = 1;
SELECT is(t.days() || ' | ' || t.places(), '03-02 03-03 03-04 03-05 03-06 | 03-02:1 03-03:1 03-04:1 03-05:1 03-06:1', 'a lower cap');
UPDATE followup.assistant SET ramp = '{3,1}', ramp_from = '2026-03-02' WHERE id = 1;
SELECT is(t.days() || ' | ' || t.places(), '03-02 03-02 03-02 03-03 03-04 | 03-02:3 03-03:1 03-04:1', 'a ramp');
UPDATE followup.lead SET timezone = 'Asia/Tokyo' WHERE id = :c5;
SELECT is(t.days() || ' | ' || t.places(), '03-02 03-02 03-02 03-03 03-04 | 03-02:3 03-03:1 03-04:1', 'what only the cap moved keeps its place when a zone changes');
UPDATE followup.assistant SET daily_cap = NULL, ramp = NULL WHERE id = 1;
SELECT is(t.days() || coalesce(t.places(), ' -'), '03-02 03-02 03-02 03-02 03-02 -', 'no cap again: all as it was');
UPDATE followup.assistant SET daily_cap = 1 WHERE id = 2;
SELECT is(t.days(), '03-02 03-02 03-02 03-02 03-02', 'the cap of another');
-- held, and asked for, at the very instant to which the cap had moved it: it is no longer the cap's
UPDATE followup.assistant SET daily_cap = 2 WHERE id = 1;
\o /dev/null
SELECT followup.hold(1, ARRAY[:c5]::bigint[], '2026-03-04 08:00+00');
SELECT followup.reschedule(1, ARRAY[t.live(:c4)], '2026-03-03 08:00+00');
\o
SELECT is((SELECT count(cap_moved_from) FROM followup.message WHERE id IN (t.live(:c3), t.live(:c4), t.live(:c5))), 1::bigint, 'a hold and a reschedule to the instant at which the cap put it: the cap moved the third alone');
UPDATE followup.assistant SET daily_cap = NULL WHERE id = 1;
SELECT is(t.days(), '03-02 03-02 03-02 03-03 03-04', 'and without the cap that alone goes back');

-- lead.state
SELECT throws_ok(format('UPDATE followup.lead SET state = ''stopped'', sub_state = NULL WHERE id = %s', :c1), '42501', NULL, 'lead.state: a direct write is refused');
SELECT throws_like(format('UPDATE followup.lead SET status = ''satisfied'' WHERE id = %s', :l10), '%not written directly%', 'status as well');
SELECT throws_ok($$INSERT INTO followup.lead (account_id, email, state) VALUES (1, 's@l.example', 'stopped')$$, '42501', 'a lead starts as new, not as stopped', 'nor by INSERT');
SELECT lives_ok($$INSERT INTO followup.lead (account_id, email, sub_state) VALUES (1, 'v@l.example', 'validating')$$, 'new/validating is fine');
DO $$
DECLARE
    v_hint text;
BEGIN
    UPDATE followup.lead SET state = 'stopped', sub_state = NULL WHERE account_id = 1 AND state = 'active';
EXCEPTION WHEN insufficient_privilege THEN
    GET STACKED DIAGNOSTICS v_hint = PG_EXCEPTION_HINT;
    PERFORM set_config('test.hint', v_hint, false);
END $$;
SELECT matches(current_setting('test.hint'), 'stop_messaging', 'the refusal names the function');

-- what the cap had moved does not go back to a day that is over
\o /dev/null
SELECT followup.stop_messaging(1, array_agg(id)) FROM followup.lead WHERE account_id = 1 AND state = 'active';
INSERT INTO followup.send_window SELECT 1, d, '09:00', '17:00' FROM generate_series(1, 5) AS d;
UPDATE followup.assistant SET daily_cap = 1 WHERE id = 1;
SELECT t.started() AS d1, t.started() AS d2, t.started() AS d3, t.started() AS d4, t.started() AS d5 \gset
SELECT followup.stop_messaging(1, ARRAY[:d1, :d2]);
\o
SELECT is(concat_ws(', ', t.due(:d3), t.due(:d4), t.due(:d5)), '2026-03-04 08:00, 2026-03-05 08:00, 2026-03-06 08:00', 'planned for Monday, moved to Wednesday, Thursday, Friday');
SET test.now = '2026-03-04 17:00+00';
UPDATE followup.assistant SET daily_cap = 2 WHERE id = 1;
SELECT is(concat_ws(', ', t.due(:d3), t.due(:d4), t.due(:d5)), '2026-03-04 08:00, 2026-03-05 08:00, 2026-03-05 08:00', 'Wednesday evening, a place more a day: what is overdue stays, the others go when the window opens');
UPDATE followup.assistant SET daily_cap = 1 WHERE id = 1;
SET test.now = '2026-03-05 10:00+00';
UPDATE followup.assistant SET daily_cap = 2 WHERE id = 1;
SELECT is(concat_ws(', ', t.due(:d4), t.due(:d5)), '2026-03-05 08:00, 2026-03-05 10:00', 'the window is open: now');
UPDATE followup.assistant SET daily_cap = NULL WHERE id = 1;
DELETE FROM followup.send_window;

-- jitter
SET test.now = '2026-03-02 08:00+00';
UPDATE followup.account SET jitter_max = '4 hours' WHERE id = 1;
SELECT t.started() AS j \gset
SELECT due_at AS jittered FROM followup.message WHERE id = t.live(:j) \gset
SELECT cmp_ok(:'jittered'::timestamptz, '>', followup.now(), 'there is some jitter');
SELECT set_config('test.now', (followup.now() + (:'jittered'::timestamptz - followup.now()) / 2)::text, false) \gset
INSERT INTO followup.holiday (account_id, date, name) VALUES (1, '2030-01-01', 'Ours');
SELECT is((SELECT due_at FROM followup.message WHERE id = t.live(:j)), :'jittered'::timestamptz, 'between base and due time: planned anew the jitter is the same');
SELECT set_config('test.now', (:'jittered'::timestamptz + interval '1 hour')::text, false) \gset
DELETE FROM followup.holiday;
SELECT is((SELECT due_at FROM followup.message WHERE id = t.live(:j)), :'jittered'::timestamptz, 'overdue: as well');
SELECT * FROM finish();
ROLLBACK;
