CREATE OR REPLACE FUNCTION followup.match_crm_rule(
    p_account bigint, p_source text, p_field text, p_old text, p_new text)
RETURNS followup.crm_rule
LANGUAGE sql STABLE AS $$
    SELECT r.*
      FROM followup.crm_rule AS r
     WHERE lower(r.source) = lower(p_source) AND r.field = p_field AND lower(r.value) = lower(pg_catalog.btrim(p_new))
       AND (r.account_id IS NULL OR r.account_id = p_account)
       AND (r.operator = 'equals' OR lower(p_old) <> lower(p_new))
     ORDER BY r.builtin AND r.action = 'stop' DESC,     -- locked: no choice goes above it
              r.builtin, r.operator DESC, r.id
     LIMIT 1
$$;
COMMENT ON FUNCTION followup.match_crm_rule(bigint, text, text, text, text) IS
    'The rule for a value that another system wrote: a built-in stop first, then the account''s own, then what is built in; changes_to asks for another value before (p_old NULL: none was known, it does not apply), equals does not. Sources and values in any case of letters. NULL: no rule.';
