CREATE OR REPLACE FUNCTION followup.act_on_leads(
    p_account bigint, p_leads bigint[], p_action followup.lead_action, p_sequence bigint, p_assistant bigint,
    p_at timestamptz, p_actor followup.actor, p_note text, p_disqualified boolean = true)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_acted record;
BEGIN
    PERFORM followup.lock_leads(p_account, p_leads);
    PERFORM followup.check_sequence(p_account, p_sequence, p_assistant);
    v_acted := followup.act_on_locked(p_account, p_leads, p_action, p_sequence, p_assistant, p_at, p_actor, p_note, p_disqualified);
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_acted.plan, v_acted.leads, v_acted.messages);
END
$$;
COMMENT ON FUNCTION followup.act_on_leads(bigint, bigint[], followup.lead_action, bigint, bigint, timestamptz, followup.actor, text, boolean) IS
    'Any of the five actions, for one lead or many, with the rights that p_actor brings: the core of the action functions; a trigger or an import brings an actor of its own.';
