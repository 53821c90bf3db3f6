CREATE OR REPLACE FUNCTION followup.reply_rules(p_account bigint)
RETURNS TABLE (place integer, rule bigint, applies followup.reply_applies, field text, kind text, pattern text, outcome text, note text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM followup.check_account(p_account);
    PERFORM followup.require_account(p_account);
    RETURN QUERY
    SELECT (row_number() OVER (ORDER BY r.position, r.id))::integer, r.id, r.applies, r.field, r.kind, r.pattern, r.outcome, r.note
      FROM followup.reply_rule AS r WHERE r.account_id = p_account ORDER BY r.position, r.id;
END
$$;
COMMENT ON FUNCTION followup.reply_rules(bigint) IS
    'The reply rules of an account in the order in which they are asked: the first that matches decides. place counts from 1; rule is the id by which one is moved or removed.';
