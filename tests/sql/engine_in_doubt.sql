-- What is in doubt: posted again with its key, or settled by policy.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2), t.account(3);
\o
SELECT plan(50);
CREATE FUNCTION t.again(p_window_ms bigint = 3600000, p_settle_ms bigint = 0, p_limit integer = 100, p_others integer = 100) RETURNS SETOF bigint LANGUAGE sql AS $$
    SELECT message_id FROM followup.claim_in_doubt(t.me(), t.shards(), t.epochs(), ARRAY['other', 'sandbox'], ARRAY[p_window_ms, p_window_ms], ARRAY[p_others, p_limit], p_settle_ms, 'sandbox') $$;
-- A message that is in doubt.
CREATE FUNCTION t.doubt(p_account bigint, p_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_message bigint := t.lead(p_account, p_name);
BEGIN
    PERFORM t.verdict(p_account, v_message);
    PERFORM t.record(p_account, v_message, 'in_doubt');
    RETURN v_message;
END $$;
CREATE FUNCTION t.settle(p_after_ms bigint = 0) RETURNS SETOF bigint LANGUAGE sql AS $$
    SELECT message_id FROM followup.settle_by_policy(t.me(), t.shards(), t.epochs(), p_after_ms, 100) $$;

-- the same key again
SELECT t.doubt(1, 'ada') AS ada \gset
SELECT is_empty('SELECT * FROM t.again(p_settle_ms => 60000)', 'not before its time');
SELECT is_empty('SELECT * FROM t.again(p_window_ms => 0)', 'not when the provider has forgotten the key');
SELECT is_empty('SELECT * FROM followup.claim_in_doubt(t.me(), t.shards(), t.epochs(), ARRAY[''other''], ARRAY[3600000]::bigint[], ARRAY[9], 0, ''sandbox'')', 'not at a provider without keys');
SELECT is_empty('SELECT * FROM followup.claim_in_doubt(t.other(), t.shards(), t.epochs(), ARRAY[''sandbox''], ARRAY[3600000]::bigint[], ARRAY[9], 0, ''sandbox'')', 'not by a worker without the lease');
SELECT is_empty('SELECT * FROM t.again(p_limit => 0)', 'no more than the limit');
SELECT first_post_at AS first FROM followup.message WHERE id = :ada \gset
UPDATE followup.lead SET email = 'new@people.example' WHERE id = t.lead_of(1, :ada);
CREATE TABLE t.row AS SELECT * FROM followup.claim_in_doubt(t.me(), t.shards(), t.epochs(), ARRAY['sandbox'], ARRAY[3600000]::bigint[], ARRAY[9], 0, 'sandbox');
SELECT is((message_id, verdict::text, attempts, posts), (:ada::bigint, 'claimed'::text, 1, 2), 'the same key, the second POST') FROM t.row;
SELECT is(recipient, 'ada@People.example', 'to the address of the first') FROM t.row;
SELECT is((state::text, first_post_at), ('sending'::text, :'first'::timestamptz), 'the key''s window still counts from the first') FROM followup.message WHERE id = :ada;
SELECT is_empty('SELECT * FROM t.again()', 'what is sending is not claimed again');
SELECT is(accepted, true, 'its result is accepted') FROM t.record(1, :ada, 'sent');

-- whoever may not be written to
SELECT t.doubt(1, 'ben') AS ben, t.doubt(1, 'cid') AS cid, t.doubt(1, 'dan') AS dan \gset
\o /dev/null
SELECT followup.stop_messaging(1, ARRAY[t.lead_of(1, :ben)]);
INSERT INTO followup.suppression (account_id, address, reason, source) VALUES (1, 'cid@people.example', 'test', 'test');
\o
UPDATE followup.account SET paused_at = now() WHERE id = 1;
SELECT is_empty('SELECT * FROM t.again()', 'nothing of a paused account');
UPDATE followup.account SET paused_at = NULL WHERE id = 1;
INSERT INTO followup.send_window (account_id, weekday, opens, closes)
SELECT 1, 1 + (extract(isodow FROM followup.now() AT TIME ZONE 'UTC')::integer + 2) % 7, '00:00', '24:00';
SELECT is_empty('SELECT * FROM t.again()', 'nothing while the window is closed');
SELECT min(a) AS before FROM generate_series(4, 900) AS a WHERE followup.shard_of(a) < followup.shard_of(2) \gset
SELECT t.account(:before) AS ignored \gset
SELECT t.doubt(:before, 'fay') AS fay, t.doubt(2, 'eve') AS eve \gset
UPDATE followup.conversation SET hold_until = followup.now() + interval '1 day' WHERE id = (t.conversation_of(:before, :fay)).id;
SELECT results_eq('SELECT * FROM t.again(p_limit => 1)', format('VALUES (%s::bigint)', :eve), 'nor do those that have to wait take the places of others');
SELECT t.record(2, :eve, 'in_doubt') AS ignored \gset
UPDATE followup.conversation SET hold_until = NULL WHERE id = (t.conversation_of(:before, :fay)).id;
UPDATE followup.assistant SET paused_at = now() WHERE account_id = :before;
SELECT results_eq('SELECT * FROM t.again(p_limit => 1)', format('VALUES (%s::bigint)', :eve), 'nor those of a paused assistant');
SELECT t.record(2, :eve, 'in_doubt') AS ignored \gset
UPDATE followup.assistant SET paused_at = NULL WHERE account_id = :before;
SELECT t.set(:before, :fay, 'detached = true');
SELECT results_eq('SELECT * FROM t.again(p_limit => 1)', format('VALUES (%s::bigint)', :eve), 'nor those that an action replaced');
SELECT t.record(2, :eve, 'in_doubt') AS ignored, t.lead(1, 'zed') AS zed \gset
SELECT t.set(1, :zed, 'forced = true, due_at = followup.now() - ''1 second''::interval');
SELECT is(t.verdict(1, :zed), 'claimed', 'one is forced through');
SELECT t.record(1, :zed, 'in_doubt') AS ignored \gset
SELECT set_eq('SELECT * FROM t.again()', format('VALUES (%s::bigint), (%s)', :eve, :zed), 'a forced one asks no window');
SELECT t.record(1, :zed, 'sent') AS ignored, t.record(2, :eve, 'in_doubt') AS ignored_too \gset
UPDATE followup.lead SET email = 'eve.new@people.example' WHERE id = t.lead_of(2, :eve);
INSERT INTO followup.suppression (account_id, address, reason, source) VALUES (2, 'eve@people.example', 'test', 'test');
SELECT is_empty('SELECT * FROM t.again()', 'nothing to an address that is suppressed by now, whatever the lead''s is');
DELETE FROM followup.send_window;
SELECT t.record(2, :eve, 'sent') AS ignored, t.record(:before, :fay, 'sent') AS ignored_too \gset
SELECT results_eq('SELECT * FROM t.again()', format('VALUES (%s::bigint)', :dan), 'of a stopped, a suppressed and an active lead only the active one''s');
SELECT is((t.state(1, :ben), t.state(1, :cid)), ('in_doubt'::text, 'in_doubt'::text), 'the others stay in doubt');
SELECT ok(accepted, 'dan''s is sent') FROM t.record(1, :dan, 'sent');
SELECT t.alert(1) AS alert \gset
SELECT is(t.verdict(1, :alert), 'claimed', 'an alert is claimed');
\o /dev/null
SELECT t.record(1, :alert, 'in_doubt');
\o
SELECT results_eq('SELECT * FROM t.again()', format('VALUES (%s::bigint)', :alert), 'an alert in doubt is posted again too');
SELECT ok(accepted, 'and is sent') FROM t.record(1, :alert, 'sent');

-- no more of a provider than it has places for
SELECT t.doubt(1, 'kim') AS kim, t.doubt(1, 'lea') AS lea, t.doubt(3, 'max') AS max, t.doubt(3, 'ned') AS ned, t.doubt(3, 'oda') AS oda \gset
UPDATE followup.message SET provider = 'other' WHERE account_id = 3;
SELECT t.alert(1) AS alert2 \gset
SELECT t.verdict(1, :alert2), t.record(1, :alert2, 'in_doubt') \g /dev/null
SELECT is((count(*) FILTER (WHERE id IN (:max, :ned, :oda)), count(*)), (2::bigint, 3::bigint), 'each provider''s messages fill its own places')
  FROM t.again(p_limit => 1, p_others => 2) AS id;
SELECT is(count(*), 3::bigint, 'the rest goes in the next turn, an alert too') FROM t.again(p_limit => 2);
SELECT is(max(posts), 2, 'and nobody was claimed who had no place') FROM followup.message WHERE id IN (:kim, :lea, :max, :ned, :oda);
\o /dev/null
SELECT t.record(account_id, id, 'sent') FROM followup.message WHERE id IN (:kim, :lea, :max, :ned, :oda, :alert2);
\o

-- policy: hold
SELECT t.doubt(1, 'eva') AS eva, t.doubt(1, 'sky') AS sky, t.alert(1) AS held \gset
SELECT t.verdict(1, :held), t.record(1, :held, 'in_doubt') \g /dev/null
SELECT followup.skip_to_follow_up(1, ARRAY[t.lead_of(1, :sky)]) \g /dev/null
SELECT is_empty('SELECT * FROM t.settle(60000)', 'too young for the policy');
SELECT is(t.state(1, :ben), 'in_doubt', 'a stopped lead''s too');
SELECT is_empty('SELECT * FROM t.settle()', 'hold: nothing is due');
SELECT is((t.state(1, :eva), t.state(1, :held)), ('in_doubt'::text, 'in_doubt'::text), 'hold: it stays in doubt, and so does an alert');
SELECT is(t.state(1, :ben), 'cancelled', 'a stopped lead''s is closed');
SELECT is((t.conversation_of(1, :ben)).ended_reason::text, 'stopped', 'and its conversation is as it was');
SELECT is((t.state(1, :sky), (t.conversation_of(1, :sky)).state::text), ('cancelled'::text, 'active'::text), 'and so is what a skip replaced');

-- policy: resend
UPDATE followup.account SET in_doubt_policy = 'resend' WHERE id = 2;
SELECT t.doubt(2, 'fay') AS fay, t.doubt(2, 'gil') AS gil, t.doubt(2, 'hal') AS hal, t.doubt(2, 'ivy') AS ivy, t.doubt(2, 'jim') AS jim, t.alert(2) AS young \gset
SELECT t.verdict(2, :young), t.record(2, :young, 'in_doubt'), t.set(2, :fay, 'claimed_at = claimed_at - ''1 hour''::interval') \g /dev/null
\o /dev/null
SELECT followup.stop_messaging(2, ARRAY[t.lead_of(2, :gil)]);
SELECT followup.skip_to_follow_up(2, ARRAY[t.lead_of(2, :ivy)]);
INSERT INTO followup.suppression (account_id, address, reason, source) VALUES (2, 'hal@people.example', 'test', 'test');
\o
SELECT results_eq('SELECT * FROM t.settle(60000)', format('VALUES (%s::bigint)', :fay), 'resend: due again; whatever is younger waits');
SELECT is((SELECT string_agg(DISTINCT state::text, ' ') FROM followup.message WHERE id IN (:gil, :hal, :ivy, :jim, :young)), 'in_doubt', 'all of it');
SELECT set_eq('SELECT * FROM t.settle()', format('VALUES (%s::bigint), (%s)', :jim, :young), 'then that too, but not a stopped or a suppressed lead''s');
SELECT is((t.state(2, :gil), t.state(2, :hal)), ('cancelled'::text, 'cancelled'::text), 'those are closed');
SELECT is(t.state(2, :ivy), 'cancelled', 'and so is what a skip replaced: it is never sent again');
SELECT is((attempts, posts), (2, 1), 'it goes with a new key') FROM t.claim(2, :fay);
SELECT is(accepted, false, 'a late answer to the old key is not taken for the new one') FROM t.record(2, :fay, 'sent', p_attempts => 1, p_provider_id => 'late');
SELECT is((state::text, provider_message_id), ('sending'::text, 'late'::text), 'but its provider id is kept') FROM followup.message WHERE id = :fay;

-- policy: assume_sent
UPDATE followup.account SET in_doubt_policy = 'assume_sent' WHERE id = 3;
SELECT t.doubt(3, 'ida') AS ida, t.doubt(3, 'jan') AS jan \gset
\o /dev/null
SELECT followup.stop_messaging(3, ARRAY[t.lead_of(3, :jan)]);
CREATE TABLE t.settled AS SELECT t.settle() AS id;
\o
SELECT is((t.state(3, :ida), t.state(3, :jan)), ('sent'::text, 'sent'::text), 'assume_sent: sent');
SELECT is((position, state::text, conversation_id), (2, 'scheduled'::text, (t.conversation_of(3, :ida)).id), 'and the next message is planned and answered')
  FROM followup.message WHERE id = (SELECT id FROM t.settled);
SELECT is(count(*), 1::bigint, 'of the active one only') FROM t.settled;
SELECT is(detail, 'assumed sent: no answer came', 'it says so') FROM followup.message WHERE id = :ida;
SELECT cmp_ok(sent_at, '<=', followup.now(), 'sent when it was last posted') FROM followup.message WHERE id = :ida;
-- evidence after an assumption
SELECT ok(followup.record_event(3, 'sandbox', 'e-1', 'delivered', :ida, clock_timestamp()), 'delivered, told later');
SELECT is(t.state(3, :ida), 'delivered', 'is taken');
SELECT is(count(*), 1::bigint, 'and plans nothing twice') FROM followup.message WHERE conversation_id = (t.conversation_of(3, :ida)).id AND state = 'scheduled';
SELECT * FROM finish();
