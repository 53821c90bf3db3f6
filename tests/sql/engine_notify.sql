-- What is told to the daemon, and what is not. A transaction cannot hear its own NOTIFY, so the rules are watched through
-- a second connection that listens.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT plan(26);

-- the text
SELECT is(followup.wake_payload(ARRAY[1, 2]::bigint[], ARRAY[17, 18]::bigint[], ARRAY['2026-01-05 09:00:00.000001Z'::timestamptz, NULL]),
    'm 1 17 1767603600000001,2 18 -', 'account, message and microseconds; - for what is no longer scheduled');
SELECT is(followup.wake_payload('{}', '{}', '{}'), NULL, 'nothing to say');
SELECT is(followup.wake_payload(array_fill(123456789012::bigint, ARRAY[200]), array_fill(123456789012::bigint, ARRAY[200]), array_fill(now(), ARRAY[200])),
    NULL, 'too long for one NOTIFY');
SELECT cmp_ok(octet_length(followup.wake_payload(array_fill(1::bigint, ARRAY[300]), array_fill(123::bigint, ARRAY[300]), array_fill(now(), ARRAY[300]))),
    '<=', 7900, 'never over 7900 bytes');

-- A listener that commits p_query elsewhere and answers what it heard from it.
CREATE FUNCTION t.heard(p_query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_text text;
BEGIN
    PERFORM dblink_connect('ear', format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'),
                                         current_setting('port'), current_database(), current_user));
    PERFORM dblink_exec('ear', 'LISTEN followup');
    PERFORM dblink_exec('ear', 'DO $q$ BEGIN ' || p_query || '; END $q$');
    SELECT string_agg(n.extra, ' | ' ORDER BY n.extra) INTO v_text FROM dblink_get_notify('ear') AS n WHERE n.notify_name = 'followup';
    PERFORM dblink_disconnect('ear');
    RETURN v_text;
END $$;
CREATE FUNCTION t.us(p_account bigint, p_message bigint) RETURNS text LANGUAGE sql AS $$
    SELECT trunc(extract(epoch FROM due_at) * 1000000)::bigint::text FROM followup.message WHERE account_id = p_account AND id = p_message $$;

SELECT t.lead(1, 'ada', '-1 hour') AS ada, t.lead(1, 'ben', '-1 hour') AS ben, t.lead(2, 'cid', '-1 hour') AS cid \gset
SELECT is(t.heard('UPDATE followup.message SET due_at = due_at + interval ''1 min'' WHERE id = ' || :ada), 'm 1 ' || :ada || ' ' || t.us(1, :ada), 'a moved message is told with its new time');
SELECT is(t.heard('SET LOCAL ROLE followup_admin; UPDATE followup.message SET due_at = due_at + interval ''1 min'' WHERE id = ' || :ada), 'm 1 ' || :ada || ' ' || t.us(1, :ada), 'by an operator who is no superuser too');
SELECT is(t.heard('UPDATE followup.message SET due_at = due_at + interval ''1 min'''), (SELECT 'm ' || string_agg(account_id || ' ' || id || ' ' || t.us(account_id, id), ',' ORDER BY account_id, id) FROM followup.message), 'one NOTIFY a statement');
SELECT is(t.heard('UPDATE followup.message SET due_at = due_at + interval ''80 h'' WHERE id = ' || :ada), NULL, 'beyond the horizon nobody needs to know');
SELECT is(t.heard('PERFORM followup.stop_messaging(1, ARRAY[' || t.lead_of(1, :ben) || '])'), 'm 1 ' || :ben || ' -', 'a stop is told as -');
SELECT t.lead(1, 'zoe') AS zoe \gset
SELECT t.verdict(1, :zoe) \g /dev/null
SELECT is(t.heard('PERFORM followup.stop_messaging(1, ARRAY[' || t.lead_of(1, :zoe) || '])'), 'm 1 ' || :zoe || ' -', 'also of a message that is being sent');
SELECT t.heard('PERFORM followup.skip_to_follow_up(2, ARRAY[' || t.lead_of(2, :cid) || '])') AS heard \gset
SELECT is(:'heard',
    (SELECT 'm 2 ' || :cid || ' - | m 2 ' || id || ' ' || t.us(2, id) FROM followup.message WHERE account_id = 2 AND kind = 'follow_up'), 'a skip: one is gone, another is due');
SELECT is(t.heard('SET LOCAL followup.notify = off; UPDATE followup.message SET detail = ''x'''), NULL, 'one setting turns it off');

-- bulk
INSERT INTO followup.message (account_id, kind, recipient, due_at) SELECT 1 + g % 2, 'alert', 'a@b.example', now() + '1 h'::interval FROM generate_series(1, 500) AS g;
SELECT is(t.heard('UPDATE followup.message SET detail = ''x'' WHERE kind = ''alert'''), 'r 1 | r 2', 'too many messages: their accounts');
\o /dev/null
INSERT INTO followup.account (id, name) SELECT g, 'Account ' || g FROM generate_series(1001, 1101) AS g;
\o
SELECT is(t.heard('INSERT INTO followup.message (account_id, kind, recipient, due_at) SELECT 1001 + g % 101, ''alert'', ''a@b.example'', now() FROM generate_series(1, 500) AS g'), 'r *', 'too many accounts: all');

-- the engine's own writes
\o /dev/null
DELETE FROM followup.message WHERE kind = 'alert';
SELECT t.lead(1, 'dan') AS dan \gset
\o
CREATE FUNCTION t.claim_and_record(p_outcome followup.attempt_outcome, p_message bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM t.verdict(1, p_message);
    PERFORM t.record(1, p_message, p_outcome);
END $$;
SELECT is(t.heard('PERFORM t.verdict(1, ' || :dan || ')'), NULL, 'a claim tells nobody');
SELECT is(t.heard('PERFORM t.record(1, ' || :dan || ', ''sent'')'), NULL, 'a result, with the message planned after it, tells nobody');
SELECT isnt_empty('SELECT 1 FROM followup.message WHERE account_id = 1 AND position = 2', 'though one was planned');
SELECT t.lead(1, 'eva') AS eva \gset
SELECT is(t.heard('PERFORM t.verdict(1, ' || :eva || '); PERFORM followup.stop_messaging(2, ARRAY[t.lead_of(2, ' || :cid || ')])'),
    (SELECT 'm 2 ' || id || ' -' FROM followup.message WHERE account_id = 2 AND kind = 'follow_up'), 'after a claim in the same transaction others are told again');
SELECT t.heard('PERFORM followup.record_event(1, ''sandbox'', ''e'', ''delivered'', ' || :eva || ', clock_timestamp())') AS heard \gset
SELECT is(:'heard',
    (SELECT 'm 1 ' || n.id || ' ' || t.us(1, n.id) FROM followup.message AS n WHERE n.conversation_id = (t.conversation_of(1, :eva)).id AND n.state = 'scheduled'),
    'a webhook that came first tells what it planned, because its caller does not');

-- pause
SELECT is(t.heard('UPDATE followup.account SET paused_at = now() WHERE id = 1'), 'r 1', 'a pause of an account');
SELECT is(t.heard('UPDATE followup.account SET paused_at = NULL WHERE id = 1'), 'r 1', 'and its end');
SELECT is(t.heard('UPDATE followup.account SET paused_at = paused_at WHERE id = 1'), NULL, 'no change, nothing told');
SELECT is(t.heard('UPDATE followup.assistant SET paused_at = now() WHERE account_id = 2'), 'r 2', 'a pause of an assistant');
SELECT is(t.heard('UPDATE followup.sequence SET paused_at = now() WHERE account_id = 2'), 'r 2', 'a pause of a sequence');
SELECT is(t.heard('SET LOCAL followup.notify = off; UPDATE followup.sequence SET paused_at = NULL'), NULL, 'off for pauses too');
ALTER DATABASE :"DBNAME" SET followup.notify = 'off';
SELECT is(t.heard('UPDATE followup.assistant SET paused_at = NULL'), NULL, 'off for a whole database');
SELECT * FROM finish();
