CREATE OR REPLACE FUNCTION followup.suppressed_leads(p_account bigint, p_leads bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
    SELECT l.id
      FROM followup.lead AS l
      JOIN followup.suppression AS s ON s.account_id = l.account_id AND s.address = pg_catalog.lower(l.email)
     WHERE l.account_id = p_account AND l.id = ANY (p_leads)
$$;
COMMENT ON FUNCTION followup.suppressed_leads(bigint, bigint[]) IS
    'Those of the leads whose address is never written to: lead_suppressed of many at once.';
