CREATE OR REPLACE FUNCTION followup.signed_message(p_account bigint, p_token text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT t.ids[2]::bigint
      FROM pg_catalog.regexp_match(pg_catalog.lower(p_token), '^(\d{1,18})-(\d{1,18})-[0-9a-f]{28}$') AS t (ids)
     WHERE t.ids[1]::bigint = p_account
       AND EXISTS (SELECT FROM followup.reply_key AS k
                    WHERE followup.reply_token(p_account, t.ids[2]::bigint, k.inner_key, k.outer_key) = pg_catalog.lower(p_token))
$$;
COMMENT ON FUNCTION followup.signed_message(bigint, text) IS
    'Internal: the message that a token of this account names, if one of the installation''s keys signed it; else NULL. Any case of letters.';
