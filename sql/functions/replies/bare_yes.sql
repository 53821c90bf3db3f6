CREATE OR REPLACE FUNCTION followup.bare_yes(p_plain text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT p_plain ~ '^\W*(yes|yep|yeah|yup|yess+|y|ja|jap|jawohl|oui|si|sure|ok|okay|correct)(\W+(please|pls|bitte|thanks|thank you|thx|danke|merci|gracias|sir|madam|it is|i do|they did|he did|she did|you did))*\W*$'
$$;
COMMENT ON FUNCTION followup.bare_yes(text) IS
    'Whether a text (of plain_text) is a "yes" and nothing more: it never means satisfied, because nobody can say to which question.';
