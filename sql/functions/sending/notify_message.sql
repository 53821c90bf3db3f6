CREATE OR REPLACE FUNCTION followup.notify_message() RETURNS trigger
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_accounts bigint[];
    v_messages bigint[];
    v_dues     timestamptz[];
    v_payload  text;
BEGIN
    IF pg_catalog.current_setting('followup.quiet', true) = 'on' OR pg_catalog.current_setting('followup.notify', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT pg_catalog.array_agg(n.account_id), pg_catalog.array_agg(n.id), pg_catalog.array_agg(n.due_at)
      INTO v_accounts, v_messages, v_dues
      FROM (SELECT w.account_id, w.id, CASE WHEN w.state = 'scheduled' THEN w.due_at END AS due_at
              FROM written AS w
             WHERE CASE w.state WHEN 'scheduled' THEN w.due_at < followup.now() + '73 hours'::interval
                                WHEN 'cancelled' THEN true
                                WHEN 'failed' THEN true
                                -- Its daemon gives it back if no byte has left.
                                WHEN 'sending' THEN w.detached ELSE false END
             LIMIT 401) AS n;
    IF v_accounts IS NULL THEN
        RETURN NULL;
    END IF;
    IF pg_catalog.cardinality(v_accounts) <= 400 THEN
        v_payload := followup.wake_payload(v_accounts, v_messages, v_dues);
    END IF;
    IF v_payload IS NOT NULL THEN
        PERFORM pg_catalog.pg_notify('followup', v_payload);
        RETURN NULL;
    END IF;
    v_accounts := ARRAY(SELECT DISTINCT w.account_id FROM written AS w LIMIT 101);
    IF pg_catalog.cardinality(v_accounts) > 100 THEN
        PERFORM pg_catalog.pg_notify('followup', 'r *');
    ELSE
        PERFORM pg_catalog.pg_notify('followup', 'r ' || a.id) FROM unnest(v_accounts) AS a(id);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.notify_message() IS
    'Trigger: tells the daemon on channel followup what a statement scheduled, moved or cancelled, or took out while it was being sent: the messages when they fit one text, else "r <account>" an account, "r *" for more than 100 of them. Silent for the engine''s own writes (followup.quiet = on), where followup.notify = off, and about what is due more than 73 hours from now.';
