-- Each invariant: it holds in a world that works, and a planted fault is found and named.
\ir support/engine.sql
SET followup.quiet = 'on';
\o /dev/null
SELECT t.account(1), t.account(2);
SELECT followup.worker_beat(t.me(), 'host', false);
\o
SELECT plan(38);
CREATE FUNCTION t.broken(p_full boolean = false) RETURNS text[] LANGUAGE sql AS $$
    SELECT coalesce(array_agg(invariant ORDER BY invariant), '{}') FROM followup.invariants(p_full) WHERE broken > 0 $$;
-- Plants a fault by plain SQL, past every trigger, and takes it away again. p_only_full: the short look does not see it.
CREATE FUNCTION t.found(p_fault text, p_invariant text, p_only_full boolean = false) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v_short text[];
    v_full  text[];
BEGIN
    BEGIN
        SET LOCAL session_replication_role = replica;
        EXECUTE p_fault;
        v_short := t.broken();
        v_full := t.broken(true);
        RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        NULL;
    END;
    RETURN NEXT is(v_full, ARRAY[p_invariant], p_invariant || ' is found');
    RETURN NEXT is(v_short, CASE WHEN p_only_full THEN '{}' ELSE ARRAY[p_invariant] END, p_invariant || ': the short look');
END $$;

SELECT is(t.broken(true), '{}', 'an empty database breaks nothing');
SELECT t.lead(1, 'ada') AS ada, t.lead(1, 'ben') AS ben, t.lead(1, 'cid') AS cid, t.lead(2, 'dan') AS dan, t.lead(2, 'eve') AS eve \gset
\o /dev/null
SELECT t.claim(1, :ada, :ben), t.record(1, :ada, 'sent');
SELECT followup.hold(1, ARRAY[t.lead_of(1, :cid)]);
SELECT followup.stop_messaging(2, ARRAY[t.lead_of(2, :dan)]);
\o
SELECT is(t.broken(true), '{}', 'nor do a sent, a sending, a held, a stopped and a scheduled message');
SELECT is(count(*), 11::bigint, 'the short look asks eleven questions') FROM followup.invariants();
SELECT is(count(*), 13::bigint, 'the full one thirteen') FROM followup.invariants(true);

SELECT t.found(format('UPDATE followup.conversation SET stop_seq = 0 WHERE account_id = 1 AND id = (SELECT conversation_id FROM followup.message WHERE id = %s)', :ben), 'begun_after_stop');
SELECT t.found(format('UPDATE followup.message SET state = ''scheduled'' WHERE account_id = 2 AND id = %s', :dan), 'pending_after_end');
SELECT t.found(format('UPDATE followup.message SET lead_id = (SELECT lead_id FROM followup.message WHERE id = %s) WHERE id = %s', :cid, :ben), 'of_another_lead');
SELECT t.found(format('UPDATE followup.message SET due_at = sent_at + interval ''1 ms'' WHERE id = %s', :ada), 'sent_early');
SELECT t.found(format('UPDATE followup.message SET due_at = now() - interval ''16 min'' WHERE id = %s', :eve), 'overdue');
SELECT t.found(format('UPDATE followup.message SET due_at = ''infinity'' WHERE id = %s', :eve), 'never_due');
SELECT t.found(format('UPDATE followup.message SET claimed_at = now() - interval ''3 min'' WHERE id = %s', :ben), 'abandoned');
SELECT t.found(format('UPDATE followup.message SET attempts = 2 WHERE id = %1$s; INSERT INTO followup.attempt SELECT account_id, message_id, 2, 1, epoch, outcome, 200, NULL, started_at, ended_at FROM followup.attempt WHERE message_id = %1$s', :ada), 'sent_twice');
SELECT t.found(format('UPDATE followup.attempt SET outcome = ''in_doubt'' WHERE message_id = %s', :ada), 'sent_unproved');
SELECT t.found(format('UPDATE followup.message SET state = ''cancelled'' WHERE id = %s', :eve), 'nothing_scheduled');
SELECT t.found(format('UPDATE followup.lead SET state = ''stopped'', sub_state = NULL WHERE account_id = 2 AND id = t.lead_of(2, %s)', :eve), 'lead_not_active');
SELECT t.found(format('UPDATE followup.lead SET state = ''active'', sub_state = ''sequence'' WHERE account_id = 2 AND id = t.lead_of(2, %s)', :dan), 'active_without_conversation', true);
SELECT t.found('INSERT INTO followup.cap_use VALUES (1, 1, ''2026-01-01'', 3)', 'cap_places', true);
SELECT t.found(format('UPDATE followup.message SET cap_assistant_id = 2, cap_day = ''2026-01-01'' WHERE id = %s', :eve), 'cap_places', true);

\o /dev/null
UPDATE followup.account SET in_doubt_policy = 'resend' WHERE id = 1;
\o
SELECT is((SELECT t.broken()), '{}', 'what was planted is gone');
UPDATE followup.message SET due_at = now() - interval '16 min' WHERE id = :eve;
UPDATE followup.message SET due_at = 'infinity', base_at = 'infinity' WHERE id = :eve;
SELECT is(t.broken(true), '{}', 'what was held for being late has no due time');
INSERT INTO followup.holiday (account_id, date, name) SELECT 2, d, 'never' FROM generate_series(current_date - 1, current_date + 410, '1 day') AS d;
UPDATE followup.message SET base_at = now() WHERE id = :eve;
SELECT is(t.broken(true), '{}', 'nor has what no day is left for');
DELETE FROM followup.holiday;
UPDATE followup.message SET due_at = now() - interval '16 min' WHERE id = :eve;
UPDATE followup.account SET paused_at = now() WHERE id = 2;
SELECT is(t.broken(true), '{}', 'what is paused is not overdue');
UPDATE followup.account SET paused_at = NULL WHERE id = 2;
UPDATE followup.lease SET expires_at = now() - interval '1 s';
SELECT is(t.broken(true), '{}', 'nor is anything when nobody works: status says that');

-- The short look forbids reading whole tables. Where it must all the same, that price drowns every other in its plan, and beside
-- ten million stored messages it walked them all.
CREATE FUNCTION t.plan_of_overdue() RETURNS text LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) SELECT FROM followup.wrong_message AS x WHERE x.queued' INTO v_plan;
    RETURN v_plan::text;
END $$;
SELECT unalike(t.plan_of_overdue(), '%Seq Scan%', 'the short look has an index for whatever it reads');
SELECT * FROM finish();
