CREATE OR REPLACE FUNCTION followup.crm_replay(p_account bigint, p_days integer = 30)
RETURNS TABLE (at timestamptz, lead_id bigint, source text, field text, old text, new text, rule text, did text, would text,
               differs boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM followup.check_account(p_account);
    PERFORM followup.require_account(p_account);
    IF p_days IS NULL OR p_days NOT BETWEEN 1 AND 3660 THEN
        RAISE EXCEPTION 'crm_replay: days must be 1 to 3660, not %', coalesce(p_days::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
    SELECT e.at, e.lead_id, e.source, e.field, e.old, e.new, (c.x).rule, e.result,
           CASE (c.x).action WHEN 'stop' THEN 'stop' WHEN 'skip_to_follow_up' THEN 'skip to the follow-up'
                             WHEN 'none' THEN 'nothing to do' ELSE 'no rule' END,
           (c.x).action IS DISTINCT FROM e.action
      FROM followup.crm_event AS e
     CROSS JOIN LATERAL (SELECT (followup.crm_changes(p_account, ARRAY[e.lead_id], ARRAY[e.source], ARRAY[e.field], ARRAY[e.old],
                                                      ARRAY[e.new]))[1] AS x) AS c
     WHERE e.account_id = p_account AND e.at > followup.now() - pg_catalog.make_interval(days => p_days)
     ORDER BY e.at, e.id;
END
$$;
COMMENT ON FUNCTION followup.crm_replay(bigint, integer) IS
    'What the CRM rules of now would have done with every value that came in the last p_days (1 to 3660, business time); nothing is changed. did: what was done then; differs: the rules of now say something else. Raises 22023 for other days.';
