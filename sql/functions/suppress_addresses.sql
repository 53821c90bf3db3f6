CREATE OR REPLACE FUNCTION followup.suppress_addresses(p_account bigint, p_leads bigint[], p_reason text, p_source text, p_note text)
RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO followup.suppression (account_id, address, reason, source, note)
    SELECT DISTINCT l.account_id, lower(l.email), p_reason, p_source, p_note
      FROM followup.lead AS l
     WHERE l.account_id = p_account AND l.id = ANY (p_leads)
        ON CONFLICT (account_id, address) DO NOTHING
$$;
COMMENT ON FUNCTION followup.suppress_addresses(bigint, bigint[], text, text, text) IS
    'Puts these leads'' addresses on the suppression list; one that is there keeps its reason.';
