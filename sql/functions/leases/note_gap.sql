CREATE OR REPLACE FUNCTION followup.note_gap() RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_real timestamptz := pg_catalog.clock_timestamp();
    v_beat timestamptz := (SELECT b.beat_at FROM followup.inbox_beat AS b);
BEGIN
    IF v_beat IS NULL OR v_beat >= v_real - '1 minute'::interval THEN
        RETURN false;
    END IF;
    SELECT b.beat_at INTO v_beat FROM followup.inbox_beat AS b FOR NO KEY UPDATE;   -- whoever notes it: our claims come after
    IF v_beat >= v_real - '1 minute'::interval THEN
        RETURN false;
    END IF;
    UPDATE followup.inbox_beat AS b SET beat_at = v_real;
    INSERT INTO followup.inbox_gap (from_at, until_at) VALUES (v_beat, v_real) ON CONFLICT DO NOTHING;
    INSERT INTO followup.list_pull AS p (account_id, provider_type, since, planned_at, next_try_at)
    SELECT m.account_id, m.provider_type, m.from_at - '1 hour'::interval, v_real, v_real
      FROM followup.events_may_be_missing() AS m
      JOIN followup.suppression_list AS k ON k.provider_type = m.provider_type AND k.waits > '0'
     WHERE m.kinds = 'all' AND m.until_at = v_real
     ORDER BY m.account_id, m.provider_type      -- as everybody locks them
        ON CONFLICT (account_id, provider_type) DO UPDATE
           SET since = CASE WHEN p.ended_at IS NULL OR p.error IS NOT NULL THEN least(p.since, excluded.since) ELSE excluded.since END,
               planned_at = excluded.planned_at, next_try_at = excluded.next_try_at, tries = 0, asked_provider = NULL,
               asked_at = NULL, done = '{}', applied = 0, error = NULL, ended_at = NULL;
    RETURN true;
END
$$;
COMMENT ON FUNCTION followup.note_gap() IS
    'Internal, of whoever takes or keeps leases, and of inbox_beat: when nobody received webhooks for a minute or longer (real), notes that, and has the suppression lists pulled of providers that repeat their webhooks for less: what claims reads list_pull, and leaves their accounts alone. In the transaction before the first claim, so that none comes before it; whoever else comes meanwhile waits for it, and it for no account: the caller ends soon. The hour before the gap is pulled too: what happened then may have been repeated in it. True: a gap was noted. Costs a look at one row otherwise.';
