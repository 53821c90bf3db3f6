CREATE OR REPLACE FUNCTION followup.unclaim_messages(
    p_worker uuid, p_accounts bigint[], p_messages bigint[], p_epochs bigint[])
RETURNS TABLE (account_id bigint, message_id bigint, due_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET followup.quiet = 'on'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    v_accounts bigint[];
    v_messages bigint[];
BEGIN
    SELECT pg_catalog.array_agg(k.account_id), pg_catalog.array_agg(k.id) INTO v_accounts, v_messages
      FROM (SELECT m.account_id, m.id
              FROM unnest(p_accounts, p_messages, p_epochs) AS u(account_id, id, epoch)
              JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
             WHERE m.state = 'sending' AND m.claimed_by = p_worker AND m.epoch = u.epoch
               FOR NO KEY UPDATE OF m SKIP LOCKED) AS k;
    RETURN QUERY SELECT b.account_id, b.message_id, b.due_at FROM followup.take_back(v_accounts, v_messages) AS b;
END
$$;
COMMENT ON FUNCTION followup.unclaim_messages(uuid, bigint[], bigint[], bigint[]) IS
    'Claimed by this worker at these epochs (parallel arrays, at most 1000), and no byte was posted: given back. Answers those that are scheduled again, with the due time they have. One missing was replaced, is in doubt from an earlier POST, or is locked by somebody (sweep_sending finds it then).';
