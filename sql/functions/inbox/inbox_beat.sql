CREATE OR REPLACE FUNCTION followup.inbox_beat() RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_real timestamptz := pg_catalog.clock_timestamp();
    v_beat timestamptz;
    v_forget timestamptz;
BEGIN
    IF followup.note_gap() THEN
        RETURN true;
    END IF;
    SELECT b.beat_at INTO v_beat FROM followup.inbox_beat AS b;
    IF v_beat > v_real - '10 seconds'::interval THEN
        RETURN false;
    ELSIF v_beat IS NULL THEN
        INSERT INTO followup.inbox_beat (beat_at) VALUES (v_real) ON CONFLICT DO NOTHING;
        RETURN false;
    END IF;
    SELECT b.beat_at INTO v_beat FROM followup.inbox_beat AS b FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND OR v_beat > v_real - '10 seconds'::interval THEN
        RETURN false;
    END IF;
    UPDATE followup.inbox_beat AS b SET beat_at = v_real;
    DELETE FROM followup.inbox_gap AS g WHERE g.until_at < v_real - '30 days'::interval;
    DELETE FROM followup.webhook_token AS t
     WHERE t.ctid = ANY (ARRAY(SELECT w.ctid FROM followup.webhook_token AS w
                                WHERE w.seen_at < v_real - '7 days'::interval LIMIT 10000 FOR UPDATE SKIP LOCKED));
    v_forget := v_real - (SELECT r.keep FROM followup.retention AS r WHERE r.what = 'provider_event');
    DELETE FROM followup.provider_event AS e
     WHERE e.ctid = ANY (ARRAY(SELECT w.ctid FROM followup.provider_event AS w
                                WHERE w.received_at < v_forget AND w.next_try_at IS NULL
                                ORDER BY w.received_at LIMIT 10000 FOR UPDATE SKIP LOCKED));
    DELETE FROM followup.webhook AS w WHERE w.error IS NOT NULL AND w.received_at < v_forget;
    RETURN false;
END
$$;
COMMENT ON FUNCTION followup.inbox_beat() IS
    'Internal, of apply_inbox: somebody is there who receives webhooks; at most every 10 s (real). Notes a gap of a minute or longer since the last one (note_gap): true, and then the caller ends, for leases wait for that. Forgets gaps after 30 days, single-use tokens after 7, and events that need nothing more, or cannot be read, after followup.retention, the oldest 10000 at a time.';
