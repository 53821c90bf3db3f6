-- A claim that was begun before somebody else's commit and waited for it: it goes by what is true then, not by what it saw
-- when it began. Each race is held in its worst moment by locks, so nothing here depends on time.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1);
\o
SELECT plan(15);

CREATE FUNCTION t.begin_claim(p_account bigint, p_message bigint) RETURNS text LANGUAGE sql AS $$
    SELECT t.begin(format('SELECT verdict::text FROM t.claim(%s, %s)', p_account, p_message)) $$;

-- A takeover that is not committed yet.
SELECT t.lead(1, 'ada') AS ada \gset
SELECT t.hold('FROM followup.acquire_leases(t.other(), t.me(), 600000)') \g /dev/null
SELECT is(t.begin_claim(1, :ada), 'waits', 'a claim under a lease that is being taken over waits');
SELECT t.commit() \g /dev/null
SELECT is(t.answer(), 'not_ours', 'and after the takeover it is not ours');
SELECT is(t.state(1, :ada), 'scheduled', 'so the message is the new owner''s to claim');
\o /dev/null
SELECT followup.acquire_leases(t.me(), t.other(), 600000);

-- Whatever commits between the beginning of a claim and its locks. The claim waits for its lease meanwhile.
SELECT t.hold('FROM followup.lease FOR UPDATE');
\o
SELECT is(t.begin_claim(1, :ada), 'waits', 'a claim has begun and waits for its lease');
SELECT is(followup.pause(1), '{}'::bigint[], 'meanwhile the account is paused, with nothing in flight');
SELECT t.let_go() \g /dev/null
SELECT is(t.answer(), 'gone', 'a pause that was committed before the claim had its locks counts');
SELECT is(t.state(1, :ada), 'scheduled', 'nothing is sent');
\o /dev/null
SELECT followup.resume(1);
SELECT t.hold('FROM followup.lease FOR UPDATE');
\o
SELECT is(t.begin_claim(1, :ada), 'waits', 'again a claim has begun and waits');
SELECT done AS stopped FROM followup.stop_messaging(1, ARRAY[t.lead_of(1, :ada)]) \gset
SELECT t.let_go() \g /dev/null
SELECT is((:'stopped'::text, t.answer()), ('t'::text, 'gone'::text), 'and so does a stop');
SELECT is(t.state(1, :ada), 'cancelled', 'cancelled');
\o /dev/null
SELECT t.lead(1, 'ben') AS ben \gset
SELECT t.hold('FROM followup.lease FOR UPDATE');
SELECT t.begin_claim(1, :ben);
UPDATE followup.message SET due_at = followup.now() WHERE id = :ben;
SELECT t.let_go();
\o
SELECT is(t.answer(), 'claimed', 'what came due while a claim waited is claimed');
SELECT ok(claimed_at >= due_at, 'as of when its locks were taken: never before it was due') FROM followup.message WHERE id = :ben;

-- A gap in the webhooks, noted while a claim waits
\o /dev/null
SELECT t.lead(1, 'cem') AS cem \gset
INSERT INTO followup.provider_event (account_id, provider, event_id, kind, payload) VALUES (1, 'hook', 'x1', 'opened', '{"provider_type": "ses"}');
INSERT INTO followup.inbox_beat (beat_at) VALUES (clock_timestamp() - interval '5 minutes');
SELECT t.hold('FROM followup.lease FOR UPDATE');
\o
SELECT is(t.begin_claim(1, :cem), 'waits', 'a claim has begun and waits');
SELECT more FROM followup.apply_inbox() \gset
SELECT t.let_go() \g /dev/null
SELECT is((:'more'::text, t.answer()), ('t'::text, 'gone'::text), 'a gap that was noted before it had its locks counts');
SELECT is(t.state(1, :cem), 'scheduled', 'nothing is sent');
SELECT * FROM finish();
