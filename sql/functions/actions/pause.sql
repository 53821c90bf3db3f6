CREATE OR REPLACE FUNCTION followup.pause(
    p_account bigint, p_assistant bigint = NULL, p_sequence bigint = NULL, p_actor bigint = NULL, p_note text = NULL)
RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_until timestamptz;
BEGIN
    PERFORM followup.set_paused(p_account, p_assistant, p_sequence, p_actor, p_note, followup.now());
    -- Of the loader's index only what may have been claimed is read.
    SELECT followup.claimed_until(k.business, k.rate) INTO v_until FROM followup.clock() AS k;
    RETURN ARRAY(
        SELECT m.id
          FROM followup.message AS m
          JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
         WHERE m.account_id = p_account AND m.shard = followup.shard_of(p_account)
           AND ((m.queued AND m.state = 'sending' AND m.due_at <= v_until) OR (m.pending AND NOT m.queued))
           AND (p_assistant IS NULL OR c.assistant_id = p_assistant)
           AND (p_sequence IS NULL OR c.sequence_id = p_sequence)
         ORDER BY m.id);
END
$$;
COMMENT ON FUNCTION followup.pause(bigint, bigint, bigint, bigint, text) IS
    'Nothing of the account (or of one assistant, or one sequence) is claimed until resume; alerts and webhooks go on. Messages keep their due times. Answers the messages that had left already, or were claimed and leave when they are due, within 50 ms (real). Raises 42501 without the permission pause, 22023 for what the account does not have.';
