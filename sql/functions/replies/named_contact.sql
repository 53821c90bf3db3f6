CREATE OR REPLACE FUNCTION followup.named_contact(p_text text, p_known text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT nullif(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
        'email', (SELECT e.found[1]
                    FROM pg_catalog.regexp_matches(pg_catalog.lower(pg_catalog.left(p_text, 4000)),
                             '([a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})', 'g') WITH ORDINALITY AS e (found, no)
                   WHERE e.found[1] <> ALL (coalesce(p_known, '{}')) ORDER BY e.no LIMIT 1),
        'phone', (SELECT pg_catalog.btrim(t.found[1])
                    FROM pg_catalog.regexp_matches(pg_catalog.left(p_text, 4000), '(\+?\d[\d ()/-]{7,20}\d)', 'g') WITH ORDINALITY AS t (found, no)
                   WHERE pg_catalog.length(pg_catalog.regexp_replace(t.found[1], '\D', '', 'g')) BETWEEN 9 AND 15
                   ORDER BY t.no LIMIT 1),
        'name', (pg_catalog.regexp_match(pg_catalog.left(p_text, 4000),
                     '(?:[Cc]ontact(?:er|ez)?|[Rr]each out to|[Ss]peak (?:to|with)|[Tt]alk (?:to|with)|[Tt]ouch with|[Ww]rite to|[Ee]-?[Mm]ail|[Aa]sk|[Cc]olleague|[Cc]over is|[Mm]anager,?|an|ist|con|IT,)'
                     || '\s+((?:Frau |Herrn? |Mr\.? |Mrs\.? |Ms\.? |Dr\.? )?[[:upper:]][[:lower:]]+(?: [[:upper:]][[:lower:]]+)?)\M'))[1])),
        '{}')
$$;
COMMENT ON FUNCTION followup.named_contact(text, text[]) IS
    'Somebody whom a text names: email (the first address that is not in p_known, lower case), phone (9 to 15 digits), name (after "contact", "speak to" and the like). NULL: nobody. A guess for a person to look at: nothing is sent to it.';
