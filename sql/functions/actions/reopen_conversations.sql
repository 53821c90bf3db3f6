CREATE OR REPLACE FUNCTION followup.reopen_conversations(p_account bigint, p_plan followup.lead_plan[]) RETURNS void
LANGUAGE sql VOLATILE AS $$
    UPDATE followup.conversation AS c
       SET state = 'active', ended_reason = NULL, ended_by = NULL, ended_at = NULL, stop_seq = NULL,
           version = p.version
      FROM unnest(p_plan) AS p
     WHERE p.reason IS NULL AND c.account_id = p_account AND c.id = p.conversation_id
$$;
COMMENT ON FUNCTION followup.reopen_conversations(bigint, followup.lead_plan[]) IS
    'Makes the conversations of the plan active, at the plan''s version; stop_seq is forgotten, because claims come after it again. The caller holds their locks.';
