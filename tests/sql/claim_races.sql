-- A claim that was begun before somebody else's commit and waited for it: it goes by what is true then, not by what it saw
-- when it began. Each race is held in its worst moment by locks, so nothing here depends on time.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1);
\o
SELECT plan(12);

-- A claim in a session of its own, which is left waiting for the holder, or done, when begin_claim returns: 'waits' or 'done'.
CREATE FUNCTION t.begin_claim(p_account bigint, p_message bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_pid integer;
BEGIN
    PERFORM dblink_connect('claimer', format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'),
                                             current_setting('port'), current_database(), current_user));
    SELECT d.pid INTO v_pid FROM dblink('claimer', 'SELECT pg_backend_pid()') AS d(pid integer);
    PERFORM dblink_send_query('claimer', format('SELECT verdict::text FROM t.claim(%s, %s)', p_account, p_message));
    FOR v_look IN 1..1000 LOOP
        IF dblink_is_busy('claimer') = 0 THEN
            RETURN 'done';
        ELSIF cardinality(pg_blocking_pids(v_pid)) > 0 THEN
            RETURN 'waits';
        END IF;
        PERFORM pg_sleep(0.01);
    END LOOP;
    RAISE EXCEPTION 'the claim neither ends nor waits';
END $$;
CREATE FUNCTION t.end_claim() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_verdict text;
BEGIN
    SELECT d.verdict INTO v_verdict FROM dblink_get_result('claimer') AS d(verdict text);
    PERFORM dblink_disconnect('claimer');
    RETURN v_verdict;
END $$;
-- The holder's transaction ends and counts.
CREATE FUNCTION t.commit() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dblink_exec('holder', 'COMMIT');
    PERFORM dblink_disconnect('holder');
END $$;

-- A takeover that is not committed yet.
SELECT t.lead(1, 'ada') AS ada \gset
SELECT t.hold('FROM followup.acquire_leases(t.other(), t.me(), 600000)') \g /dev/null
SELECT is(t.begin_claim(1, :ada), 'waits', 'a claim under a lease that is being taken over waits');
SELECT t.commit() \g /dev/null
SELECT is(t.end_claim(), 'not_ours', 'and after the takeover it is not ours');
SELECT is(t.state(1, :ada), 'scheduled', 'so the message is the new owner''s to claim');
\o /dev/null
SELECT followup.acquire_leases(t.me(), t.other(), 600000);

-- Whatever commits between the beginning of a claim and its locks. The claim waits for its lease meanwhile.
SELECT t.hold('FROM followup.lease FOR UPDATE');
\o
SELECT is(t.begin_claim(1, :ada), 'waits', 'a claim has begun and waits for its lease');
SELECT is(followup.pause(1), '{}'::bigint[], 'meanwhile the account is paused, with nothing in flight');
SELECT t.let_go() \g /dev/null
SELECT is(t.end_claim(), 'gone', 'a pause that was committed before the claim had its locks counts');
SELECT is(t.state(1, :ada), 'scheduled', 'nothing is sent');
\o /dev/null
SELECT followup.resume(1);
SELECT t.hold('FROM followup.lease FOR UPDATE');
\o
SELECT is(t.begin_claim(1, :ada), 'waits', 'again a claim has begun and waits');
SELECT done AS stopped FROM followup.stop_messaging(1, ARRAY[t.lead_of(1, :ada)]) \gset
SELECT t.let_go() \g /dev/null
SELECT is((:'stopped'::text, t.end_claim()), ('t'::text, 'gone'::text), 'and so does a stop');
SELECT is(t.state(1, :ada), 'cancelled', 'cancelled');
\o /dev/null
SELECT t.lead(1, 'ben') AS ben \gset
SELECT t.hold('FROM followup.lease FOR UPDATE');
SELECT t.begin_claim(1, :ben);
UPDATE followup.message SET due_at = followup.now() WHERE id = :ben;
SELECT t.let_go();
\o
SELECT is(t.end_claim(), 'claimed', 'what came due while a claim waited is claimed');
SELECT ok(claimed_at >= due_at, 'as of when its locks were taken: never before it was due') FROM followup.message WHERE id = :ben;
SELECT * FROM finish();
