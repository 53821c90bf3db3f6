CREATE OR REPLACE FUNCTION followup.calendar_replanned() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_some record;
BEGIN
    IF TG_TABLE_NAME = 'send_window' THEN
        FOR v_some IN SELECT DISTINCT w.account_id FROM written AS w ORDER BY w.account_id LOOP
            PERFORM followup.replan_account(v_some.account_id, 'planned anew: send windows changed');
        END LOOP;
        RETURN NULL;
    END IF;
    -- A holiday of a country is every account's that has leads there.
    FOR v_some IN
        SELECT a.id AS account_id, h.country
          FROM (SELECT DISTINCT w.account_id, w.country FROM written AS w) AS h
          JOIN followup.account AS a ON a.id = h.account_id
        UNION
        SELECT DISTINCT l.account_id, h.country
          FROM (SELECT DISTINCT w.country FROM written AS w WHERE w.account_id IS NULL) AS h
          JOIN followup.lead AS l ON l.state = 'active' AND (h.country IS NULL OR lower(l.country) = lower(h.country))
         ORDER BY 1, 2 LOOP
        PERFORM followup.replan_account(v_some.account_id, 'planned anew: holidays changed', NULL, v_some.country);
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.calendar_replanned() IS
    'Trigger on send_window and holiday: what is scheduled in the accounts they are for is planned again.';
