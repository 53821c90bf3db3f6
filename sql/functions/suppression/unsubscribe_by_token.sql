CREATE OR REPLACE FUNCTION followup.unsubscribe_by_token(p_token text, p_user_agent text = NULL, p_method text = 'POST')
RETURNS TABLE (account_name text, address text, unsubscribed boolean, changed boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_lead record;
    v_done boolean;
BEGIN
    IF p_method IS DISTINCT FROM 'POST' THEN
        RAISE EXCEPTION 'unsubscribe_by_token: the method is POST, not %; unsubscribe_page is for GET', pg_catalog.quote_nullable(p_method)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT l.* INTO v_lead FROM followup.lead_of_token(p_token) AS l;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v_done := (followup.unsubscribe(v_lead.account_id, p_token => p_token::uuid)).done;
    PERFORM followup.count_unsubscribe_hit(v_lead.account_id, v_lead.lead_id, p_user_agent, true);
    RETURN QUERY SELECT v_lead.account_name::text, v_lead.address::text, true, v_done;
END
$$;
COMMENT ON FUNCTION followup.unsubscribe_by_token(text, text, text) IS
    'POST /u/{token} (RFC 8058): the lead is unsubscribed, its conversation ends, its address is suppressed, whoever called; changed false: it was so already, to be answered like the first time. Calls are counted, a scanner''s apart. No row: the token is nobody''s. Raises 22023 for another method.';
