CREATE OR REPLACE FUNCTION followup.sentence_words(p_plain text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.regexp_replace(pg_catalog.regexp_replace(p_plain, '[.!?;]+( |$)', ' . ', 'g'), '[^a-z0-9.]+|\.(?=\w)', ' ', 'g')
$$;
COMMENT ON FUNCTION followup.sentence_words(text) IS
    'The words of a text (of plain_text), one blank between two; a full stop by itself ends a sentence, so that no rule of kind words reaches over it.';
