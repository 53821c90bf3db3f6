CREATE OR REPLACE FUNCTION followup.wrong_ever()
RETURNS TABLE (invariant text, what text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT b.invariant, 'message ' || b.id || ' of account ' || b.account_id FROM followup.wrong_message AS b
    UNION ALL
    SELECT 'active_without_conversation', 'lead ' || l.id || ' of account ' || l.account_id
      FROM followup.lead AS l
     WHERE l.state = 'active'
       AND NOT EXISTS (SELECT FROM followup.conversation AS c
                        WHERE c.account_id = l.account_id AND c.lead_id = l.id AND c.state = 'active')
    UNION ALL
    SELECT 'cap_places', 'assistant ' || b.assistant_id || ' of account ' || b.account_id || ' on ' || b.day
      FROM followup.wrong_cap AS b;
    RETURN QUERY
    SELECT b.invariant, 'conversation ' || b.id || ' of account ' || b.account_id
      FROM followup.wrong_conversation AS b WHERE b.state = 'active';
END
$$;
COMMENT ON FUNCTION followup.wrong_ever() IS
    'Internal, for invariants(true): what breaks which invariant among everything stored. Reads every table.';
