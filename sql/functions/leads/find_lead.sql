CREATE OR REPLACE FUNCTION followup.find_lead(p_account bigint, p_lead text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_id bigint;
BEGIN
    IF p_lead ~ '^[0-9]{1,18}$' THEN
        SELECT l.id INTO v_id FROM followup.lead AS l WHERE l.account_id = p_account AND l.id = p_lead::bigint;
    ELSE
        SELECT l.id INTO v_id FROM followup.lead AS l WHERE l.account_id = p_account AND lower(l.email) = lower(p_lead);
    END IF;
    IF v_id IS NULL THEN
        RAISE EXCEPTION 'there is no lead %', p_lead USING ERRCODE = 'no_data_found';
    END IF;
    RETURN v_id;
END
$$;
COMMENT ON FUNCTION followup.find_lead(bigint, text) IS
    'The id of a lead named by its id or address. Refuses (P0002) what is neither.';
