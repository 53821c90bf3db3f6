CREATE OR REPLACE FUNCTION followup.unsubscribe_page(p_token text, p_user_agent text = NULL)
RETURNS TABLE (account_name text, address text, unsubscribed boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_lead record;
BEGIN
    SELECT l.* INTO v_lead FROM followup.lead_of_token(p_token) AS l;
    IF FOUND THEN
        PERFORM followup.count_unsubscribe_hit(v_lead.account_id, v_lead.lead_id, p_user_agent, false);
        RETURN QUERY SELECT v_lead.account_name::text, v_lead.address::text, v_lead.unsubscribed::boolean;
    END IF;
END
$$;
COMMENT ON FUNCTION followup.unsubscribe_page(text, text) IS
    'What GET /u/{token} shows: who writes, the address masked (l***@x.example), and whether it was unsubscribed already. Changes nothing but the count of calls (unsubscribe_hit). No row: the token is nobody''s. Tokens never expire.';
