CREATE OR REPLACE FUNCTION followup.list_providers(
    p_account bigint, p_type text, p_done text[], p_providers text[], p_types text[], p_default_provider text)
RETURNS text[]
LANGUAGE sql STABLE AS $$
    SELECT ARRAY(
        SELECT u.name
          FROM unnest(p_providers, p_types) AS u (name, type)
         WHERE u.type = p_type AND u.name <> ALL (p_done)
           AND (EXISTS (SELECT FROM followup.account AS a WHERE a.id = p_account AND coalesce(a.provider, p_default_provider) = u.name)
                OR EXISTS (SELECT FROM followup.assistant AS s WHERE s.account_id = p_account AND s.provider = u.name))
         ORDER BY u.name)
$$;
COMMENT ON FUNCTION followup.list_providers(bigint, text, text[], text[], text[], text) IS
    'Internal: the providers of this type by which the account sends and whose list was not read yet.';
