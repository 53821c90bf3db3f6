CREATE OR REPLACE FUNCTION followup.suppress_addresses(p_account bigint, p_leads bigint[], p_reason text, p_source text, p_note text)
RETURNS void
LANGUAGE sql VOLATILE AS $$
    SELECT followup.write_suppressions(p_account, ARRAY(SELECT l.email FROM followup.lead AS l
                                                         WHERE l.account_id = p_account AND l.id = ANY (p_leads)),
                                       p_reason, p_source, p_note)
$$;
COMMENT ON FUNCTION followup.suppress_addresses(bigint, bigint[], text, text, text) IS
    'Internal: write_suppressions for the addresses of these leads.';
