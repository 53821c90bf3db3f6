CREATE OR REPLACE FUNCTION followup.crm_rules(p_account bigint, p_source text = NULL)
RETURNS TABLE (source text, field text, operator followup.crm_operator, value text, label text, action followup.crm_action,
               origin text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM followup.check_account(p_account);
    PERFORM followup.require_account(p_account);
    RETURN QUERY
    SELECT r.source, r.field, r.operator, r.value, r.label, r.action,
           CASE WHEN r.builtin AND r.action = 'stop' THEN 'built in, locked' WHEN r.builtin THEN 'built in' ELSE 'account' END
      FROM (SELECT DISTINCT ON (lower(k.source), k.field, k.operator, lower(k.value)) k.*
              FROM followup.crm_rule AS k
             WHERE (k.account_id IS NULL OR k.account_id = p_account)
               AND (p_source IS NULL OR lower(k.source) = lower(p_source))
             ORDER BY lower(k.source), k.field, k.operator, lower(k.value), k.builtin AND k.action = 'stop' DESC, k.builtin, k.id) AS r
     ORDER BY lower(r.source), r.field, pg_catalog.length(r.value), r.value, r.operator;
END
$$;
COMMENT ON FUNCTION followup.crm_rules(bigint, text) IS
    'The CRM rules that hold in an account (of one source, or of all), one a value: built-in ones, and the account''s own in their place. origin: "built in, locked" cannot be changed.';
