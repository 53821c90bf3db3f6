CREATE OR REPLACE FUNCTION followup.filter_instant(p_term text, p_column text, p_operator text, p_value text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_at timestamptz;
BEGIN
    IF p_value !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?$' THEN
        RAISE EXCEPTION '%: the value is no date; write 2026-01-31 or 2026-01-31T09:00+01', p_term
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    BEGIN
        v_at := p_value::timestamptz;
    EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION '%: there is no such date', p_term USING ERRCODE = 'invalid_parameter_value';
    END;
    IF p_operator IN ('=', '!=') AND length(p_value) = 10 THEN -- the whole day
        RETURN format('(%1$s >= %2$L AND %1$s < %3$L) %4$s', p_column, v_at, v_at + interval '1 day',
                      CASE p_operator WHEN '!=' THEN 'IS NOT TRUE' ELSE '' END);
    ELSIF p_operator IN ('>', '<=') AND length(p_value) = 10 THEN -- after that day, up to its end
        RETURN format('%s %s %L', p_column, CASE p_operator WHEN '>' THEN '>=' ELSE '<' END, v_at + interval '1 day');
    END IF;
    RETURN format('%s %s %L', p_column, CASE p_operator WHEN '!=' THEN 'IS DISTINCT FROM' ELSE p_operator END, v_at);
END
$$;
COMMENT ON FUNCTION followup.filter_instant(text, text, text, text) IS
    'A filter''s comparison of a column with a date (the whole day, in the session''s zone) or an instant. Refuses (22023) what is neither.';
