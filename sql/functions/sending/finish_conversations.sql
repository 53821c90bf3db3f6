CREATE OR REPLACE FUNCTION followup.finish_conversations(p_accounts bigint[], p_messages bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_now timestamptz := followup.now();
BEGIN
    WITH last AS MATERIALIZED (
        SELECT m.account_id, m.conversation_id, m.lead_id, m.id, m.state, m.detail
          FROM unnest(p_accounts, p_messages) AS asked (account_id, id)
          JOIN followup.message AS m ON m.account_id = asked.account_id AND m.id = asked.id
    ), conversation AS (
        UPDATE followup.conversation AS c
           SET state = 'ended', ended_at = v_now, hold_until = NULL,
               stop_seq = pg_catalog.nextval('followup.order_seq'),
               ended_reason = (CASE l.state WHEN 'bounced' THEN 'deactivated' WHEN 'complained' THEN 'unsubscribed'
                                    ELSE 'failed' END)::followup.ended_reason,
               ended_by = CASE WHEN l.state = 'complained' THEN 'a complaint' ELSE l.detail END
          FROM last AS l
         WHERE c.account_id = l.account_id AND c.id = l.conversation_id AND c.state <> 'ended'
    ), lead AS (
        UPDATE followup.lead AS d
           SET state = (CASE l.state WHEN 'bounced' THEN 'deactivated' WHEN 'complained' THEN 'unsubscribed'
                             ELSE 'processed' END)::followup.lead_state,
               sub_state = (CASE l.state WHEN 'bounced' THEN 'BounceDeactivated' WHEN 'complained' THEN NULL
                                 ELSE 'failed' END)::followup.lead_sub_state,
               status = CASE WHEN l.state IN ('failed', 'cancelled') THEN 'lead_to_review' ELSE d.status END,
               status_at = CASE WHEN l.state IN ('failed', 'cancelled') THEN v_now ELSE d.status_at END
          FROM last AS l
         WHERE d.account_id = l.account_id AND d.id = l.lead_id
    )
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, detail, at)
    SELECT l.account_id, 'engine', 'message_' || l.state::text, l.lead_id, l.detail,
           pg_catalog.jsonb_build_object('message_id', l.id), v_now
      FROM last AS l;
    PERFORM followup.suppress_addresses(m.account_id, array_agg(m.lead_id), 'complained', 'provider', NULL)
       FROM unnest(p_accounts, p_messages) AS asked (account_id, id)
       JOIN followup.message AS m ON m.account_id = asked.account_id AND m.id = asked.id
      WHERE m.state = 'complained'
      GROUP BY m.account_id;
END
$$;
COMMENT ON FUNCTION followup.finish_conversations(bigint[], bigint[]) IS
    'Internal, of after_message: ends the conversations whose last message, one of these, was not sent or came back, by the message''s state. Parallel arrays; the caller holds the locks.';
