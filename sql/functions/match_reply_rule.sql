CREATE OR REPLACE FUNCTION followup.match_reply_rule(
    p_account bigint, p_follow_up_left boolean, p_from text, p_subject text, p_body text)
RETURNS followup.reply_rule
LANGUAGE sql STABLE AS $$
    SELECT r.*
      FROM followup.reply_rule AS r
     WHERE r.account_id = p_account
       AND (r.applies = 'any' OR (r.applies = 'after_follow_up') = p_follow_up_left)
       AND pg_catalog.strpos(lower(CASE r.field WHEN 'from' THEN p_from WHEN 'subject' THEN p_subject ELSE p_body END),
                             lower(r.pattern)) > 0
     ORDER BY r.position, r.id
     LIMIT 1
$$;
COMMENT ON FUNCTION followup.match_reply_rule(bigint, boolean, text, text, text) IS
    'The first rule of the account, by position, whose pattern occurs in its field, in any case of letters; NULL: none.';
