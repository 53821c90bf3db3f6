CREATE OR REPLACE FUNCTION followup.bounce_effect(
    p_account bigint, p_message bigint, p_class followup.bounce_kind, OUT effect text, OUT wait interval, OUT what text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_message followup.message;
    v_live    followup.message;
    v_soft    integer;
BEGIN
    IF p_class <> 'soft' THEN
        effect := CASE p_class WHEN 'block' THEN 'record' ELSE 'deactivate' END;
        what := 'a bounce';
        RETURN;
    END IF;
    SELECT m.* INTO v_message FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    IF v_message.detached OR NOT EXISTS (SELECT FROM followup.conversation AS c
                                          WHERE c.account_id = p_account AND c.id = v_message.conversation_id
                                            AND c.state = 'active') THEN
        effect := 'record';
        RETURN;
    END IF;
    SELECT count(*) INTO v_soft
      FROM followup.message AS m
     WHERE m.account_id = p_account AND m.conversation_id = v_message.conversation_id AND m.kind = v_message.kind
       AND m.step_key IS NOT DISTINCT FROM v_message.step_key AND m.state = 'bounced';
    SELECT s.wait INTO wait
      FROM followup.bounce_schedule AS s
     WHERE s.bounce = v_soft
       AND s.account_id IS NOT DISTINCT FROM (SELECT o.account_id FROM followup.bounce_schedule AS o
                                               WHERE o.account_id = p_account LIMIT 1);
    IF NOT FOUND THEN
        effect := 'deactivate';
        what := 'soft bounce ' || v_soft || ' of the same message';
        RETURN;
    END IF;
    SELECT m.* INTO v_live
      FROM followup.message AS m
     WHERE m.account_id = p_account AND m.conversation_id = v_message.conversation_id AND m.pending AND NOT m.detached;
    effect := CASE WHEN v_live.state <> 'scheduled' OR v_live.kind <> v_message.kind THEN 'record' ELSE 'retry' END;
END
$$;
COMMENT ON FUNCTION followup.bounce_effect(bigint, bigint, followup.bounce_kind) IS
    'Internal: what a bounce does, once the message is bounced: deactivate (hard, unknown, or soft and bounce_schedule has no wait left; what: as the Conversation Status names it), retry after wait (soft, and the next message is not on its way), record (block; soft, and too late for a retry).';
