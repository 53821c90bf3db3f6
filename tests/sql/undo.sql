-- Undo: of a bulk, of a stop. What comes back is what it was, and nothing comes back to somebody for whom it is over.
BEGIN;
\ir support/rules_world.sql
\ir support/posts.sql
SELECT plan(24);
-- An action done in bulk to those of a company; answers the bulk.
CREATE FUNCTION t.bulk(p_action text, p_company text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    SELECT * INTO v FROM followup.bulk_plan(1, p_action, 'company=' || p_company, p_note => 'spring',
        p_sequence => CASE WHEN p_action = 'restart' THEN 1 END, p_assistant => CASE WHEN p_action = 'restart' THEN 1 END);
    PERFORM followup.bulk_commit(1, v.bulk_id, v.would_be_done);
    WHILE followup.bulk_work(1, v.bulk_id) LOOP END LOOP;
    RETURN v.bulk_id;
END $$;
-- Undoes it: how many, and why the others were left.
CREATE FUNCTION t.undo(p_bulk bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM followup.bulk_undo(1, p_bulk, NULL, 'a mistake');
    WHILE followup.bulk_work(1, p_bulk) LOOP END LOOP;
    RETURN (SELECT undone || ' ' || coalesce(kept, '{}') || coalesce(errors::text, '') FROM followup.bulk_status(1, p_bulk));
END $$;
CREATE FUNCTION t.of(p_company text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_lead bigint := t.started();
BEGIN
    UPDATE followup.lead SET company = p_company WHERE id = v_lead;
    RETURN v_lead;
END $$;
CREATE FUNCTION t.later() RETURNS void LANGUAGE sql AS $$ SELECT set_config('test.now', (followup.now() + interval '1 minute')::text, false) $$;

-- Who answered meanwhile, or was named by the CRM, is not taken back
SELECT t.of('skip') AS a, t.of('skip') AS b, t.of('skip') AS c \gset
UPDATE followup.lead SET crm_source = 'HigherGear' WHERE id = :c;
SELECT followup.set_crm_rule(1, 'HigherGear', '26', 'skip_to_follow_up') \g /dev/null
SELECT t.later();
SELECT t.bulk('skip', 'skip') AS bulk \gset
SELECT t.later();
SELECT t.reply(:a, 'further_action') \g /dev/null
SELECT t.reply(:b, 'keep_messaging') \g /dev/null
UPDATE followup.lead SET crm_status = '26' WHERE id = :c;
SELECT is(t.undo(:bulk), '1 {"changed": 2}[]', 'a skip: one answered, one was to be skipped anyhow');
SELECT is(t.messages(:a) || ', ' || t.messages(:c), 'a:cancelled f:scheduled, a:cancelled f:scheduled', 'these get their follow-up');
SELECT is(t.messages(:b), 'a:cancelled f:cancelled a:scheduled', 'an answer that changes nothing is no reason');
SELECT t.of('stop') AS a, t.of('stop') AS b, t.of('stop') AS c, t.of('stop') AS d \gset
UPDATE followup.lead SET crm_source = 'HigherGear' WHERE id = :c;
SELECT t.reply(:d, 'keep_messaging') \g /dev/null
SELECT t.later();
SELECT t.bulk('stop', 'stop') AS bulk \gset
SELECT t.later();
SELECT t.reply(:a, 'satisfied') \g /dev/null
UPDATE followup.lead SET crm_status = '9' WHERE id = :c;
SELECT is(t.undo(:bulk), '2 {"changed": 2}[]', 'a stop: one answered, one bought elsewhere');
SELECT is(concat_ws(', ', t.messages(:a), t.messages(:b), t.messages(:c), t.messages(:d)), 'a:cancelled, a:cancelled a:scheduled, a:cancelled, a:cancelled a:scheduled', 'and are not written to');

-- Nor is a message to which a person gave a time; one that a pause moved is
SELECT t.of('moved') AS a, t.of('moved') AS b, t.of('moved') AS c \gset
SELECT t.bulk('skip', 'moved') AS bulk \gset
SELECT due_at FROM followup.reschedule(1, ARRAY[t.live(:a)], followup.now() + interval '3 days') \gset
UPDATE followup.message SET due_at = followup.now() + interval '3 days' WHERE id = t.live(:b);
SELECT is(t.undo(:bulk), '1 {"changed": 2}[]', 'rescheduled, by the function and by hand: changed');
SELECT is(t.messages(:a), 'a:cancelled f:scheduled', 'it goes when the person said');
SELECT t.of('paused') AS a \gset
SELECT t.bulk('restart', 'paused') AS bulk, followup.pause(1) AS p \gset
SELECT t.later();
SELECT followup.resume(1) \g /dev/null
SELECT is(t.undo(:bulk), '1 {}[]', 'spread at the end of a pause: undone');

-- What comes back is what it was
UPDATE followup.account SET jitter_max = '4 hours' WHERE id = 1;
SELECT t.of('exact') AS a, t.of('exact') AS b \gset
SELECT t.at(t.live(:b)) AS jittered \gset
SELECT done FROM followup.reschedule(1, ARRAY[t.live(:a)], '2026-03-08 02:00+00', true, p_note => 'on Sunday night') \gset h_
SELECT t.bulk('skip', 'exact') AS bulk \gset
INSERT INTO followup.send_window SELECT 1, d, '06:00', '20:00' FROM generate_series(1, 7) AS d;
SELECT is(t.undo(:bulk), '2 {}[]', 'undone');
SELECT is(t.at(t.live(:a)), '2026-03-08 02:00:00', 'a forced one at the instant that a person chose');
SELECT is(t.at(t.live(:b)), :'jittered', 'one with its jitter at the same instant');
SELECT t.replan();
SELECT is(t.at(t.live(:a)) || ' ' || t.at(t.live(:b)), '2026-03-08 02:00:00 ' || :'jittered', 'planned anew: as well');
SELECT t.bulk('stop', 'exact') AS bulk \gset
UPDATE followup.send_window SET opens = '19:00' WHERE account_id = 1;
SELECT is(t.undo(:bulk), '2 {}[]', 'the window was moved meanwhile');
SELECT is(t.at(t.live(:b)), '2026-03-02 18:00:00', 'what comes back goes when it is open, and is shown so');
DELETE FROM followup.send_window;

-- Held for being late: undone it is so again
UPDATE followup.account SET late_action = 'hold', jitter_max = '0' WHERE id = 1;
SELECT t.of('late') AS a \gset
SELECT set_config('test.now', '2026-03-04 08:00+00', false) \g /dev/null
SELECT is(t.ask(t.live(:a)), 'gone', 'held for a person');
SELECT t.bulk('skip', 'late') AS bulk \gset
SELECT is(t.undo(:bulk) || ' ' || t.at(t.live(:a)), '1 {}[] infinity', 'skipped, and that undone: held');
SELECT is_empty($$ SELECT * FROM followup.wrong_message WHERE invariant = 'never_due' $$, 'by its base');
SELECT t.replan();
SELECT is(t.at(t.live(:a)), 'infinity', 'planned anew it waits still');
SELECT is((SELECT due_at FROM followup.release(1, ARRAY[:a]::bigint[])), followup.now(), 'for a person');
UPDATE followup.account SET late_action = 'replan', jitter_max = '4 hours' WHERE id = 1;

-- Reactivate: at its old time, which has its jitter already; without one while it is held
SELECT t.started() AS l, t.started() AS h \gset
SELECT t.at(t.live(:l)) AS old \gset
SELECT due_at FROM followup.hold(1, ARRAY[:h]::bigint[]) \gset h_
SELECT followup.stop_messaging(1, ARRAY[:l, :h]::bigint[]) \g /dev/null
SELECT done FROM followup.reactivate(1, ARRAY[:l]::bigint[], 3, 'a mistake') \gset h_
SELECT is(t.at(t.live(:l)), :'old', 'reactivated: at the same instant');
SELECT t.replan();
SELECT is(t.at(t.live(:l)), :'old', 'planned anew, too');
SELECT is((SELECT due_at FROM followup.reactivate(1, ARRAY[:h]::bigint[], 3, 'a mistake')), 'infinity'::timestamptz, 'held until somebody says when: still');
SELECT followup.conversation_status(1, :h) IS NOT NULL AS shown, due_at FROM followup.release(1, ARRAY[:h]::bigint[]) \gset h_
SELECT is(t.at(t.live(:h)), '2026-03-04 08:00:00', 'and released, now');
SELECT is((SELECT string_agg(invariant, ' ') FROM followup.invariants(true) WHERE broken > 0 AND invariant <> 'overdue'), NULL, 'no invariant is broken');
SELECT * FROM finish();
ROLLBACK;
