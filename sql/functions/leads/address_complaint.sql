CREATE OR REPLACE FUNCTION followup.address_complaint(p_address text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
           WHEN coalesce(p_address, '') = '' THEN 'is missing'
           WHEN p_address ~ '[[:cntrl:]]' THEN 'holds a control character'
           WHEN pg_catalog.length(p_address) > 320 THEN 'is longer than 320 characters'
           WHEN p_address !~ '^[^[:space:],<>@"]+@[^[:space:],<>@"]+$' THEN 'is not an address'
           WHEN p_address !~ '@[^.]+(\.[^.]+)+$' THEN 'has no domain that mail could reach'
           END
$$;
COMMENT ON FUNCTION followup.address_complaint(text) IS
    'What is wrong with a mail address, to be read after its field''s name ("email: is missing"); NULL: nothing.';
