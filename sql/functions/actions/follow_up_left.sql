CREATE OR REPLACE FUNCTION followup.follow_up_left(p_account bigint, p_conversation bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM followup.message AS m
                    WHERE m.account_id = p_account AND m.conversation_id = p_conversation
                      AND m.kind = 'follow_up' AND m.state NOT IN ('scheduled', 'cancelled', 'failed'))
$$;
COMMENT ON FUNCTION followup.follow_up_left(bigint, bigint) IS 'Whether a follow-up of this conversation is on its way or was sent.';
