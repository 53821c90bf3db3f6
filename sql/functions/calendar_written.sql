CREATE OR REPLACE FUNCTION followup.calendar_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_accounts bigint[] := ARRAY(SELECT DISTINCT w.account_id FROM written AS w WHERE w.account_id IS NOT NULL ORDER BY 1);
BEGIN
    -- The lock first: what somebody else wrote meanwhile is seen by the next statement.
    PERFORM FROM followup.account AS a WHERE a.id = ANY (v_accounts) ORDER BY a.id FOR NO KEY UPDATE;
    UPDATE followup.account AS a SET has_calendar = c.has
      FROM (SELECT u.id, EXISTS (SELECT FROM followup.send_window AS w WHERE w.account_id = u.id)
                      OR EXISTS (SELECT FROM followup.holiday AS h WHERE h.account_id = u.id) AS has
              FROM unnest(v_accounts) AS u (id)) AS c
     WHERE a.id = c.id AND a.has_calendar <> c.has;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.calendar_written() IS
    'Trigger, after a statement that wrote windows or holidays: keeps account.has_calendar.';
