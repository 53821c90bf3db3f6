CREATE OR REPLACE FUNCTION followup.end_conversations(
    p_account bigint, p_conversations bigint[], p_reason followup.ended_reason, p_by text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE followup.conversation AS c
       SET state = 'ended', ended_reason = p_reason, ended_by = p_by, ended_at = followup.now(), hold_until = NULL,
           stop_seq = pg_catalog.nextval('followup.order_seq')
     WHERE c.account_id = p_account AND c.id = ANY (p_conversations) AND c.state <> 'ended';    -- not = 'active': whoever counted few of these would have it read the index of them all
    PERFORM followup.take_out_pending(p_account, p_conversations, p_reason::text);
END
$$;
COMMENT ON FUNCTION followup.end_conversations(bigint, bigint[], followup.ended_reason, text) IS
    'Ends those of the conversations that are active and takes out what is pending of all; p_by as the Conversation Status shows it. The lead''s state is the caller''s, and so are the locks (lock_leads).';
