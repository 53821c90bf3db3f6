CREATE OR REPLACE FUNCTION followup.after_message(p_accounts bigint[], p_messages bigint[], p_capped boolean = NULL)
RETURNS TABLE (account_id bigint, message_id bigint, due_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_capped   boolean := coalesce(p_capped, followup.lock_caps(p_accounts));
    v_messages tid[];   -- parallel arrays
    v_threads  tid[];
    v_leads    tid[];
BEGIN
    SELECT array_agg(m.ctid), array_agg(c.ctid), array_agg(l.ctid) INTO v_messages, v_threads, v_leads
      FROM unnest(p_accounts, p_messages) AS asked (account_id, id)
      JOIN followup.message AS m ON m.account_id = asked.account_id AND m.id = asked.id
      -- With lead_id any index of conversation finds one row: without statistics the planner likes the one of the active ones.
      JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id AND c.lead_id = m.lead_id
      JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id;
    RETURN QUERY SELECT * FROM followup.after_places(v_messages, v_threads, v_leads, v_capped);
END
$$;
COMMENT ON FUNCTION followup.after_message(bigint[], bigint[], boolean) IS
    'Runs in the transaction that takes messages out of pending, after their final state is written and with the locks of lock_messages: plans the next step of each conversation, counted from when this message was planned (from when it left, if more than a real minute late), or ends it: after the last step the lead is processed/completed, its status kept; failed or cancelled: processed/failed, status lead_to_review, conversation ended "failed"; bounced: deactivated/BounceDeactivated; complained: unsubscribed and suppressed. Detached messages, alerts, webhooks and messages of ended conversations plan nothing. Parallel arrays; answers what was planned. p_capped: what lock_caps answered for these accounts; NULL: it is asked here.';
