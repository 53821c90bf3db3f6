CREATE OR REPLACE FUNCTION followup.take_out_pending(p_account bigint, p_conversations bigint[], p_detail text) RETURNS void
LANGUAGE sql VOLATILE AS $$
    UPDATE followup.message AS m
       SET state = CASE WHEN m.state = 'scheduled' THEN 'cancelled'::followup.message_state ELSE m.state END,
           detached = m.state <> 'scheduled',
           finished_at = CASE WHEN m.state = 'scheduled' THEN followup.now() END,
           detail = CASE WHEN m.state = 'scheduled' THEN p_detail ELSE m.detail END
      FROM followup.live_messages(p_account, p_conversations) AS n
     WHERE m.account_id = p_account AND m.id = n.message_id AND m.state IN ('scheduled', 'sending', 'in_doubt') AND NOT m.detached
$$;
COMMENT ON FUNCTION followup.take_out_pending(bigint, bigint[], text) IS
    'Takes out the live message of each conversation: a scheduled one is cancelled, one in flight becomes detached (its result is recorded, it plans nothing and is never re-sent). p_detail says why. The caller holds the conversations'' locks.';
