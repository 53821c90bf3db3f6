-- Places under daily caps where something else happens: another zone of the account, a lead that is deleted, doubt.
BEGIN;
\ir support/rules_world.sql
\ir support/posts.sql
SELECT plan(16);
UPDATE followup.assistant SET daily_cap = 1 WHERE id = 1;
CREATE FUNCTION t.places() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(to_char(day, 'MM-DD:') || used, ' ' ORDER BY day) FROM followup.cap_use WHERE account_id = 1 AND assistant_id = 1 AND used > 0 $$;

-- The days of a cap are the account's
SELECT r.lead_id AS a FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 1, '2026-03-02 20:00+00') AS r \gset
SELECT r.lead_id AS b FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 1, '2026-03-03 09:00+00') AS r \gset
SELECT t.live(:a) AS m, t.live(:b) AS n \gset
SELECT is(t.places(), '03-02:1 03-03:1', 'two days of Berlin');
UPDATE followup.account SET timezone = 'Asia/Tokyo' WHERE id = 1;
SELECT is(t.places() || ', ' || t.at(:m) || ', ' || t.at(:n), '03-03:1 03-04:1, 2026-03-02 20:00:00, 2026-03-04 09:00:00', 'in Tokyo it is one: the second goes on, and is shown so');
SET test.now = '2026-03-02 20:00+00';
SELECT is(t.ask(:m), 'claimed', 'the first leaves as shown');
SELECT is(t.tell(:m, 'sent'), true, 'is sent');
UPDATE followup.account SET timezone = 'Europe/Berlin' WHERE id = 1;
SELECT is_empty('SELECT * FROM followup.wrong_cap', 'cap_use and messages agree');

-- A lead that is deleted takes along its scheduled messages' places, not those of what left
SET test.now = '2026-03-03 00:30+00';
SELECT followup.stop_messaging(1, ARRAY[:b]::bigint[]) \g /dev/null
SELECT t.places() AS before \gset
DELETE FROM followup.lead WHERE id = :a;
SELECT is(t.places(), replace(:'before', ' 03-05:1', ''), 'what was sent today was sent today; what was to come is not');
SELECT is((SELECT string_agg(day || ':' || gone, ' ') FROM followup.cap_use WHERE gone > 0), '2026-03-03:1', 'and says that it is gone');
SELECT is_empty('SELECT * FROM followup.wrong_cap', 'which the invariant knows');
SELECT is((SELECT due_at FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 1) AS r), '2026-03-04 00:30+00'::timestamptz, 'the day stays full');
SELECT max(lead_id) AS c FROM followup.message \gset
DELETE FROM followup.lead WHERE id = :c;
SELECT is(t.places() || ' ' || (SELECT sum(gone) FROM followup.cap_use), '03-03:1 1', 'what was scheduled gives its place back');

-- A worker that died without a word, and a lead that was stopped: the place may have been used, and no attempt says so
SET test.now = '2026-03-10 08:00+00';
SELECT t.started() AS d \gset
SELECT t.claim(:d) AS m \gset
UPDATE followup.message SET state = 'in_doubt' WHERE id = :m;
SELECT followup.stop_messaging(1, ARRAY[:d]::bigint[]) \g /dev/null
SELECT is((SELECT state::text FROM followup.settle_in_doubt(1, :m, 'not_sent')), 'cancelled', 'in doubt, stopped, settled');
SELECT is_empty('SELECT * FROM followup.wrong_cap', 'its place is no fault');
DELETE FROM followup.lead WHERE id = :d;
SELECT is_empty('SELECT * FROM followup.wrong_cap', 'nor is it when the lead is gone');


-- On its day a message has its place, however many others a person has forced into it
SET test.now = '2026-03-20 08:00+00';
SELECT t.started() AS e \gset
SELECT t.live(:e) AS m, t.started() AS f \gset
SELECT due_at FROM followup.reschedule(1, ARRAY[t.live(:f)], '2026-03-20 09:00+00', true, p_note => 'now') \gset f_
INSERT INTO followup.send_window SELECT 1, d, '11:00', '17:00' FROM generate_series(1, 7) AS d;
SELECT is(t.at(:m), '2026-03-20 10:00:00', 'the window opens an hour later: on the same day');
SELECT is((SELECT used FROM followup.cap_use WHERE day = '2026-03-20'), 2, 'and the day has as many as before');
SELECT is_empty('SELECT * FROM followup.wrong_cap', 'whose they are');
SELECT * FROM finish();
ROLLBACK;
