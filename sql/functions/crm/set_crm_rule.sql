CREATE OR REPLACE FUNCTION followup.set_crm_rule(
    p_account bigint, p_source text, p_value text, p_action text, p_label text = NULL, p_field text = 'crm_status',
    p_operator text = 'equals', p_actor bigint = NULL, p_note text = NULL)
RETURNS TABLE (source text, field text, operator followup.crm_operator, value text, label text, action followup.crm_action)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_actor  followup.actor := followup.require_permission(p_account, p_actor, 'rules');
    v_known  followup.crm_rule;
    v_rule   followup.crm_rule;
BEGIN
    PERFORM followup.require_account(p_account);
    IF p_action IS NULL OR p_action <> ALL (pg_catalog.enum_range(NULL::followup.crm_action)::text[]) THEN
        RAISE EXCEPTION 'action: % is none of stop, skip_to_follow_up, none', pg_catalog.quote_nullable(p_action)
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF p_operator IS NULL OR p_operator <> ALL (pg_catalog.enum_range(NULL::followup.crm_operator)::text[]) THEN
        RAISE EXCEPTION 'operator: % is neither equals nor changes_to', pg_catalog.quote_nullable(p_operator)
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF nullif(pg_catalog.btrim(p_source), '') IS NULL OR nullif(pg_catalog.btrim(p_value), '') IS NULL
          OR nullif(pg_catalog.btrim(p_field), '') IS NULL THEN
        RAISE EXCEPTION 'a CRM rule needs a source, a field and a value' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Written as the rule writes it that is there, built in or the account's own, so that it takes that one's place.
    SELECT k.* INTO v_known FROM followup.crm_rule AS k
     WHERE (k.builtin OR k.account_id = p_account) AND k.field = p_field
       AND lower(k.source) = lower(pg_catalog.btrim(p_source)) AND lower(k.value) = lower(pg_catalog.btrim(p_value))
     ORDER BY k.builtin DESC, k.operator::text = p_operator DESC, k.id LIMIT 1;
    INSERT INTO followup.crm_rule AS k (account_id, source, field, operator, value, label, action)
    VALUES (p_account, coalesce(v_known.source, pg_catalog.btrim(p_source)), p_field, p_operator::followup.crm_operator,
            coalesce(v_known.value, pg_catalog.btrim(p_value)), coalesce(p_label, v_known.label, ''), p_action::followup.crm_action)
        ON CONFLICT (coalesce(account_id, 0), source, field, operator, value)
        DO UPDATE SET action = excluded.action, label = coalesce(p_label, k.label)
    RETURNING k.* INTO v_rule;
    INSERT INTO followup.activity (account_id, actor, action, note, detail, at)
    VALUES (p_account, v_actor.name, 'crm_rule', p_note, pg_catalog.to_jsonb(v_rule) - 'account_id' - 'builtin', followup.now());
    RETURN QUERY SELECT v_rule.source, v_rule.field, v_rule.operator, v_rule.value, v_rule.label, v_rule.action;
END
$$;
COMMENT ON FUNCTION followup.set_crm_rule(bigint, text, text, text, text, text, text, bigint, text) IS
    'The account''s own rule for a value of another system: p_action stop, skip_to_follow_up or none; p_operator equals, or changes_to (only when another value was there before); p_field: crm_status, or a key of the lead''s fields. Replaces the one it had, in whatever case of letters source and value are. Built-in stops are locked (42501). Raises 42501 without the permission rules, 22023 for bad input.';
