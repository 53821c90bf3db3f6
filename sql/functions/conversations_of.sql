CREATE OR REPLACE FUNCTION followup.conversations_of(p_account bigint, p_before followup.bulk_lead[]) RETURNS bigint[]
LANGUAGE sql STABLE AS $$
    SELECT ARRAY(SELECT m.conversation_id
                   FROM unnest(p_before) AS u
                   JOIN followup.message AS m ON m.account_id = p_account AND m.id = u.new_message_id)
$$;
COMMENT ON FUNCTION followup.conversations_of(bigint, followup.bulk_lead[]) IS
    'The conversations of the messages that a bulk scheduled.';
