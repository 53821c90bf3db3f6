CREATE OR REPLACE FUNCTION followup.words_pattern(p_words text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '\m' || pg_catalog.string_agg('(?:' || pg_catalog.replace(w.word, '*', '\w*') || ')\M', '(?: \w+){0,3} ' ORDER BY w.no)
      FROM (SELECT pg_catalog.btrim(pg_catalog.regexp_replace(s.word, '\|{2,}', '|', 'g'), '|') AS word, s.no
              FROM pg_catalog.regexp_split_to_table(followup.plain_text(p_words), '[^a-z0-9*|]+') WITH ORDINALITY AS s (word, no)) AS w
     WHERE w.word ~ '[a-z0-9]'
$$;
COMMENT ON FUNCTION followup.words_pattern(text) IS
    'The regular expression of a reply rule of kind words: these words in this order, up to three others between two of them, within a sentence. call|ring: either; interest*: any ending. NULL: there is no word in it.';
