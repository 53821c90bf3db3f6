-- Bulk: what is planned is what is done; commit, chunks, crash, cancel, undo, a lead that raises.
\ir support/rules_world.sql
\o /dev/null
SET test.now = '2026-03-02 08:00+00';
-- One lead in every state there is, twice; half of those that are processed are disqualified.
CREATE TABLE t.cast AS
    SELECT s.state, n FROM unnest(ARRAY['new', 'active/sequence', 'active/out_of_office', 'active/follow_up',
        'active/follow_up hot', 'processed/responded', 'processed/completed', 'processed/failed', 'stopped', 'unsubscribed', 'deactivated/Retired',
        'deactivated/MovedOut', 'deactivated/BounceRisk']) AS s (state), generate_series(1, 2) AS n;
CREATE FUNCTION t.people(p_company text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v      record;
    v_lead bigint;
BEGIN
    FOR v IN SELECT * FROM t.cast LOOP
        v_lead := t.lead_in(v.state);
        UPDATE followup.lead SET company = p_company WHERE id = v_lead;
    END LOOP;
    SET LOCAL ROLE followup_owner;
    UPDATE followup.lead SET status = 'disqualified' WHERE company = p_company AND state = 'processed' AND id % 2 = 0;
    RESET ROLE;
END $$;
CREATE FUNCTION t.reset() RETURNS void LANGUAGE sql AS $$
    SELECT set_config('test.now', date_trunc('hour', followup.now() + interval '1 day')::text, false) $$;
CREATE FUNCTION t.plan(p_action text, p_company text, p_at timestamptz = NULL) RETURNS bigint LANGUAGE sql AS $$
    SELECT bulk_id FROM followup.bulk_plan(1, p_action, 'company=' || p_company, p_at,
        CASE WHEN p_action IN ('start', 'restart') THEN 1 END, CASE WHEN p_action IN ('start', 'restart') THEN 1 END, p_note => 'spring') $$;
CREATE FUNCTION t.count(p_bulk bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT (plan ->> 'done')::bigint FROM followup.bulk WHERE id = p_bulk $$;
-- What the action itself answers for everybody, with nothing changed; disqualified ones left out where a bulk leaves them out.
CREATE FUNCTION t.said(p_action text, p_company text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_leads bigint[] := ARRAY(SELECT id FROM followup.lead WHERE company = p_company ORDER BY id);
    v_said  jsonb;
BEGIN
    BEGIN
        SELECT jsonb_object_agg(s.reason, s.n) INTO v_said FROM (
            SELECT coalesce(concat_ws('/', r.reason, r.sub_state), ''), count(*) FROM followup.start_follow_up(1, v_leads, 1, 1) AS r WHERE p_action = 'start' GROUP BY 1
            UNION ALL SELECT coalesce(concat_ws('/', r.reason, r.sub_state), ''), count(*) FROM followup.skip_to_follow_up(1, CASE WHEN p_action = 'skip' THEN v_leads END) AS r GROUP BY 1
            UNION ALL SELECT coalesce(concat_ws('/', r.reason, r.sub_state), ''), count(*) FROM followup.stop_messaging(1, CASE WHEN p_action = 'stop' THEN v_leads END) AS r GROUP BY 1
            UNION ALL SELECT coalesce(concat_ws('/', r.reason, r.sub_state), ''), count(*) FROM followup.continue_follow_up(1, CASE WHEN p_action = 'continue' THEN v_leads END, p_disqualified => false) AS r GROUP BY 1
            UNION ALL SELECT coalesce(concat_ws('/', r.reason, r.sub_state), ''), count(*) FROM followup.restart_follow_up(1, CASE WHEN p_action = 'restart' THEN v_leads END, NULL, 1, 1, p_disqualified => false) AS r GROUP BY 1) AS s (reason, n);
        RAISE EXCEPTION 'taken back' USING ERRCODE = 'ZZ001';
    EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
        RETURN v_said;
    END;
END $$;
-- Who is where, and what goes out next: what was due already goes now.
CREATE FUNCTION t.picture(p_company text) RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(concat_ws('|', l.id, l.state, l.sub_state, l.status, l.sequence_id, l.assistant_id,
                                    regexp_replace(followup.conversation_status(1, l.id), ' scheduled for.*', ''),
                                    m.kind, m.step_key, m.conversation_id, greatest(m.due_at, followup.now())), E'\n' ORDER BY l.id))
      FROM followup.lead AS l LEFT JOIN followup.message AS m ON m.id = t.live(l.id) WHERE l.company = p_company $$;
\o
SELECT plan(71);

-- Planned counts are what the action says and what the run does; undo brings everything back. Each action on a cast of its own.
\set action start
\ir support/bulk_action.sql
\set action skip
\ir support/bulk_action.sql
\set action stop
\ir support/bulk_action.sql
\set action continue
\ir support/bulk_action.sql
\set action restart
\ir support/bulk_action.sql

-- Disqualified
SELECT t.people('dis') \g /dev/null
SELECT is((SELECT (left_alone ->> 'disqualified')::int > 0 FROM followup.bulk_plan(1, 'restart', 'company=dis', p_sequence => 1, p_assistant => 1)), true,
          'disqualified leads are left out of a bulk restart');
SELECT is((SELECT left_alone -> 'disqualified' FROM followup.bulk_plan(1, 'restart', 'company=dis', p_sequence => 1, p_assistant => 1, p_include_disqualified => true)), NULL,
          'unless asked for');
SELECT is((SELECT left_alone ->> 'deactivated/BounceRisk' FROM followup.bulk_plan(1, 'restart', 'company=dis', p_sequence => 1, p_assistant => 1)), '2',
          'deactivated ones are counted by sub-state');

-- Bad input
SELECT throws_ok($$ SELECT * FROM followup.bulk_plan(1, 'restart', 'company=nobody') $$, '22023', 'bulk_plan: no lead meets the filter "company=nobody"', 'a filter that meets nobody');
SELECT throws_ok($$ SELECT * FROM followup.bulk_plan(1, 'erase', 'company=dis') $$, '22023', 'bulk_plan: there is no action "erase"', 'an unknown action');
SELECT throws_ok($$ SELECT * FROM followup.bulk_plan(1, NULL, 'company=dis') $$, '22023', NULL, 'no action');
SELECT throws_ok($$ SELECT * FROM followup.bulk_plan(1, 'skip', 'company=dis', '2020-01-01') $$, '22023', NULL, 'an instant in the past');
SELECT throws_ok($$ SELECT * FROM followup.bulk_plan(1, 'skip', 'company=dis', 'infinity') $$, '22023', NULL, 'an instant that is none');
SELECT throws_ok($$ SELECT * FROM followup.bulk_plan(1, 'stop', 'company=dis', '2030-01-01') $$, '22023', NULL, 'a stop is at once');
SELECT throws_ok($$ SELECT * FROM followup.bulk_plan(1, 'restart', 'company=dis', p_sequence => 99) $$, '22023', 'account 1 has no sequence 99', 'an unknown sequence');
SELECT throws_ok($$ SELECT * FROM followup.bulk_plan(77, 'restart', '') $$, '22023', NULL, 'an unknown account');
SELECT throws_ok($$ SELECT * FROM followup.bulk_plan(1, 'stop', 'company=dis', p_actor => 1) $$, '42501', NULL, 'a rep stops nobody');
SELECT is((SELECT left_alone ->> 'not_own_lead' FROM followup.bulk_plan(1, 'restart', 'company=dis', p_sequence => 1, p_assistant => 1, p_actor => 1)), '26', 'and restarts own leads only');

-- Commit
SELECT t.plan('restart', 'dis') AS b \gset
SELECT t.picture('dis') AS before \gset
SELECT throws_ok(format('CALL followup.bulk_run(1, %s)', :b), '22023', format('bulk %s is planned: commit it first', :b), 'what is not committed does not run');
SELECT throws_ok(format('SELECT followup.bulk_commit(1, %s, 3)', :b), '22023', format('bulk %s is planned for %s leads, not 3', :b, t.count(:b)), 'another count is refused');
SELECT throws_ok(format('SELECT followup.bulk_commit(1, %s, NULL)', :b), '22023', NULL, 'and none');
SELECT throws_ok(format('SELECT followup.bulk_commit(1, %s, %s, ''2020-01-01'')', :b, t.count(:b)), '22023', NULL, 'a run in the past is refused');
SELECT throws_ok(format('SELECT followup.bulk_undo(1, %s)', :b), '22023', format('bulk %s is planned: there is nothing to undo', :b), 'what was not done is not undone');
SELECT throws_ok('SELECT followup.bulk_commit(1, 99999, 1)', '22023', 'account 1 has no bulk 99999', 'an unknown bulk');
SELECT throws_ok(format('SELECT followup.bulk_commit(2, %s, 1)', :b), '22023', NULL, 'the bulk of another account is unknown');
SELECT is(t.picture('dis') || (SELECT state FROM followup.bulk WHERE id = :b), :'before' || 'planned', 'nothing of this changed anything');
SELECT followup.bulk_commit(1, :b, t.count(:b), '2030-01-01') \g /dev/null
SELECT throws_ok(format('CALL followup.bulk_run(1, %s)', :b), '22023', NULL, 'a bulk for later does not run now');
SELECT throws_ok(format('SELECT followup.bulk_commit(1, %s, %s)', :b, t.count(:b)), '22023', format('bulk %s is running already', :b), 'nor is it committed twice');
SELECT followup.bulk_cancel(1, :b) \g /dev/null
SELECT is(t.picture('dis') || (SELECT state FROM followup.bulk_status(1, :b)), :'before' || 'cancelled', 'cancelled before it ran, it does nothing');
SELECT throws_ok(format('SELECT followup.bulk_cancel(1, %s)', :b), '22023', NULL, 'a cancelled bulk is not cancelled');

-- Chunks: 25,000 leads, a crash after the second, one lead that raises.
INSERT INTO followup.lead (account_id, id, email, company) SELECT 2, 100000 + n, 'm' || n || '@l.example', 'many' FROM generate_series(1, 25000) AS n;
CREATE FUNCTION t.bad_lead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'lead % is bad', NEW.lead_id; END $$;
CREATE TRIGGER bad_lead BEFORE INSERT ON followup.conversation FOR EACH ROW WHEN (NEW.lead_id = 101777) EXECUTE FUNCTION t.bad_lead();
SELECT bulk_id AS b FROM followup.bulk_plan(2, 'start', 'company=many', p_sequence => 4) \gset
SELECT is((SELECT array_agg(cardinality(lead_ids) ORDER BY no) FROM followup.bulk_chunk WHERE bulk_id = :b), array_fill(2500, '{10}'), 'chunks of 2,500');
SELECT followup.bulk_commit(2, :b, 25000) \g /dev/null
SELECT followup.bulk_work(2, :b) \g /dev/null
SELECT is((SELECT (done, left_alone, errors, chunks, chunks_done, state)::text FROM followup.bulk_status(2, :b)),
          '(2499,"{""error"": 1}","[{""error"": ""lead 101777 is bad"", ""lead_id"": 101777}]",10,1,running)', 'a lead that raises costs nobody else; progress is seen');
BEGIN;
SELECT followup.bulk_work(2, :b) \g /dev/null
ROLLBACK;
SELECT is((SELECT chunks_done FROM followup.bulk_status(2, :b)), 1::bigint, 'a chunk that crashed is not done');
CALL followup.bulk_run(2, :b);
SELECT is((SELECT (done, chunks_done, state)::text FROM followup.bulk_status(2, :b)), '(24999,10,done)', 'the run goes on where it broke off');
SELECT is((SELECT count(*) || ' ' || count(DISTINCT lead_id) FROM followup.message WHERE account_id = 2), '24999 24999', 'every lead once');
SELECT is(followup.bulk_work(2, :b), false, 'what is done is done');

-- Undo of what has left in part; cancel in the middle.
UPDATE followup.message SET state = 'sending', claimed_by = gen_random_uuid(), epoch = 1, claimed_at = clock_timestamp() WHERE lead_id IN (100001, 100002);
SELECT count(*) FROM followup.stop_messaging(2, ARRAY[100003]) \g /dev/null
SELECT followup.bulk_undo(2, :b) \g /dev/null
CALL followup.bulk_run(2, :b);
SELECT is((SELECT (undone, kept, state)::text FROM followup.bulk_status(2, :b)), '(24996,"{""sent"": 2, ""changed"": 1}",undone)', 'undo counts what had left, and what was changed since');
SELECT is((SELECT string_agg(state || ' ' || n, ',' ORDER BY state) FROM (SELECT state, count(*) AS n FROM followup.lead WHERE company = 'many' GROUP BY state) AS s),
          'new 24997,active 2,stopped 1', 'undone leads are new again');
SELECT bulk_id AS b FROM followup.bulk_plan(2, 'start', 'company=many', p_sequence => 4) \gset
SELECT followup.bulk_commit(2, :b, 24997) \g /dev/null
SELECT followup.bulk_work(2, :b) \g /dev/null
SELECT followup.bulk_cancel(2, :b) \g /dev/null
CALL followup.bulk_run(2, :b);
SELECT is((SELECT (chunks_done, state)::text FROM followup.bulk_status(2, :b)), '(1,cancelled)', 'cancelled in the middle, it goes no further');
SELECT is((SELECT count(*) FROM followup.lead WHERE company = 'many' AND state = 'active'), 2496::bigint + 2, 'what was done stays');

-- A hold that was set or ended since stays as it is; one that was there before comes back with its message.
SELECT t.started() AS h1, t.started() AS h2, t.started() AS h3, t.started() AS h4 \gset
UPDATE followup.lead SET company = 'held' WHERE id IN (:h1, :h2, :h3, :h4);
SELECT t.finish(:h3) \g /dev/null
SELECT t.due(:h3) AS due3 \gset
SELECT count(*) FROM followup.hold(1, ARRAY[:h3, :h4]) \g /dev/null
SELECT t.plan('skip', 'held') AS hb \gset
SELECT followup.bulk_commit(1, :hb, 4) \g /dev/null
CALL followup.bulk_run(1, :hb);
SELECT count(*) FROM followup.hold(1, ARRAY[:h1], '2030-01-01') \g /dev/null
SELECT count(*) FROM followup.release(1, ARRAY[:h4]) \g /dev/null
SELECT followup.bulk_undo(1, :hb) \g /dev/null
CALL followup.bulk_run(1, :hb);
SELECT is((SELECT (undone, kept)::text FROM followup.bulk_status(1, :hb)), '(2,"{""changed"": 2}")', 'held or released since: changed');
SELECT is((SELECT hold_until FROM followup.conversation WHERE lead_id = :h1), '2030-01-01'::timestamptz, 'the hold stays');
SELECT is(t.due(:h1), '2030-01-01 00:00', 'and what is behind it');
SELECT is((SELECT due_at FROM followup.message WHERE id = t.live(:h3)), 'infinity'::timestamptz, 'held before the bulk: held again');
SELECT count(*) FROM followup.release(1, ARRAY[:h3]) \g /dev/null
SELECT is(t.due(:h3), :'due3', 'and released, at its own time');
SELECT t.plan('restart', 'held') AS hb \gset
SELECT followup.bulk_commit(1, :hb, 4) \g /dev/null
CALL followup.bulk_run(1, :hb);
SELECT count(*) FROM followup.hold(1, ARRAY[:h2], '2030-01-01') \g /dev/null
SELECT followup.bulk_undo(1, :hb) \g /dev/null
CALL followup.bulk_run(1, :hb);
SELECT is((SELECT (undone, kept)::text || t.due(:h2) FROM followup.bulk_status(1, :hb)), '(3,"{""changed"": 1}")2030-01-01 00:00', 'the same of a conversation that the bulk opened');

-- The daemon's step
SELECT followup.acquire_leases('00000000-0000-0000-0000-00000000000a', NULL, 600000) \g /dev/null
SELECT array_agg(shard) AS shards, array_agg(epoch) AS epochs FROM followup.lease \gset
PREPARE step AS SELECT s.more FROM followup.bulk_step('00000000-0000-0000-0000-00000000000a', :'shards', :'epochs') AS s;
SELECT is_empty('step', 'nothing to do: no row');
SELECT followup.bulk_undo(2, :b) \g /dev/null
PREPARE other AS SELECT s.more FROM followup.bulk_step('00000000-0000-0000-0000-00000000000b', :'shards', :'epochs') AS s;
SELECT is_empty('other', 'a worker without the lease does none of it');
SELECT results_eq('step', ARRAY[true], 'the owner does a chunk');
SELECT results_eq('step', ARRAY[false], 'and says when it was the last');
SELECT is((SELECT count(*) FROM followup.lead WHERE company = 'many' AND state = 'active'), 2::bigint, 'a cancelled bulk is undone as far as it went');
SELECT * FROM finish();
