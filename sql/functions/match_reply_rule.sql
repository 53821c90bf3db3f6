CREATE OR REPLACE FUNCTION followup.match_reply_rule(
    p_account bigint, p_follow_up_left boolean, p_from text, p_subject text, p_body text)
RETURNS followup.reply_rule
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c_plain constant jsonb := pg_catalog.jsonb_build_object(    -- once for all rules
        'from', followup.plain_text(p_from), 'subject', followup.plain_text(p_subject), 'body', followup.plain_text(pg_catalog.left(p_body, 4000)));
    v_bare  boolean := followup.bare_yes(c_plain ->> 'body');
    v_rule  followup.reply_rule;
    v_text  text;
BEGIN
    FOR v_rule IN SELECT r.* FROM followup.reply_rule AS r
                   WHERE r.account_id = p_account AND (r.applies = 'any' OR (r.applies = 'after_follow_up') = p_follow_up_left)
                   ORDER BY r.position, r.id LOOP
        CONTINUE WHEN v_bare AND v_rule.outcome = 'satisfied';
        v_text := c_plain ->> v_rule.field;
        IF (CASE v_rule.kind
           WHEN 'substring' THEN pg_catalog.strpos(lower(CASE v_rule.field WHEN 'from' THEN p_from WHEN 'subject' THEN p_subject ELSE p_body END),
                                                   lower(v_rule.pattern)) > 0
           WHEN 'words' THEN followup.sentence_words(v_text) ~ followup.words_pattern(v_rule.pattern)
           ELSE v_text ~ v_rule.pattern END) THEN
            RETURN v_rule;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.match_reply_rule(bigint, boolean, text, text, text) IS
    'The first rule of the account, by position, that matches its field; NULL: none. substring: anywhere, in any case of letters; words: as words_pattern; regex: over plain_text. words and regex look at 4,000 characters. A bare "yes" is never satisfied, whatever a rule says.';
