CREATE OR REPLACE FUNCTION followup.revert_verdicts(p_account bigint, p_action text, p_before followup.bulk_lead[])
RETURNS TABLE (was followup.bulk_lead, reason text)
LANGUAGE sql STABLE AS $$
    SELECT u,
           CASE WHEN l.id IS NULL THEN 'not_found'
                WHEN p_action <> 'stop' AND n.state IN ('sending', 'in_doubt', 'sent', 'delivered', 'bounced', 'complained') THEN 'sent'
                WHEN p_action <> 'stop' AND n.state IS DISTINCT FROM 'scheduled' THEN 'changed'
                WHEN n.exact THEN 'changed'     -- a person gave it another time
                -- A hold that was set or ended since: an undo would take that back, too.
                WHEN p_action <> 'stop' AND nc.hold_until IS DISTINCT FROM CASE WHEN nc.id = u.conversation_id THEN u.hold_until END THEN 'changed'
                WHEN p_action = 'stop' AND (l.state <> 'stopped' OR c.ended_reason IS DISTINCT FROM 'stopped') THEN 'changed'
                WHEN p_action = 'stop' AND followup.lead_suppressed(p_account, u.lead_id) THEN 'suppressed'
                WHEN u.active AND o.state IS DISTINCT FROM 'cancelled' THEN 'in_flight'
                WHEN p_action = 'stop' AND EXISTS (
                        SELECT FROM followup.message AS m
                         WHERE m.account_id = p_account AND m.conversation_id = u.conversation_id
                           AND m.created_at > o.created_at) THEN 'changed'
                -- An answer, or a rule of the CRM, that found nothing to end any more: what would be sent again, it would have ended.
                WHEN u.active AND (EXISTS (
                        SELECT FROM followup.activity AS v
                         WHERE v.account_id = p_account AND v.lead_id = u.lead_id AND v.action = 'reply' AND v.at > o.finished_at
                           AND v.note NOT IN ('out_of_office', 'keep_messaging'))
                     OR EXISTS (
                        SELECT FROM followup.crm_event AS e
                         WHERE e.account_id = p_account AND e.lead_id = u.lead_id AND e.action <> 'none' AND e.at > o.finished_at))
                    THEN 'changed' END
      FROM unnest(p_before) AS u
      LEFT JOIN followup.lead AS l ON l.account_id = p_account AND l.id = u.lead_id
      LEFT JOIN followup.conversation AS c ON c.account_id = p_account AND c.id = u.conversation_id
      LEFT JOIN followup.message AS n ON n.account_id = p_account AND n.id = u.new_message_id
      LEFT JOIN followup.conversation AS nc ON nc.account_id = p_account AND nc.id = n.conversation_id
      LEFT JOIN followup.message AS o ON o.account_id = p_account AND o.id = u.message_id
$$;
COMMENT ON FUNCTION followup.revert_verdicts(bigint, text, followup.bulk_lead[]) IS
    'Why an undo leaves a lead alone: sent (the bulk''s message left, or may have left), changed (something else was done since, a hold was set or ended, the message was given another time, or the lead answered), in_flight (what the bulk replaced had left by then: there is nothing to go back to), suppressed (of a stop), not_found. NULL: it can be undone.';
