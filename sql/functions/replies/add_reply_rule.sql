CREATE OR REPLACE FUNCTION followup.add_reply_rule(
    p_account bigint, p_pattern text, p_outcome text, p_kind text = 'words', p_field text = 'body', p_applies text = 'any',
    p_place integer = 1, p_actor bigint = NULL, p_note text = NULL)
RETURNS TABLE (place integer, rule bigint, applies followup.reply_applies, field text, kind text, pattern text, outcome text, note text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    c_rules_max constant integer := 1000;
    v_actor followup.actor := followup.require_permission(p_account, p_actor, 'rules');
    v_rule  bigint;
BEGIN
    PERFORM followup.require_account(p_account);
    IF p_kind IS NULL OR p_kind NOT IN ('substring', 'words', 'regex') THEN
        RAISE EXCEPTION 'kind: % is none of substring, words, regex', quote_nullable(p_kind) USING ERRCODE = 'invalid_parameter_value';
    ELSIF p_field IS NULL OR p_field NOT IN ('subject', 'body', 'from') THEN
        RAISE EXCEPTION 'field: % is none of subject, body, from', quote_nullable(p_field) USING ERRCODE = 'invalid_parameter_value';
    ELSIF p_applies IS NULL OR p_applies <> ALL (enum_range(NULL::followup.reply_applies)::text[]) THEN
        RAISE EXCEPTION 'applies: % is none of any, before_follow_up, after_follow_up', quote_nullable(p_applies)
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF p_pattern IS NULL OR length(p_pattern) > 400 OR p_place IS NULL OR p_place < 1 THEN
        RAISE EXCEPTION 'a reply rule needs a pattern of at most 400 characters, and a place from 1 on' USING ERRCODE = 'invalid_parameter_value';
    ELSIF (SELECT count(*) FROM followup.reply_rule AS r WHERE r.account_id = p_account) >= c_rules_max THEN
        RAISE EXCEPTION 'the account has % reply rules, and may not have more', c_rules_max USING ERRCODE = 'program_limit_exceeded';
    END IF;
    INSERT INTO followup.reply_rule (account_id, position, applies, field, kind, pattern, outcome, note)
    VALUES (p_account, 0, p_applies::followup.reply_applies, p_field, p_kind, p_pattern, p_outcome, p_note) RETURNING id INTO v_rule;
    PERFORM followup.place_reply_rule(p_account, v_rule, p_place);
    INSERT INTO followup.activity (account_id, actor, action, note, detail, at)
    VALUES (p_account, v_actor.name, 'reply_rule_added', p_note,
            jsonb_build_object('rule', v_rule, 'place', p_place, 'kind', p_kind, 'field', p_field, 'applies', p_applies, 'pattern', p_pattern, 'outcome', p_outcome),
            followup.now());
    RETURN QUERY SELECT * FROM followup.reply_rules(p_account) AS r WHERE r.rule = v_rule;
END
$$;
COMMENT ON FUNCTION followup.add_reply_rule(bigint, text, text, text, text, text, integer, bigint, text) IS
    'A rule of the account''s own: replies whose p_field (body, subject, from) matches p_pattern (p_kind: words, substring, regex; reply_rule.kind) mean p_outcome (as reply.outcome); p_applies any, before_follow_up, after_follow_up. It takes p_place, by default the first, before the rules that every account starts with. At most 1,000. Raises 42501 without the permission rules, 22023 for bad input.';
