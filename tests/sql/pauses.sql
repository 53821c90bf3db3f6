-- Pause and resume of account, assistant and sequence, by the functions and by a direct write: the same, and no stampede.
\ir support/rules_world.sql
CREATE EXTENSION dblink;
SELECT plan(23);
CREATE FUNCTION t.paused() RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(w.what, ' ' ORDER BY w.what), 'nothing')
      FROM (SELECT 'account ' || id AS what FROM followup.account WHERE paused_at IS NOT NULL
            UNION ALL SELECT 'assistant ' || id FROM followup.assistant WHERE paused_at IS NOT NULL
            UNION ALL SELECT 'sequence ' || id FROM followup.sequence WHERE paused_at IS NOT NULL) AS w $$;
-- Can a claim have this account's row now, as seen from another connection?
CREATE FUNCTION t.free(p_account bigint) RETURNS boolean LANGUAGE sql AS $$
    SELECT n > 0 FROM dblink(format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'), current_setting('port'),
                                    current_database(), current_user),
                             format('SELECT count(*) FROM (SELECT id FROM followup.account WHERE id = %s FOR SHARE SKIP LOCKED) AS a', p_account)) AS x (n bigint) $$;

\o /dev/null
SELECT t.started() AS a1, t.started() AS a2, t.started(2) AS s1 \gset
SELECT r.lead_id AS b1 FROM followup.start_follow_up(1, ARRAY[t.lead()], 1, 2) AS r \gset
\o
SELECT ok(t.free(1), 'at first the account is free');
BEGIN;
SELECT is(followup.pause(1, p_sequence => 2), '{}', 'a sequence is paused, nothing is in flight');
SELECT ok(NOT t.free(1), 'and until that is committed no claim gets the account');
COMMIT;
SELECT is(t.paused(), 'sequence 2', 'only the sequence');
SELECT set_eq('SELECT id FROM followup.message_to_load', format('SELECT t.live(u) FROM unnest(ARRAY[%s, %s, %s]) AS u', :a1, :a2, :b1), 'the loader leaves it out');
SELECT ok(followup.resume(1, p_sequence => 2), 'and resumed');
BEGIN;
UPDATE followup.assistant SET paused_at = followup.now() WHERE account_id = 1 AND id = 2;
SELECT ok(NOT t.free(1), 'a direct pause of an assistant keeps claims away just so');
COMMIT;
SELECT set_eq('SELECT id FROM followup.message_to_load', format('SELECT t.live(u) FROM unnest(ARRAY[%s, %s, %s]) AS u', :a1, :a2, :s1), 'and what it writes is left out');
BEGIN;
UPDATE followup.sequence SET paused_at = followup.now() WHERE account_id = 1 AND id = 1;
SELECT ok(NOT t.free(1), 'of a sequence as well');
COMMIT;
BEGIN;
UPDATE followup.sequence SET name = 'Sales again' WHERE account_id = 1 AND id = 1;
SELECT ok(t.free(1), 'another name keeps nobody away');
COMMIT;
UPDATE followup.sequence SET paused_at = NULL WHERE account_id = 1;
UPDATE followup.assistant SET paused_at = NULL WHERE account_id = 1;
SELECT is(t.paused(), 'nothing', 'all resumed');

-- No stampede: a thousand messages that were due over a weekend of pause
\o /dev/null
CREATE TABLE t.many AS
WITH lead AS (INSERT INTO followup.lead (account_id, email) SELECT 1, 'm' || n || '@many.example' FROM generate_series(1, 1000) AS n RETURNING id)
SELECT r.lead_id, r.message_id FROM (SELECT array_agg(id) AS ids FROM lead) AS l, LATERAL followup.start_follow_up(1, l.ids, 1, 1) AS r;
SELECT followup.hold(1, ARRAY[:b1], '2026-03-04 12:00+00') AS h \gset
SELECT followup.pause(1) AS p \gset
SET test.now = '2026-03-03 08:00+00';
\o
SELECT ok(followup.resume(1), 'resume a day later');
SELECT is((SELECT min(due_at) FROM followup.message WHERE state = 'scheduled' AND planned_reason = 'resumed'), '2026-03-03 08:00+00', 'the first goes now');
SELECT is((SELECT max(n) FROM (SELECT count(*) AS n FROM followup.message WHERE state = 'scheduled' GROUP BY date_trunc('second', due_at)) AS s), 10::bigint, 'ten a second, not all at once');
SELECT is((SELECT count(DISTINCT due_at) FROM followup.message WHERE planned_reason = 'resumed'), (SELECT count(*) FROM followup.message WHERE planned_reason = 'resumed'), 'each at its own instant');
SELECT is(t.due(:b1), '2026-03-04 12:00', 'what is held stays held');
SELECT is((SELECT string_agg(m.id::text, ' ' ORDER BY m.due_at) FROM followup.message AS m WHERE m.lead_id IN (:a1, :a2)), t.live(:a1) || ' ' || t.live(:a2), 'in the order in which they were due');
SELECT ok(NOT followup.resume(1), 'a second resume changes nothing');
-- an hour at most
SELECT cmp_ok(followup.spread_overdue(1), '=', 1, 'only what is due is spread (the first of them is)');

-- one pause ends, another goes on
\o /dev/null
SET test.now = '2026-03-03 12:00+00';
SELECT followup.pause(1) AS p \gset
SELECT followup.pause(1, p_assistant => 1) AS p \gset
SET test.now = '2026-03-04 08:00+00';
SELECT t.due(:a1) AS due \gset
UPDATE followup.account SET paused_at = NULL WHERE id = 1;
\o
SELECT is(t.due(:a1), :'due', 'the assistant is paused still: nothing of it moves');
UPDATE followup.assistant SET paused_at = NULL WHERE id = 1;
SELECT cmp_ok((SELECT due_at FROM followup.message WHERE id = t.live(:a1)), '>=', '2026-03-04 08:00+00'::timestamptz, 'by a direct write it is planned from now, as by resume()');

-- through the window, and late_action hold keeps what is too late for a person
\o /dev/null
SELECT followup.pause(1) AS p \gset
SET test.now = '2026-03-05 06:00+00';
INSERT INTO followup.send_window SELECT 1, d, '09:00', '17:00' FROM generate_series(1, 5) AS d;
SELECT followup.resume(1) AS r \gset
\o
SELECT is(t.due(:a1), '2026-03-05 08:00', 'resumed before the window opens: when it opens');
\o /dev/null
SELECT followup.pause(1) AS p \gset
UPDATE followup.account SET late_action = 'hold' WHERE id = 1;
SET test.now = '2026-03-06 12:00+00';
SELECT t.due(:a1) AS due, followup.resume(1) AS r \gset
\o
SELECT is(t.due(:a1), :'due', 'late_action hold: what is later than late_after is not sent by a resume');
SELECT * FROM finish();
