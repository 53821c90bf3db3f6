CREATE OR REPLACE FUNCTION followup.bulk_act(p_bulk followup.bulk, p_leads bigint[]) RETURNS followup.bulk_outcome
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_before  followup.bulk_lead[];
    v_acted   record;
    v_outcome followup.bulk_outcome;
BEGIN
    PERFORM followup.lock_leads(p_bulk.account_id, p_leads);
    v_before := ARRAY(SELECT b FROM followup.bulk_before(p_bulk.account_id, p_leads) AS b);
    -- Where the instant has come, as in a later chunk: now. A second (real) more, for it must not have passed when it is read there.
    v_acted := followup.act_on_locked(
        p_bulk.account_id, p_leads, p_bulk.action::followup.lead_action, p_bulk.sequence_id, p_bulk.assistant_id,
        (SELECT CASE WHEN p_bulk.at IS NOT NULL THEN greatest(p_bulk.at, k.business + '1 second'::interval * k.rate) END
           FROM followup.clock() AS k),
        p_bulk.acting, p_bulk.note, p_bulk.disqualified);
    v_outcome.before := followup.bulk_done(v_before, v_acted.plan, v_acted.leads, v_acted.messages);
    v_outcome.done := pg_catalog.cardinality(v_outcome.before);
    SELECT pg_catalog.jsonb_object_agg(r.reason, r.leads) INTO v_outcome.left_alone
      FROM (SELECT pg_catalog.concat_ws('/', p.reason, CASE WHEN p.reason IN ('deactivated', 'bounce_rate') THEN p.sub_state END) AS reason,
                   count(*) AS leads
              FROM unnest(v_acted.plan) AS p WHERE p.reason IS NOT NULL GROUP BY 1) AS r;
    RETURN v_outcome;
END
$$;
COMMENT ON FUNCTION followup.bulk_act(followup.bulk, bigint[]) IS
    'Does the bulk''s action to some of its leads, at its instant, or now if that is over. Answers what became of them, and what those were before to whom it was done.';
