CREATE OR REPLACE FUNCTION followup.settle_reply(
    p_account bigint, p_reply bigint, p_lead bigint = NULL, p_outcome text = NULL, p_actor bigint = NULL, p_note text = NULL)
RETURNS TABLE (reply bigint, lead_id bigint, outcome text, in_flight bigint[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_actor followup.actor := followup.require_permission(p_account, p_actor, 'stop');
    v_plan  followup.lead_plan[];
    v_reply followup.reply;
BEGIN
    PERFORM followup.read_outcome(p_outcome) WHERE p_outcome IS NOT NULL;
    IF p_outcome IS NOT NULL AND p_lead IS NULL THEN
        RAISE EXCEPTION 'settle_reply: an outcome needs the lead that it is for' USING ERRCODE = 'invalid_parameter_value';
    ELSIF p_lead IS NOT NULL THEN
        v_plan := followup.fact_plan(p_account, ARRAY[p_lead]);
        IF v_plan[1].reason IS NOT NULL THEN
            RAISE EXCEPTION 'the account has no lead %', p_lead USING ERRCODE = 'no_data_found';
        END IF;
    END IF;
    UPDATE followup.reply AS r
       SET settled_at = clock_timestamp(), lead_id = coalesce(r.lead_id, p_lead), outcome = coalesce(p_outcome, r.outcome),
           matched_by = CASE WHEN p_lead IS NOT NULL THEN 'person' ELSE r.matched_by END
     WHERE r.account_id = p_account AND r.id = p_reply AND r.settled_at IS NULL
       AND (r.lead_id IS NULL OR r.alert IS NOT NULL AND p_lead IS NULL)
    RETURNING r.* INTO v_reply;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no reply % waits to be settled%', p_reply, CASE WHEN p_lead IS NOT NULL THEN ' with a lead' ELSE '' END
            USING ERRCODE = 'no_data_found';
    END IF;
    IF EXISTS (SELECT FROM followup.lead AS l
                WHERE l.account_id = p_account AND l.id = v_reply.lead_id AND NOT followup.is_own(v_actor, l.rep_id)) THEN
        RAISE EXCEPTION 'settle_reply: lead % is not user %''s', v_reply.lead_id, p_actor USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF p_lead IS NOT NULL THEN
        PERFORM followup.apply_reply(p_account, v_plan, followup.follow_up_left(p_account, v_plan[1].conversation_id), v_reply.outcome,
                                     v_reply.received_at, followup.now(), coalesce(v_reply.until, v_reply.received_at + '7 days'::interval));
    END IF;
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, detail, at)
    VALUES (p_account, v_actor.name, 'reply_settled', v_reply.lead_id, p_note, jsonb_build_object('reply', p_reply), followup.now());
    RETURN QUERY SELECT v_reply.id, v_reply.lead_id, v_reply.outcome,
                        coalesce((SELECT f.in_flight FROM followup.in_flight_of(p_account, ARRAY[v_reply.lead_id]) AS f), '{}');
END
$$;
COMMENT ON FUNCTION followup.settle_reply(bigint, bigint, bigint, text, bigint, text) IS
    'A person has dealt with a reply of replies_to_settle. With p_lead an unmatched one is that lead''s, and does what it means: p_outcome, else what it was read as. Without: nothing more happens; an alert is seen, an unmatched one is nobody''s. in_flight: what had left for the lead. Raises 42501 without the permission stop and for a lead that is not the actor''s own, P0002 for a reply that does not wait (or has its lead) and an unknown lead, 22023 for no outcome.';
