CREATE OR REPLACE FUNCTION followup.assistant_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_accounts bigint[] := ARRAY(
        SELECT DISTINCT n.account_id FROM now_is AS n JOIN was AS o ON o.account_id = n.account_id AND o.id = n.id
         WHERE (n.paused_at, n.daily_cap, n.ramp, n.ramp_from) IS DISTINCT FROM (o.paused_at, o.daily_cap, o.ramp, o.ramp_from));
    v_some     record;
BEGIN
    IF v_accounts = '{}' THEN
        RETURN NULL;
    END IF;
    PERFORM followup.require_read_committed();
    -- The row that every claim and every action shares: one that began before us is over, one that comes after sees what is new.
    PERFORM FROM followup.account AS a WHERE a.id = ANY (v_accounts) ORDER BY a.id FOR NO KEY UPDATE;
    FOR v_some IN
        SELECT n.account_id, array_agg(n.id) AS ids,
               bool_or((n.daily_cap, n.ramp, n.ramp_from) IS DISTINCT FROM (o.daily_cap, o.ramp, o.ramp_from)) AS capped
          FROM now_is AS n JOIN was AS o ON o.account_id = n.account_id AND o.id = n.id
         WHERE (n.daily_cap, n.ramp, n.ramp_from) IS DISTINCT FROM (o.daily_cap, o.ramp, o.ramp_from)
            OR o.paused_at IS NOT NULL AND n.paused_at IS NULL
         GROUP BY n.account_id ORDER BY n.account_id LOOP
        PERFORM followup.lock_scheduled(v_some.account_id, p_assistants => v_some.ids,
                                        p_due_until => CASE WHEN NOT v_some.capped THEN followup.now() END);
    END LOOP;
    INSERT INTO followup.cap_lock (account_id)
    SELECT DISTINCT n.account_id FROM now_is AS n WHERE n.daily_cap IS NOT NULL OR n.ramp IS NOT NULL ORDER BY n.account_id
        ON CONFLICT DO NOTHING;
    PERFORM followup.lock_caps(v_accounts);
    FOR v_some IN
        SELECT n.account_id, n.id, o.paused_at IS NOT NULL AND n.paused_at IS NULL AS resumed,
               (n.daily_cap, n.ramp, n.ramp_from) IS DISTINCT FROM (o.daily_cap, o.ramp, o.ramp_from) AS capped
          FROM now_is AS n JOIN was AS o ON o.account_id = n.account_id AND o.id = n.id
         ORDER BY n.account_id, n.id LOOP
        IF v_some.resumed THEN
            PERFORM followup.spread_overdue(v_some.account_id, p_assistant => v_some.id);
        END IF;
        IF v_some.capped THEN
            PERFORM followup.replan_capped(v_some.account_id, v_some.id);
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.assistant_written() IS
    'Trigger on UPDATE of assistant, a statement at a time: a pause takes the account''s lock, and at its end what became due is spread; another daily_cap, ramp or ramp_from plans again what it is to send. So a direct write is as safe as pause() and resume().';
