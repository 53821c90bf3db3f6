CREATE OR REPLACE FUNCTION followup.bounce_effect(p_account bigint, p_message bigint, p_kind text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_kind <> 'soft' THEN 'deactivate'
                WHEN m.detached OR c.state <> 'active' THEN 'record'
                WHEN (SELECT count(*) FROM followup.message AS t
                       WHERE t.account_id = m.account_id AND t.conversation_id = m.conversation_id AND t.kind = m.kind
                         AND t.step_key IS NOT DISTINCT FROM m.step_key AND t.state = 'bounced') >= 3 THEN 'deactivate'
                WHEN live.state <> 'scheduled' OR live.kind <> m.kind THEN 'record'
                ELSE 'retry' END
      FROM followup.message AS m
      JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
      LEFT JOIN followup.message AS live ON live.account_id = m.account_id AND live.conversation_id = m.conversation_id
       AND live.pending AND NOT live.detached
     WHERE m.account_id = p_account AND m.id = p_message
$$;
COMMENT ON FUNCTION followup.bounce_effect(bigint, bigint, text) IS
    'What a bounce does, once the message is bounced: deactivate (hard, unknown, or the third soft bounce of the same step), retry (soft, and the next message is not on its way), record (soft, and too late for a retry).';
