CREATE OR REPLACE FUNCTION followup.record_bounce(
    p_account bigint, p_message bigint, p_kind text, p_detail text = NULL, p_at timestamptz = NULL)
RETURNS followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_lead   bigint;
    v_plan   followup.lead_plan[];
    v_result followup.action_result;
BEGIN
    PERFORM followup.check_account(p_account);
    IF p_kind IS NULL OR p_kind NOT IN ('hard', 'soft', 'block', 'unknown') THEN
        RAISE EXCEPTION 'record_bounce: the kind is hard, soft, block or unknown, not %', pg_catalog.quote_nullable(p_kind)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT m.lead_id INTO v_lead FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    v_plan := followup.bounce_message(p_account, p_message, v_lead, p_kind::followup.bounce_kind, p_kind = 'block', p_detail,
                                      'bounced', NULL, p_at);
    SELECT r.* INTO v_result
      FROM followup.action_results(p_account, ARRAY[v_lead], v_plan, ARRAY[v_lead],
               ARRAY(SELECT m.id FROM followup.message AS m
                      WHERE p_kind = 'soft' AND v_plan[1].reason IS NULL AND m.account_id = p_account
                        AND m.conversation_id = v_plan[1].conversation_id AND m.state = 'scheduled'
                        AND m.planned_reason = 'soft_bounce')) AS r;
    RETURN v_result;
END
$$;
COMMENT ON FUNCTION followup.record_bounce(bigint, bigint, text, text, timestamptz) IS
    'A message of ours came back; it becomes bounced and this decides what follows, so after_message is not called for it. hard: the lead is deactivated/BounceDeactivated and its address suppressed (reason bounce); unknown: deactivated/CannotDetermine; soft: the next message is cancelled and the same step goes again as a new message (message_id, due_at), after the waits of bounce_schedule, and after the last of them the lead is deactivated/BounceDeactivated; too late for that (the next message is on its way, the conversation ended), it is only recorded; block: recorded, the sequence goes on, and the account''s alerts show it. A lead that has another address by then is not deactivated; what is suppressed is the address to which the message went. p_at: business time, default now. A message that bounced already or never left: not done, inactive; unknown: not_found. Raises 22023 for another kind.';
