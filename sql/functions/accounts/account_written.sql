CREATE OR REPLACE FUNCTION followup.account_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_moved   bigint[] := ARRAY(SELECT n.id FROM now_is AS n JOIN was AS o ON o.id = n.id WHERE n.timezone <> o.timezone);
    v_resumed bigint[] := ARRAY(SELECT n.id FROM now_is AS n JOIN was AS o ON o.id = n.id
                                 WHERE o.paused_at IS NOT NULL AND n.paused_at IS NULL ORDER BY n.id);
BEGIN
    -- The accounts are locked: they were written. A claim that began before a pause is over, one that comes after sees it.
    IF v_resumed <> '{}' THEN
        PERFORM followup.lock_scheduled(u.id, p_due_until => CASE WHEN u.id <> ALL (v_moved) THEN followup.now() END)
           FROM (SELECT x.id FROM unnest(v_moved || v_resumed) AS x (id) GROUP BY x.id ORDER BY x.id) AS u;
        PERFORM followup.lock_caps(v_moved || v_resumed);
    END IF;
    IF v_moved <> '{}' THEN
        PERFORM followup.replan_accounts(v_moved, NULL, 'planned anew: the account''s zone changed');
        PERFORM followup.replan_capped(s.account_id, s.id)      -- its days are others
           FROM followup.assistant AS s
          WHERE s.account_id = ANY (v_moved) AND (s.daily_cap IS NOT NULL OR s.ramp IS NOT NULL);
    END IF;
    PERFORM followup.spread_overdue(u.id) FROM unnest(v_resumed) AS u (id);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.account_written() IS
    'Trigger on UPDATE of account, a statement at a time: another zone plans again what is scheduled; at the end of a pause what became due is spread. So a direct write is as safe as pause() and resume().';
