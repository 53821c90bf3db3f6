-- Included by the engine's pgTAP files: a worker that owns every shard, accounts that need few words.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE SCHEMA t;
CREATE FUNCTION t.me() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT '00000000-0000-0000-0000-00000000000a'::uuid $$;
CREATE FUNCTION t.other() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT '00000000-0000-0000-0000-00000000000b'::uuid $$;
CREATE FUNCTION t.shards() RETURNS integer[] LANGUAGE sql AS $$ SELECT array_agg(shard ORDER BY shard) FROM followup.lease $$;
CREATE FUNCTION t.epochs() RETURNS bigint[] LANGUAGE sql AS $$ SELECT array_agg(epoch ORDER BY shard) FROM followup.lease $$;

-- An account with a rep, an assistant, a sequence of two steps two days apart and one follow-up.
CREATE FUNCTION t.account(p_id bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO followup.account (id, name, timezone, postal_address) VALUES (p_id, 'Account ' || p_id, 'UTC', '1 Main St');
    INSERT INTO followup.app_user (account_id, id, name, email, phone) VALUES (p_id, p_id, 'Rita', 'rita@firm.example', '555');
    INSERT INTO followup.assistant (account_id, id, name, title, from_address, reply_domain, signature)
    VALUES (p_id, p_id, 'Ann', 'Assistant', 'ann@firm.example', 'reply.example', 'Ann of Firm');
    INSERT INTO followup.sequence (account_id, id, name) VALUES (p_id, p_id, 'Main');
    INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (p_id, p_id, 1);
    INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text, body_html)
    VALUES (p_id, p_id, 1, 'sequence', 1, 'one', '0', 'Hello {{first_name}}', 'Text one', '<p>one</p>'),
           (p_id, p_id, 1, 'sequence', 2, 'two', '2 days', 'Still there?', 'Text two', NULL),
           (p_id, p_id, 1, 'follow_up', 1, 'feedback', '0', 'How was it?', 'Text feedback', NULL);
    RETURN p_id;
END $$;

-- A lead with its first message scheduled; the message's id. p_late: how long ago it was due.
CREATE FUNCTION t.lead(p_account bigint, p_name text, p_late interval = '1 second') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_lead    bigint;
    v_message bigint;
BEGIN
    INSERT INTO followup.lead (account_id, email, first_name, company, rep_id, fields)
    VALUES (p_account, p_name || '@People.example', initcap(p_name), 'Firm', p_account, '{"color": "red", "email": "mine"}')
    RETURNING id INTO v_lead;
    SELECT message_id INTO v_message FROM followup.start_follow_up(p_account, ARRAY[v_lead], p_account, p_account);
    UPDATE followup.message SET due_at = followup.now() - p_late WHERE account_id = p_account AND id = v_message;
    RETURN v_message;
END $$;

-- A message without a lead.
CREATE FUNCTION t.alert(p_account bigint) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO followup.message (account_id, kind, recipient, due_at, payload)
    VALUES (p_account, 'alert', 'rita@firm.example', followup.now() - '1 second'::interval, '{"what": "hot"}') RETURNING id $$;

CREATE FUNCTION t.claim(p_account bigint, VARIADIC p_messages bigint[]) RETURNS SETOF followup.claim_row LANGUAGE sql AS $$
    SELECT * FROM followup.claim_messages(t.me(), t.shards(), t.epochs(),
        array_fill(p_account, ARRAY[cardinality(p_messages)]), p_messages, 'sandbox') $$;
CREATE FUNCTION t.verdict(p_account bigint, p_message bigint) RETURNS text LANGUAGE sql AS $$
    SELECT verdict::text FROM t.claim(p_account, p_message) $$;

CREATE TYPE t.answer AS (accepted boolean, next_message_id bigint, next_due_at timestamptz);
-- One result, for the key, POST and epoch that the message has now unless told otherwise.
CREATE FUNCTION t.record(p_account bigint, p_message bigint, p_outcome followup.attempt_outcome, p_retry_after_ms bigint = 0,
                         p_uncounted boolean = false, p_attempts integer = NULL, p_posts integer = NULL, p_epoch bigint = NULL,
                         p_provider_id text = NULL, p_ended timestamptz = clock_timestamp(), p_detail text = NULL,
                         p_worker uuid = t.me(), p_rfc_id text = NULL)
RETURNS t.answer LANGUAGE sql AS $$
    SELECT r.accepted, r.next_message_id, r.next_due_at
      FROM followup.message AS m, LATERAL followup.record_results(p_worker, t.shards(), t.epochs(), ARRAY[m.account_id], ARRAY[m.id],
               ARRAY[coalesce(p_attempts, m.attempts)], ARRAY[coalesce(p_posts, m.posts)], ARRAY[coalesce(p_epoch, m.epoch)],
               ARRAY[p_outcome], ARRAY[p_uncounted], ARRAY[200], ARRAY[p_retry_after_ms], ARRAY[p_detail], ARRAY[p_provider_id],
               ARRAY[p_ended - '5 ms'::interval], ARRAY[p_ended], ARRAY['Subject as sent'], ARRAY['Text as sent'], ARRAY[NULL::text],
               ARRAY[p_rfc_id]) AS r
     WHERE m.account_id = p_account AND m.id = p_message $$;

CREATE FUNCTION t.state(p_account bigint, p_message bigint) RETURNS text LANGUAGE sql AS $$
    SELECT state::text FROM followup.message WHERE account_id = p_account AND id = p_message $$;
CREATE FUNCTION t.conversation_of(p_account bigint, p_message bigint) RETURNS followup.conversation LANGUAGE sql AS $$
    SELECT c FROM followup.message AS m JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
     WHERE m.account_id = p_account AND m.id = p_message $$;
CREATE FUNCTION t.lead_of(p_account bigint, p_message bigint) RETURNS bigint LANGUAGE sql AS $$
    SELECT lead_id FROM followup.message WHERE account_id = p_account AND id = p_message $$;
-- Writes a message as a test needs it, as the owner.
CREATE FUNCTION t.set(p_account bigint, p_message bigint, p_assignments text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE followup.message SET %s WHERE account_id = %s AND id = %s', p_assignments, p_account, p_message);
END $$;
-- A second connection that holds a lock until t.let_go().
CREATE EXTENSION dblink;
CREATE FUNCTION t.hold(p_query text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dblink_connect('holder', format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'),
                                            current_setting('port'), current_database(), current_user));
    PERFORM dblink_exec('holder', 'BEGIN');
    PERFORM dblink_exec('holder', 'DO $q$ BEGIN PERFORM ' || p_query || '; END $q$');
END $$;
CREATE FUNCTION t.let_go() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dblink_exec('holder', 'ROLLBACK');
    PERFORM dblink_disconnect('holder');
END $$;
-- As let_go, but what it did counts.
CREATE FUNCTION t.commit() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dblink_exec('holder', 'COMMIT');
    PERFORM dblink_disconnect('holder');
END $$;
-- A query in a session of its own, which waits for a lock, or is done, when this returns: 'waits' or 'done'.
CREATE FUNCTION t.begin(p_query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_pid integer;
BEGIN
    PERFORM dblink_connect('begun', format('host=%s port=%s dbname=%s user=%s', current_setting('unix_socket_directories'),
                                           current_setting('port'), current_database(), current_user));
    SELECT d.pid INTO v_pid FROM dblink('begun', 'SELECT pg_backend_pid()') AS d(pid integer);
    PERFORM dblink_send_query('begun', p_query);
    FOR v_look IN 1..1000 LOOP
        IF dblink_is_busy('begun') = 0 THEN
            RETURN 'done';
        ELSIF cardinality(pg_blocking_pids(v_pid)) > 0 THEN
            RETURN 'waits';
        END IF;
        PERFORM pg_sleep(0.01);
    END LOOP;
    RAISE EXCEPTION 'the query neither ends nor waits';
END $$;
-- Its answer: one text.
CREATE FUNCTION t.answer() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_said text;
BEGIN
    SELECT d.said INTO v_said FROM dblink_get_result('begun') AS d(said text);
    PERFORM dblink_disconnect('begun');
    RETURN v_said;
END $$;
DO $$ BEGIN PERFORM followup.acquire_leases(t.me(), NULL, 600000); END $$;
