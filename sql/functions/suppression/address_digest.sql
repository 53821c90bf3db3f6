CREATE OR REPLACE FUNCTION followup.address_digest(p_account bigint, p_address text) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.sha256(k.secret || pg_catalog.int8send(p_account) || pg_catalog.convert_to(lower(p_address), 'UTF8'))
      FROM followup.erase_key AS k
$$;
COMMENT ON FUNCTION followup.address_digest(bigint, text) IS
    'Internal: what is kept of an address that was erased: SHA-256 of the installation''s secret (erase_key), the account and the address in lower case.';
