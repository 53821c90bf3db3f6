CREATE OR REPLACE FUNCTION followup.find_leads(p_account bigint, p_filter text = NULL) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_where text := '';
    v_term  text[];
    v_all   text := coalesce(p_filter, '');
    v_count integer := 0;
BEGIN
    PERFORM followup.require_account(p_account);
    IF length(v_all) > 4000 THEN
        RAISE EXCEPTION 'filter: is longer than 4000 characters' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    LOOP
        v_all := ltrim(v_all, E' \t\r\n');
        EXIT WHEN v_all = '';
        v_count := v_count + 1;
        IF v_count > 50 THEN
            RAISE EXCEPTION 'filter: has more than 50 terms' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        -- key, operator, value: "quoted" or up to the next blank; what is left over begins with a blank or is empty.
        v_term := regexp_match(v_all, '^([a-z_]+)(!=|>=|<=|=|>|<)("[^"]*"|[^[:space:]"]+)(?=[[:space:]]|$)');
        IF v_term IS NULL THEN
            RAISE EXCEPTION 'filter term % "%": is not key=value', v_count, split_part(v_all, ' ', 1)
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = 'For example: state=processed status=hot_lead rep=a@b sequence="My sequence" created>=2026-01-01';
        END IF;
        v_all := substr(v_all, length(v_term[1] || v_term[2] || v_term[3]) + 1);
        v_where := v_where || ' AND ' || followup.filter_condition(v_count, v_term[1], v_term[2], btrim(v_term[3], '"'));
    END LOOP;
    RETURN QUERY EXECUTE 'SELECT l.id FROM followup.lead AS l WHERE l.account_id = $1' || v_where || ' ORDER BY l.id'
        USING p_account;
END
$$;
COMMENT ON FUNCTION followup.find_leads(bigint, text) IS
    'Ids of the leads that meet every term of a filter: state=processed status=hot_lead rep=a@b sequence=NAME created>=2026-01-01. Keys: state, sub_state, status, email, external_id, company, country, timezone, crm_status, sequence, assistant, rep with = and !=; created, status_at with = != > >= < <= (a date or instant). The value none is for what is not set; quote a value with blanks. Refuses (22023) a term that it does not understand, by number and text. NULL or empty: every lead.';
