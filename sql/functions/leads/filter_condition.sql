-- Every value goes through format's %L, so that a filter is data and never SQL.
CREATE OR REPLACE FUNCTION followup.filter_condition(p_number integer, p_key text, p_operator text, p_value text)
RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_term  text := format('filter term %s "%s%s%s"', p_number, p_key, p_operator, p_value);
    v_words text[];
    v_sql   text;
BEGIN
    v_sql := CASE
        WHEN p_key IN ('state', 'sub_state', 'status', 'created', 'status_at') THEN
            'l.' || CASE p_key WHEN 'created' THEN 'created_at' ELSE p_key END
        WHEN p_key IN ('email', 'company', 'country', 'timezone') THEN format('lower(l.%I)', p_key)
        WHEN p_key IN ('external_id', 'crm_status') THEN format('l.%I', p_key)
        WHEN p_key = 'rep' THEN
            '(SELECT lower(u.email) FROM followup.app_user AS u WHERE u.account_id = l.account_id AND u.id = l.rep_id)'
        WHEN p_key IN ('sequence', 'assistant') THEN format(
            '(SELECT lower(n.name) FROM followup.%1$I AS n WHERE n.account_id = l.account_id AND n.id = l.%1$s_id)', p_key)
        END;
    IF v_sql IS NULL THEN
        RAISE EXCEPTION '%: there is no key "%"', v_term, p_key
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Keys: state, sub_state, status, email, external_id, company, country, timezone, crm_status, sequence, assistant, rep, created, status_at.';
    END IF;
    IF p_operator NOT IN ('=', '!=') AND p_key NOT IN ('created', 'status_at') THEN
        RAISE EXCEPTION '%: % is compared with = or !=', v_term, p_key USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_value = 'none' THEN
        IF p_operator NOT IN ('=', '!=') THEN
            RAISE EXCEPTION '%: none is compared with = or !=', v_term USING ERRCODE = 'invalid_parameter_value';
        END IF;
        RETURN v_sql || CASE p_operator WHEN '=' THEN ' IS NULL' ELSE ' IS NOT NULL' END;
    END IF;
    IF p_key IN ('state', 'sub_state', 'status') THEN
        v_words := CASE p_key WHEN 'state' THEN enum_range(NULL::followup.lead_state)::text[]
                              WHEN 'sub_state' THEN enum_range(NULL::followup.lead_sub_state)::text[]
                              ELSE enum_range(NULL::followup.lead_status)::text[] END;
        IF NOT p_value = ANY (v_words) THEN
            RAISE EXCEPTION '%: % is one of %', v_term, p_key, array_to_string(v_words, ', ')
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        RETURN format('%s IS %s DISTINCT FROM %L', v_sql, CASE p_operator WHEN '=' THEN 'NOT' ELSE '' END, p_value);
    ELSIF p_key IN ('created', 'status_at') THEN
        RETURN followup.filter_instant(v_term, v_sql, p_operator, p_value);
    ELSIF p_key IN ('external_id', 'crm_status') THEN
        RETURN format('%s IS %s DISTINCT FROM %L', v_sql, CASE p_operator WHEN '=' THEN 'NOT' ELSE '' END, p_value);
    END IF;
    RETURN format('%s IS %s DISTINCT FROM %L', v_sql, CASE p_operator WHEN '=' THEN 'NOT' ELSE '' END, lower(p_value));
END
$$;
COMMENT ON FUNCTION followup.filter_condition(integer, text, text, text) IS
    'One term of a filter as a condition on lead l; p_number counts the terms, for messages. Refuses (22023) an unknown key, a value that the key cannot have, an operator that does not fit.';
