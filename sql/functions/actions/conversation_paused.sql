CREATE OR REPLACE FUNCTION followup.conversation_paused(p_account bigint, p_conversation bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM followup.conversation AS c
                     JOIN followup.assistant AS s ON s.account_id = c.account_id AND s.id = c.assistant_id
                     JOIN followup.sequence AS q ON q.account_id = c.account_id AND q.id = c.sequence_id
                    WHERE c.account_id = p_account AND c.id = p_conversation
                      AND (s.paused_at IS NOT NULL OR q.paused_at IS NOT NULL));
END
$$;
COMMENT ON FUNCTION followup.conversation_paused(bigint, bigint) IS
    'Is the conversation''s assistant or sequence paused? The account''s own pause is not asked.';
