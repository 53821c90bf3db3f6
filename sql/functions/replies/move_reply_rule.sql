CREATE OR REPLACE FUNCTION followup.move_reply_rule(
    p_account bigint, p_rule bigint, p_place integer, p_actor bigint = NULL, p_note text = NULL)
RETURNS TABLE (place integer, rule bigint, applies followup.reply_applies, field text, kind text, pattern text, outcome text, note text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_actor followup.actor := followup.require_permission(p_account, p_actor, 'rules');
BEGIN
    IF NOT EXISTS (SELECT FROM followup.reply_rule AS r WHERE r.account_id = p_account AND r.id = p_rule) THEN
        RAISE EXCEPTION 'the account has no reply rule %', p_rule USING ERRCODE = 'no_data_found';
    ELSIF p_place IS NULL OR p_place < 1 THEN
        RAISE EXCEPTION 'place: a whole number from 1 on' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.place_reply_rule(p_account, p_rule, p_place);
    INSERT INTO followup.activity (account_id, actor, action, note, detail, at)
    VALUES (p_account, v_actor.name, 'reply_rule_moved', p_note, jsonb_build_object('rule', p_rule, 'place', p_place), followup.now());
    RETURN QUERY SELECT * FROM followup.reply_rules(p_account) AS r WHERE r.rule = p_rule;
END
$$;
COMMENT ON FUNCTION followup.move_reply_rule(bigint, bigint, integer, bigint, text) IS
    'The rule is asked at this place from now on (from 1; behind the last: the last). Raises 42501 without the permission rules, P0002 for an unknown rule, 22023 for a bad place.';
