CREATE OR REPLACE FUNCTION followup.listed_message(p_account bigint, p_lead bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT m.id FROM followup.conversation AS c
      JOIN followup.message AS m ON m.account_id = c.account_id AND m.conversation_id = c.id
      JOIN followup.lead AS l ON l.account_id = c.account_id AND l.id = c.lead_id
     WHERE c.account_id = p_account AND c.lead_id = p_lead AND m.claimed_at IS NOT NULL AND lower(m.recipient) = lower(l.email)
       AND m.state IN ('sending', 'in_doubt', 'sent', 'delivered', 'bounced', 'complained')
     ORDER BY m.claimed_at DESC, m.id DESC LIMIT 1
$$;
COMMENT ON FUNCTION followup.listed_message(bigint, bigint) IS
    'Internal: the message that a new entry of the lead''s address in a suppression list is about: the last one that left for that address; NULL: none did.';
