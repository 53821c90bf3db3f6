CREATE OR REPLACE FUNCTION followup.says(p_meaning text, p_plain text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(p_plain ~ pg_catalog.string_agg('(?:' || r.pattern || ')', '|' ORDER BY r.language, r.pattern), false)
      FROM followup.reply_phrase AS r
     WHERE r.meaning = p_meaning
$$;
COMMENT ON FUNCTION followup.says(text, text) IS
    'Whether the text (of plain_text) has one of the phrases of this meaning (reply_phrase). One regular expression a meaning: the server keeps 32 compiled a session, the last used. To compile one costs up to 40 ms, to ask it 1 ms; so whoever reads a reply asks few others.';
