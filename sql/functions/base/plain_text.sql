CREATE OR REPLACE FUNCTION followup.plain_text(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.btrim(pg_catalog.regexp_replace(pg_catalog.translate(pg_catalog.replace(pg_catalog.replace(pg_catalog.lower(
               pg_catalog.left(p_text, 16000)), 'ß', 'ss'), 'œ', 'oe'),
               'áàâãäåÄéèêëÉíìîïóòôõöÖúùûüÜýñç' || '–—«»“”„' || pg_catalog.chr(160) || '‘’''`´',
               'aaaaaaaeeeeeiiiioooooouuuuuync' || '--"""""' || ' '), '\s+', ' ', 'g'))
$$;
COMMENT ON FUNCTION followup.plain_text(text) IS
    'The text as phrases are looked for in it: lower case, without accents and apostrophes (don''t: dont), white space as one blank; of more than 16,000 characters the first.';
