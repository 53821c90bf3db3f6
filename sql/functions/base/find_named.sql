CREATE OR REPLACE FUNCTION followup.find_named(p_account bigint, p_kind text, p_name text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_ids   bigint[];
    v_names text;
BEGIN
    IF p_kind = 'account' THEN
        SELECT array_agg(a.id) FILTER (WHERE p_name IS NULL OR lower(a.name) = lower(p_name)),
               string_agg(a.name, ', ' ORDER BY a.name) INTO v_ids, v_names FROM followup.account AS a;
    ELSIF p_kind = 'sequence' THEN
        SELECT array_agg(s.id) FILTER (WHERE p_name IS NULL OR s.name = p_name), string_agg(s.name, ', ' ORDER BY s.name)
          INTO v_ids, v_names FROM followup.sequence AS s WHERE s.account_id = p_account;
    ELSIF p_kind = 'assistant' THEN
        SELECT array_agg(s.id) FILTER (WHERE p_name IS NULL OR s.name = p_name), string_agg(s.name, ', ' ORDER BY s.name)
          INTO v_ids, v_names FROM followup.assistant AS s WHERE s.account_id = p_account;
    ELSIF p_kind = 'rep' THEN
        SELECT array_agg(u.id) FILTER (WHERE p_name IS NULL OR lower(u.email) = lower(p_name)), string_agg(u.email, ', ' ORDER BY u.email)
          INTO v_ids, v_names FROM followup.app_user AS u WHERE u.account_id = p_account;
    END IF;
    IF cardinality(v_ids) = 1 THEN
        RETURN v_ids[1];
    ELSIF v_names IS NULL THEN
        RAISE EXCEPTION 'there is no % yet', p_kind USING ERRCODE = 'no_data_found';
    ELSIF p_name IS NULL THEN
        RAISE EXCEPTION 'which %?', p_kind USING ERRCODE = 'invalid_parameter_value',
            HINT = 'There are ' || left(v_names, 300) || '.';
    END IF;
    RAISE EXCEPTION 'there is no % "%"', p_kind, p_name USING ERRCODE = 'no_data_found',
        HINT = 'There are ' || left(v_names, 300) || '.';
END
$$;
COMMENT ON FUNCTION followup.find_named(bigint, text, text) IS
    'The id of an account, sequence or assistant by its name, of a user (rep) by the address; NULL: the only one there is. Refuses an unknown name (P0002) and NULL where there are several (22023), listing the names.';
