CREATE OR REPLACE FUNCTION followup.calendar_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_own       bigint[] := ARRAY(SELECT DISTINCT w.account_id FROM written AS w WHERE w.account_id IS NOT NULL);
    v_accounts  bigint[] := v_own;
    v_countries text[];     -- of v_accounts, parallel; NULL: wherever the leads are
    v_days      followup.holiday[];
BEGIN
    IF TG_TABLE_NAME = 'holiday' THEN
        v_days := ARRAY(SELECT ROW(w.*)::followup.holiday FROM written AS w);
        IF TG_OP = 'UPDATE' THEN    -- the country it was of, and the one it is of
            v_days := v_days || ARRAY(SELECT ROW(o.*)::followup.holiday FROM was AS o);
        END IF;
        -- A holiday of a country is every account's that has leads there, active or about to be.
        SELECT array_agg(u.account_id), array_agg(u.country) INTO v_accounts, v_countries
          FROM (SELECT h.account_id, h.country FROM unnest(v_days) AS h WHERE h.account_id IS NOT NULL
                UNION
                SELECT l.account_id, h.country
                  FROM unnest(v_days) AS h
                  JOIN followup.lead AS l ON lower(l.country) = lower(h.country)
                 WHERE h.account_id IS NULL) AS u;
    END IF;
    -- The locks first: what somebody else wrote meanwhile is seen by the next statement.
    PERFORM FROM followup.account AS a WHERE a.id = ANY (v_accounts) ORDER BY a.id FOR NO KEY UPDATE;
    UPDATE followup.account AS a SET has_calendar = c.has
      FROM (SELECT u.id, EXISTS (SELECT FROM followup.send_window AS w WHERE w.account_id = u.id)
                      OR EXISTS (SELECT FROM followup.holiday AS h WHERE h.account_id = u.id) AS has
              FROM unnest(v_own) AS u (id)) AS c
     WHERE a.id = c.id AND a.has_calendar <> c.has;
    PERFORM followup.replan_accounts(v_accounts, v_countries, CASE TG_TABLE_NAME WHEN 'holiday' THEN 'planned anew: holidays changed'
                                                                   ELSE 'planned anew: send windows changed' END);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.calendar_written() IS
    'Trigger, after a statement that wrote windows or holidays: keeps account.has_calendar, and plans again what is scheduled in the accounts they are for.';
