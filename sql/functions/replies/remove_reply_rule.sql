CREATE OR REPLACE FUNCTION followup.remove_reply_rule(p_account bigint, p_rule bigint, p_actor bigint = NULL, p_note text = NULL)
RETURNS TABLE (rule bigint, pattern text, outcome text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_actor followup.actor := followup.require_permission(p_account, p_actor, 'rules');
    v_rule  followup.reply_rule;
BEGIN
    DELETE FROM followup.reply_rule AS r WHERE r.account_id = p_account AND r.id = p_rule RETURNING r.* INTO v_rule;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the account has no reply rule %', p_rule USING ERRCODE = 'no_data_found';
    END IF;
    INSERT INTO followup.activity (account_id, actor, action, note, detail, at)
    VALUES (p_account, v_actor.name, 'reply_rule_removed', p_note, to_jsonb(v_rule) - 'account_id', followup.now());
    RETURN QUERY SELECT v_rule.id, v_rule.pattern, v_rule.outcome;
END
$$;
COMMENT ON FUNCTION followup.remove_reply_rule(bigint, bigint, bigint, text) IS
    'The rule is gone, and answered; replies that it decided keep their outcome. Raises 42501 without the permission rules, P0002 for an unknown rule.';
