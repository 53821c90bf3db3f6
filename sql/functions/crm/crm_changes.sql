CREATE OR REPLACE FUNCTION followup.crm_changes(
    p_account bigint, p_leads bigint[], p_sources text[], p_fields text[], p_olds text[], p_news text[])
RETURNS followup.crm_change[]
LANGUAGE sql STABLE AS $$
    SELECT ARRAY(
        SELECT ROW(u.lead_id, coalesce(u.source, ''), u.field, u.old, u.new,
                   CASE WHEN r.id IS NOT NULL THEN pg_catalog.concat_ws(' ', r.source, nullif(r.field, 'crm_status'), r.value, r.label) END,
                   r.action)::followup.crm_change
          FROM unnest(p_leads, p_sources, p_fields, p_olds, p_news) WITH ORDINALITY AS u (lead_id, source, field, old, new, no)
          LEFT JOIN LATERAL followup.match_crm_rule(p_account, u.source, u.field, u.old, u.new) AS r ON true
         ORDER BY u.no)
$$;
COMMENT ON FUNCTION followup.crm_changes(bigint, bigint[], text[], text[], text[], text[]) IS
    'Values that another system wrote, each with the rule that is for it now. Parallel arrays.';
