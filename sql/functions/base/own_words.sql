CREATE OR REPLACE FUNCTION followup.own_words(p_text text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    v_all    text := pg_catalog.replace(pg_catalog.left(p_text, 16000), E'\r', '');
    v_own    text := v_all;
    -- How mail programs introduce what they quote, each from the beginning of a line.
    c_quoted constant text := '(?wi)(^[ \t]*(on|am|le|el)\M[^\n]{5,200}(\n[^\n]{0,120})?\m(wrote|schrieb|écrit|escribió)\M[^\n]{0,100}:[ \t]*$'
        || '|^[ \t]*-{2,}[ \t]*(original message|ursprüngliche nachricht|message d.origine|mensaje original|forwarded message)'
        || '|^[ \t]*(from|von|de)[ \t]?:[^\n]+\n[ \t]*(sent|date|to|gesendet|datum|an|envoyé|à|enviado|fecha|para)[ \t]?:'
        || '|^_{10,}[ \t]*$|^-- ?$)';
BEGIN
    -- A regular expression is asked only where it can match: see says.
    -- An answer below or between what is quoted stays: only the quoted lines go, with the line that introduces them.
    IF pg_catalog.strpos(v_all, '>') > 0 THEN
        v_own := pg_catalog.regexp_replace(v_all,
            '(?wi)^[^\n]*\m(wrote|schrieb|écrit|escribió)\M[^\n]*:[ \t]*\n\s*(?=>)', '', 'g');
        v_own := pg_catalog.regexp_replace(v_own, '(?w)^[ \t]*>[^\n]*$', '', 'g');
    END IF;
    IF v_own LIKE ANY ('{%:%,%--%,%\\_\\_%}') THEN
        v_own := (pg_catalog.regexp_split_to_array(v_own, c_quoted))[1];
    END IF;
    -- Our own footer, in programs that mark nothing.
    IF pg_catalog.strpos(v_own, '/u/') > 0 THEN
        v_own := pg_catalog.regexp_replace(v_own, '(?w)^[^\n]*https?://[^\s]+/u/[^\n]*$', '', 'g');
    END IF;
    RETURN coalesce(nullif(pg_catalog.btrim(v_own, E' \t\n'), ''), pg_catalog.btrim(v_all, E' \t\n'), '');
END
$$;
COMMENT ON FUNCTION followup.own_words(text) IS
    'What the sender wrote: without what his mail program quoted, without his signature, without our unsubscribe link; the whole text where nothing would be left. At most 16,000 characters are looked at.';
