CREATE OR REPLACE FUNCTION followup.message_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_accounts bigint[] := ARRAY(SELECT DISTINCT g.account_id FROM gone AS g WHERE g.cap_day IS NOT NULL);
BEGIN
    DELETE FROM followup.attempt AS t USING gone AS g WHERE t.account_id = g.account_id AND t.message_id = g.id;
    IF v_accounts = '{}' THEN
        RETURN NULL;
    END IF;
    PERFORM followup.lock_caps(v_accounts);
    UPDATE followup.cap_use AS u SET used = greatest(u.used - d.free, 0), gone = u.gone + d.kept
      FROM (SELECT g.account_id, g.cap_assistant_id, g.cap_day, count(*) FILTER (WHERE g.state = 'scheduled') AS free,
                   count(*) FILTER (WHERE g.state <> 'scheduled' AND (g.state NOT IN ('cancelled', 'failed') OR g.posts > 0)) AS kept
              FROM gone AS g WHERE g.cap_day IS NOT NULL GROUP BY 1, 2, 3) AS d
     WHERE u.account_id = d.account_id AND u.assistant_id = d.cap_assistant_id AND u.day = d.cap_day;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.message_deleted() IS
    'Trigger: with messages go their attempts and the bodies in them. A result under way is either committed before, and seen here, or finds no message and writes none. A place under a daily cap of one that was scheduled is free; one that may have left keeps it (cap_use.gone).';
