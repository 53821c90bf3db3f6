CREATE OR REPLACE FUNCTION followup.classified_outcome(p_classified text, p_plain text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF p_classified IS NULL OR p_classified = 'satisfied' AND followup.bare_yes(p_plain) THEN
        RETURN NULL;
    END IF;
    PERFORM followup.read_outcome(p_classified);
    RETURN p_classified;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.classified_outcome(text, text) IS
    'What an outside service says a reply means, if that is an outcome; NULL: it is none, or it takes a bare "yes" for satisfied. p_plain: of plain_text.';
