CREATE OR REPLACE FUNCTION followup.reply_token(p_account bigint, p_message bigint, p_inner bytea, p_outer bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT p_account::text || '-' || p_message::text || '-' || pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256(
               p_outer || pg_catalog.sha256(p_inner || pg_catalog.int8send(p_account) || pg_catalog.int8send(p_message))), 1, 14), 'hex')
$$;
COMMENT ON FUNCTION followup.reply_token(bigint, bigint, bytea, bytea) IS
    'Internal: <account>-<message>-<28 hex digits>, the first 14 bytes of HMAC-SHA256 over both ids (8 bytes each, big endian) under a reply_key. r-<token> fits a local part of 64 bytes while the two ids have 32 digits together. sha256() of the server itself: no extension. Inlined where it is called: about 2 us.';
