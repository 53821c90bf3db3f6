CREATE OR REPLACE FUNCTION followup.place_reply_rule(p_account bigint, p_rule bigint, p_place integer) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM FROM followup.reply_rule AS r WHERE r.account_id = p_account ORDER BY r.id FOR NO KEY UPDATE;
    WITH others AS (
        SELECT r.id, row_number() OVER (ORDER BY r.position, r.id) AS no
          FROM followup.reply_rule AS r WHERE r.account_id = p_account AND r.id <> p_rule)
    UPDATE followup.reply_rule AS r
       SET position = v.position
      FROM (SELECT o.id, o.no + (o.no >= p_place)::integer AS position FROM others AS o
            UNION ALL SELECT p_rule, least(p_place, (SELECT count(*) + 1 FROM others))) AS v
     WHERE r.account_id = p_account AND r.id = v.id AND r.position <> v.position;
END
$$;
COMMENT ON FUNCTION followup.place_reply_rule(bigint, bigint, integer) IS
    'Internal: the rule takes this place (from 1; behind the last: the last), the others follow in their order, without gaps. Locks the account''s rules.';
