-- What becomes part of a header may hold no line break; the tables check it too, this says it in words.
CREATE OR REPLACE FUNCTION followup.refuse_control_characters(p_what text, p_text text) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p_text ~ '[[:cntrl:]]' THEN
        RAISE EXCEPTION '%: holds a line break or another control character', p_what
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.refuse_control_characters(text, text) IS
    'Refuses (22023) text with a control character, naming what it is; NULL is fine.';
