-- The syntax is that of the daemon's templates: {{name}} or {{name|fallback}}, blanks around both do not count, a name is
-- a letter or _, then letters, digits, _ . or -, at most 64; a fallback is neither empty nor holds {{ or }}.
CREATE OR REPLACE FUNCTION followup.merge_tag_complaint(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN rest.text LIKE '%{{%' THEN pg_catalog.format(
               '"%s" is no merge tag', (pg_catalog.regexp_match(rest.text, '\{\{(?:(?!\}\}).){0,40}(?:\}\})?'))[1]) END
      FROM (SELECT pg_catalog.regexp_replace(
                p_text, '\{\{[ \t\r\n]*[A-Za-z_][A-Za-z0-9_.-]{0,63}[ \t\r\n]*(\|(?:(?!\{\{|\}\}).)*[^ \t\r\n{}](?:(?!\{\{|\}\}).)*)?\}\}',
                '', 'g')) AS rest (text)
$$;
COMMENT ON FUNCTION followup.merge_tag_complaint(text) IS
    'What is wrong with the first bad merge tag of a template: {{first_name}} and {{first_name|there}} are right; NULL: nothing is wrong.';
