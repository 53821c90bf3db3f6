CREATE OR REPLACE FUNCTION followup.lead_suppressed(p_account bigint, p_lead bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM followup.lead AS l
                     JOIN followup.suppression AS s ON s.account_id = l.account_id AND s.address = pg_catalog.lower(l.email)
                    WHERE l.account_id = p_account AND l.id = p_lead)
$$;
COMMENT ON FUNCTION followup.lead_suppressed(bigint, bigint) IS 'Is the lead''s address one that is never written to?';
