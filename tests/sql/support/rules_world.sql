-- A small world for the tests of planning and actions: account 1 in Berlin, its people, a sequence of three steps and two
-- follow-ups, business time that stands still (test.now), and ways to bring a lead into each state by the functions.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET test.now = '2026-03-02 08:00+00';
CREATE OR REPLACE FUNCTION followup.now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT pg_catalog.current_setting('test.now')::timestamptz $$;
CREATE OR REPLACE FUNCTION followup.clock(OUT business timestamptz, OUT rate double precision) RETURNS SETOF record
LANGUAGE sql VOLATILE ROWS 1 AS $$ SELECT pg_catalog.current_setting('test.now')::timestamptz, 1.0::double precision $$;

INSERT INTO followup.account (id, name, timezone, postal_address, feedback_subject, feedback_body_text)
VALUES (1, 'Berlin', 'Europe/Berlin', 'Allee 1, Berlin', NULL, NULL), (2, 'Other', 'UTC', '1 Main St', 'How was it?', 'Tell us.');
INSERT INTO followup.app_user (account_id, id, name, email, profile)
VALUES (1, 1, 'Rita', 'rita@a.example', 'rep'), (1, 2, 'Max', 'max@a.example', 'manager'),
       (1, 3, 'Ada', 'ada@a.example', 'administrator'), (2, 4, 'Otto', 'otto@b.example', 'manager');
INSERT INTO followup.assistant (account_id, id, name, from_address)
VALUES (1, 1, 'Sue', 'sue@a.example'), (1, 2, 'Tom', 'tom@a.example'), (2, 3, 'Uwe', 'uwe@b.example');
INSERT INTO followup.sequence (account_id, id, name) VALUES (1, 1, 'Sales'), (1, 2, 'Short'), (1, 3, 'Empty'), (2, 4, 'Sales');
INSERT INTO followup.sequence_version (account_id, sequence_id, version) VALUES (1, 1, 1), (1, 2, 1), (1, 3, 1), (2, 4, 1);
INSERT INTO followup.step (account_id, sequence_id, version, kind, position, step_key, delay, subject, body_text)
VALUES (1, 1, 1, 'sequence', 1, 'a', '0', 'Step a', 'A'), (1, 1, 1, 'sequence', 2, 'b', '2 days', 'Step b', 'B'),
       (1, 1, 1, 'sequence', 3, 'c', '3 days', 'Step c', 'C'),
       (1, 1, 1, 'follow_up', 1, 'f', '1 hour', 'Feedback f', 'F'), (1, 1, 1, 'follow_up', 2, 'g', '5 days', 'Feedback g', 'G'),
       (1, 2, 1, 'sequence', 1, 's', '1 hour', 'Step s', 'S'),
       (2, 4, 1, 'sequence', 1, 'z', '0', 'Step z', 'Z');

CREATE SCHEMA t;

CREATE FUNCTION t.lead(p_account bigint = 1) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO followup.lead (account_id, email) VALUES (p_account, 'lead' || nextval('followup.order_seq') || '@l.example')
    RETURNING id $$;

CREATE FUNCTION t.started(p_sequence bigint = 1) RETURNS bigint LANGUAGE sql AS $$
    SELECT r.lead_id FROM followup.start_follow_up(1, ARRAY[t.lead()], p_sequence, 1) AS r $$;

CREATE FUNCTION t.live(p_lead bigint) RETURNS bigint LANGUAGE sql AS $$
    SELECT id FROM followup.message WHERE lead_id = p_lead AND pending AND NOT detached $$;

-- As the claim leaves it.
CREATE FUNCTION t.claim(p_lead bigint) RETURNS bigint LANGUAGE sql AS $$
    UPDATE followup.message
       SET state = 'sending', claimed_by = gen_random_uuid(), epoch = 1, claimed_at = clock_timestamp(), attempts = 1,
           posts = 1, claim_seq = nextval('followup.order_seq')
     WHERE id = t.live(p_lead) RETURNING id $$;

-- What the live message came to, at the instant it was planned for; answers what is planned next.
CREATE FUNCTION t.finish(p_lead bigint, p_state followup.message_state = 'sent', p_late interval = '0') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_message bigint := t.live(p_lead);
    v_due     timestamptz := (SELECT due_at FROM followup.message WHERE id = v_message);
BEGIN
    PERFORM set_config('test.now', greatest(v_due + p_late, followup.now())::text, false);
    IF (SELECT state FROM followup.message WHERE id = v_message) = 'scheduled' THEN
        PERFORM t.claim(p_lead);
    END IF;
    UPDATE followup.message SET state = p_state, sent_at = CASE WHEN p_state <> 'failed' THEN followup.now() END,
           detail = CASE WHEN p_state = 'failed' THEN 'no value for first_name' END
     WHERE id = v_message;
    RETURN (SELECT a.message_id FROM followup.after_message(ARRAY[1::bigint], ARRAY[v_message]) AS a);
END $$;

CREATE FUNCTION t.reply(p_lead bigint, p_outcome text = NULL) RETURNS followup.action_result LANGUAGE sql AS $$
    SELECT followup.record_reply(1, NULL, 'lead@l.example', 'Re: hello', 'text', p_outcome => p_outcome, p_lead => p_lead) $$;

-- 'active/sequence', 'deactivated/Retired', ...: a lead that got there by the functions alone.
CREATE FUNCTION t.lead_in(p_state text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_lead bigint := CASE WHEN p_state = 'new' THEN t.lead() WHEN p_state = 'processed/completed' THEN t.started(2) ELSE t.started() END;
BEGIN
    CASE regexp_replace(p_state, '^deactivated/.*', 'deactivated')
    WHEN 'new', 'active/sequence' THEN NULL;
    WHEN 'active/out_of_office' THEN PERFORM t.reply(v_lead, 'out_of_office');
    WHEN 'active/follow_up' THEN PERFORM followup.skip_to_follow_up(1, ARRAY[v_lead]);
    WHEN 'active/follow_up hot' THEN PERFORM t.reply(v_lead, 'hot_lead');
    WHEN 'processed/responded' THEN PERFORM t.reply(v_lead, 'further_action');
    WHEN 'processed/completed' THEN PERFORM t.finish(v_lead);
    WHEN 'processed/failed' THEN PERFORM t.finish(v_lead, 'failed');
    WHEN 'stopped' THEN PERFORM followup.stop_messaging(1, ARRAY[v_lead]);
    WHEN 'unsubscribed' THEN PERFORM followup.unsubscribe(1, v_lead);
    WHEN 'deactivated' THEN PERFORM t.reply(v_lead, 'deactivate:' || split_part(p_state, '/', 2));
    END CASE;
    RETURN v_lead;
END $$;

CREATE FUNCTION t.act(p_action text, p_lead bigint) RETURNS followup.action_result LANGUAGE plpgsql AS $$
DECLARE
    v_result followup.action_result;
BEGIN
    CASE p_action
    WHEN 'start' THEN SELECT * INTO STRICT v_result FROM followup.start_follow_up(1, ARRAY[p_lead], 1, 1);
    WHEN 'skip' THEN SELECT * INTO STRICT v_result FROM followup.skip_to_follow_up(1, ARRAY[p_lead]);
    WHEN 'stop' THEN SELECT * INTO STRICT v_result FROM followup.stop_messaging(1, ARRAY[p_lead]);
    WHEN 'continue' THEN SELECT * INTO STRICT v_result FROM followup.continue_follow_up(1, ARRAY[p_lead]);
    WHEN 'restart' THEN SELECT * INTO STRICT v_result FROM followup.restart_follow_up(1, ARRAY[p_lead], NULL, 1, 1);
    END CASE;
    RETURN v_result;
END $$;

CREATE FUNCTION t.state(p_lead bigint) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws('/', state, sub_state, status) FROM followup.lead WHERE id = p_lead $$;

-- All messages of a lead in the order they were made: step:state, in brackets when detached.
CREATE FUNCTION t.messages(p_lead bigint) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(CASE WHEN detached THEN '(' || coalesce(step_key, '-') || ':' || state || ')'
                           ELSE coalesce(step_key, '-') || ':' || state END, ' ' ORDER BY id)
      FROM followup.message WHERE lead_id = p_lead $$;

CREATE FUNCTION t.due(p_lead bigint) RETURNS text LANGUAGE sql AS $$
    SELECT to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM followup.message WHERE id = t.live(p_lead) $$;

-- A reply to a lead in that state ('after follow_up': one follow-up sent, the next scheduled), and what became of it.
CREATE FUNCTION t.after_reply_of(p_lead bigint, p_outcome text, OUT state text, OUT messages text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM t.reply(p_lead, p_outcome);
    state := t.state(p_lead);
    messages := t.messages(p_lead);
END $$;
CREATE FUNCTION t.after_reply(p_state text, p_outcome text, OUT state text, OUT messages text) LANGUAGE plpgsql AS $$
DECLARE
    v_lead bigint := t.lead_in(CASE p_state WHEN 'after follow_up' THEN 'active/follow_up hot' ELSE p_state END);
BEGIN
    IF p_state = 'after follow_up' THEN
        PERFORM t.finish(v_lead);
    END IF;
    SELECT * INTO state, messages FROM t.after_reply_of(v_lead, p_outcome);
END $$;
