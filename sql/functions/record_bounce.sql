CREATE OR REPLACE FUNCTION followup.record_bounce(
    p_account bigint, p_message bigint, p_kind text, p_detail text = NULL, p_at timestamptz = NULL)
RETURNS followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_lead      bigint;
    v_plan      followup.lead_plan[];
    v_scheduled record;
    v_messages  bigint[];
    v_result    followup.action_result;
BEGIN
    PERFORM followup.check_account(p_account);
    IF p_kind IS NULL OR p_kind NOT IN ('hard', 'soft', 'unknown') THEN
        RAISE EXCEPTION 'record_bounce: the kind is hard, soft or unknown, not %', pg_catalog.quote_nullable(p_kind)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT m.lead_id INTO v_lead FROM followup.message AS m WHERE m.account_id = p_account AND m.id = p_message;
    v_plan := followup.fact_plan(p_account, ARRAY[v_lead]);
    UPDATE followup.message AS m
       SET state = 'bounced', finished_at = coalesce(p_at, followup.now()), detail = p_detail
     WHERE m.account_id = p_account AND m.id = p_message AND m.state IN ('sending', 'in_doubt', 'sent', 'delivered');
    IF NOT FOUND THEN
        v_plan[1].reason := coalesce(v_plan[1].reason, 'inactive');
    ELSE
        CASE followup.bounce_effect(p_account, p_message, p_kind)
        WHEN 'retry' THEN
            v_plan := followup.bounce_retry(p_account, p_message, v_plan);
            PERFORM followup.take_out_pending(p_account, ARRAY[v_plan[1].conversation_id], 'the message before bounced');
            v_scheduled := followup.schedule_messages(p_account, v_plan, 'soft_bounce', 'provider', p_detail);
            v_messages := v_scheduled.messages;
        WHEN 'deactivate' THEN
            IF v_plan[1].state NOT IN ('unsubscribed', 'deactivated') THEN
                PERFORM followup.leave_leads(p_account, v_plan, 'deactivated',
                    (CASE p_kind WHEN 'unknown' THEN 'CannotDetermine' ELSE 'BounceDeactivated' END)::followup.lead_sub_state,
                    'deactivated', 'a bounce' || coalesce(': ' || p_detail, ''));
            END IF;
            PERFORM followup.log_actions(p_account, ARRAY[v_lead], 'provider', 'bounce', p_detail, ARRAY[p_message]);
        ELSE
            PERFORM followup.log_actions(p_account, ARRAY[v_lead], 'provider', 'bounce', p_detail, ARRAY[p_message]);
        END CASE;
    END IF;
    SELECT * INTO v_result FROM followup.action_results(p_account, ARRAY[v_lead], v_plan, ARRAY[v_lead], v_messages);
    RETURN v_result;
END
$$;
COMMENT ON FUNCTION followup.record_bounce(bigint, bigint, text, text, timestamptz) IS
    'A message of ours came back; it becomes bounced and this decides what follows, so after_message is not called for it. hard: the lead is deactivated/BounceDeactivated; unknown: deactivated/CannotDetermine; soft: the next message is cancelled and the same step goes again as a new message 24 hours later (message_id, due_at), the third soft bounce of a step counts as hard; too late for that (the next message is on its way, the conversation ended), it is only recorded. p_at: business time, default now. A message that bounced already or never left: not done, inactive; unknown: not_found. Raises 22023 for another kind.';
