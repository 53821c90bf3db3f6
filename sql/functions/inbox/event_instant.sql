CREATE OR REPLACE FUNCTION followup.event_instant(p_text text) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN p_text ~ '^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$' THEN p_text::timestamptz END;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;    -- 30 February
END
$$;
COMMENT ON FUNCTION followup.event_instant(text) IS 'An RFC 3339 instant; NULL for anything else.';
