CREATE OR REPLACE FUNCTION followup.lead_timezone(p_lead_tz text, p_account_tz text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce((SELECT z.name FROM followup.timezone AS z WHERE z.key = pg_catalog.lower(p_lead_tz)),
                    (SELECT z.name FROM followup.timezone AS z WHERE z.key = pg_catalog.lower(p_account_tz)),
                    'UTC')
$$;
COMMENT ON FUNCTION followup.lead_timezone(text, text) IS
    'The zone a lead is planned in: its own, else its account''s, else UTC; an unknown one never stops a batch.';
