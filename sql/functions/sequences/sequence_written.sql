CREATE OR REPLACE FUNCTION followup.sequence_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_paused   bigint[] := ARRAY(SELECT DISTINCT n.account_id FROM now_is AS n JOIN was AS o ON o.account_id = n.account_id AND o.id = n.id
                                  WHERE n.paused_at IS DISTINCT FROM o.paused_at);
    v_accounts bigint[];    -- of v_resumed, parallel
    v_resumed  bigint[];
BEGIN
    IF v_paused = '{}' THEN
        RETURN NULL;
    END IF;
    -- The row that every claim shares: a claim that began before us is over, one that comes after sees the pause.
    PERFORM FROM followup.account AS a WHERE a.id = ANY (v_paused) ORDER BY a.id FOR NO KEY UPDATE;
    SELECT array_agg(n.account_id ORDER BY n.account_id, n.id), array_agg(n.id ORDER BY n.account_id, n.id)
      INTO v_accounts, v_resumed
      FROM now_is AS n JOIN was AS o ON o.account_id = n.account_id AND o.id = n.id
     WHERE o.paused_at IS NOT NULL AND n.paused_at IS NULL;
    PERFORM followup.lock_scheduled(u.account_id, p_sequences => u.ids, p_due_until => followup.now())
       FROM (SELECT x.account_id, array_agg(x.id) AS ids FROM unnest(v_accounts, v_resumed) AS x (account_id, id)
              GROUP BY x.account_id ORDER BY x.account_id) AS u;
    PERFORM followup.lock_caps(v_accounts);
    PERFORM followup.spread_overdue(u.account_id, p_sequence => u.id) FROM unnest(v_accounts, v_resumed) AS u (account_id, id);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.sequence_written() IS
    'Trigger on UPDATE of sequence, a statement at a time: a pause takes the account''s lock, and at its end what became due is spread. So a direct write is as safe as pause() and resume().';
