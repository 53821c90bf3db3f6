CREATE OR REPLACE FUNCTION followup.apply_crm(
    p_account bigint, p_changes followup.crm_change[], p_actor text, p_note text, OUT plan followup.lead_plan[],
    OUT leads bigint[], OUT messages bigint[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_permitted constant followup.actor := ROW(NULL, NULL, true, NULL);
    v_stop      bigint[] := ARRAY(SELECT DISTINCT c.lead_id FROM unnest(p_changes) AS c WHERE c.action = 'stop');
    v_skip      bigint[] := ARRAY(SELECT DISTINCT c.lead_id FROM unnest(p_changes) AS c
                                   WHERE c.action = 'skip_to_follow_up' AND c.lead_id <> ALL (v_stop));
    v_stopping  followup.lead_plan[];
    v_skipping  followup.lead_plan[];
    v_rule      text;
    v_scheduled record;
BEGIN
    -- A rule stops new and processed leads too; only the button is refused on them.
    v_stopping := ARRAY(
        SELECT followup.lead_plan_refused(r, CASE WHEN r.state NOT IN ('new', 'active', 'processed')
                                                  THEN r.state::text::followup.skip_reason END)
          FROM followup.read_leads(p_account, v_stop, 'stop', v_permitted) AS r);
    FOR v_rule IN SELECT DISTINCT c.rule FROM unnest(p_changes) AS c WHERE c.action = 'stop' ORDER BY c.rule LOOP
        PERFORM followup.leave_leads(p_account,
            ARRAY(SELECT p FROM unnest(v_stopping) AS p
                    JOIN (SELECT c.lead_id, min(c.rule) AS rule FROM unnest(p_changes) AS c WHERE c.action = 'stop'
                           GROUP BY c.lead_id) AS r ON r.lead_id = p.lead_id
                   WHERE r.rule = v_rule),
            'stopped', NULL, 'stopped', 'CRM rule ' || v_rule);
    END LOOP;
    PERFORM followup.log_actions(p_account, ARRAY(SELECT p.lead_id FROM unnest(v_stopping) AS p WHERE p.reason IS NULL),
                                 p_actor, 'stop', p_note);

    v_skipping := ARRAY(SELECT followup.read_leads(p_account, v_skip, 'skip', v_permitted));
    v_skipping := ARRAY(SELECT followup.feedback_messages(p_account, v_skipping, NULL, followup.now()));
    PERFORM followup.take_out_pending(p_account,
        ARRAY(SELECT p.conversation_id FROM unnest(v_skipping) AS p WHERE p.reason IS NULL), 'skip');
    v_scheduled := followup.schedule_messages(p_account, v_skipping, 'skip', p_actor, p_note);
    plan := v_stopping || v_skipping;
    leads := v_scheduled.leads;
    messages := v_scheduled.messages;

    INSERT INTO followup.crm_event (account_id, source, lead_id, field, old, new, at, rule, action, result)
    SELECT p_account, c.source, c.lead_id, c.field, c.old, c.new, followup.now(), c.rule, c.action,
           CASE WHEN c.action IS NULL THEN 'no rule'
                WHEN c.action = 'none' THEN 'nothing to do'
                WHEN p.reason IS NOT NULL THEN 'left alone: ' || pg_catalog.concat_ws('/', p.reason, CASE p.reason WHEN 'deactivated' THEN p.sub_state END)
                WHEN c.action = 'stop' THEN 'stopped'
                WHEN c.lead_id = ANY (v_stop) THEN 'left alone: stopped'
                ELSE 'skipped to the follow-up' END
      FROM unnest(p_changes) WITH ORDINALITY AS c
      LEFT JOIN unnest(plan) AS p ON p.lead_id = c.lead_id
     ORDER BY c.ordinality;
END
$$;
COMMENT ON FUNCTION followup.apply_crm(bigint, followup.crm_change[], text, text) IS
    'Does what the rules say: stop (also new and processed leads), skip to the follow-up, or nothing; a crm_event a change. Answers the plan of the leads that a rule acted on, and what was scheduled for which. The caller holds leads and conversations.';
