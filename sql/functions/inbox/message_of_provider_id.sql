CREATE OR REPLACE FUNCTION followup.message_of_provider_id(p_account bigint, p_ids text[]) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    -- The sum keeps a plan from walking the account's messages in the order of their ids, as one made while there were few would do.
    RETURN (SELECT m.id
              FROM unnest(p_ids) AS p (id)
             CROSS JOIN LATERAL (SELECT n.id FROM followup.message AS n
                                  WHERE n.account_id = p_account AND n.provider_message_id = p.id
                                  ORDER BY n.id + 0 LIMIT 1) AS m
             ORDER BY m.id LIMIT 1);
END
$$;
COMMENT ON FUNCTION followup.message_of_provider_id(bigint, text[]) IS
    'Internal: the message that the provider knows by one of these ids: the oldest, where several are; NULL: none.';
