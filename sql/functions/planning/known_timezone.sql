CREATE OR REPLACE FUNCTION followup.known_timezone(p_timezone text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (SELECT FROM followup.timezone AS z WHERE z.key = pg_catalog.lower(p_timezone))
$$;
COMMENT ON FUNCTION followup.known_timezone(text) IS
    'Is it an IANA zone of this server, in any case of letters? NULL, abbreviations and POSIX strings ("GMT+2") are not.';
