CREATE OR REPLACE FUNCTION followup.unbounce(
    p_account bigint, p_leads bigint[], p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor     followup.actor := followup.actor_of(p_account, p_actor, 'reactivate');
    v_plan      followup.lead_plan[];
    v_scheduled record;
BEGIN
    PERFORM followup.lock_leads(p_account, p_leads);
    v_plan := ARRAY(SELECT followup.reactivations(p_account, p_leads, followup.now(), v_actor, p_note, 'deactivated'));
    DELETE FROM followup.suppression AS s
     USING unnest(v_plan) AS p, followup.lead AS l
     WHERE p.reason IS NULL AND l.account_id = p_account AND l.id = p.lead_id
       AND s.account_id = p_account AND s.address = pg_catalog.lower(l.email) AND followup.is_bounce(s.reason, s.source);
    v_scheduled := followup.bring_back(p_account, v_plan, 'unbounce', v_actor, p_note);
    RETURN QUERY SELECT * FROM followup.action_results(p_account, p_leads, v_plan, v_scheduled.leads, v_scheduled.messages);
END
$$;
COMMENT ON FUNCTION followup.unbounce(bigint, bigint[], bigint, text) IS
    'The undo of a bounce that was none, or is over, by whoever may reactivate (administrators), with a note: of leads that are deactivated/BounceDeactivated or CannotDetermine. The suppression of the address for that bounce is taken away; the message that the bounce cancelled goes at its old time, or now where that has passed, through the send window (where it had cancelled none: the one after the message that bounced); a lead that was processed then is so again. Refuses: note_required, suppressed (for another reason), deactivated (with its sub_state), unsubscribed, stopped, already_active, never_started, inactive (processed), not_permitted, not_own_lead, not_found.';
