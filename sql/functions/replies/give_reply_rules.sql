CREATE OR REPLACE FUNCTION followup.give_reply_rules(p_account bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO followup.reply_rule (account_id, position, applies, field, kind, pattern, outcome)
    SELECT p_account, b.position + coalesce((SELECT max(r.position) FROM followup.reply_rule AS r WHERE r.account_id = p_account), 0),
           b.applies, 'body', b.kind, b.pattern, b.outcome
      FROM followup.builtin_reply_rules() AS b
$$;
COMMENT ON FUNCTION followup.give_reply_rules(bigint) IS 'Internal: the rules that every account starts with, behind those that it has.';
