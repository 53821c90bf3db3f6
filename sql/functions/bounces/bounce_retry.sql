CREATE OR REPLACE FUNCTION followup.bounce_retry(p_account bigint, p_message bigint, p_plan followup.lead_plan[], p_wait interval)
RETURNS followup.lead_plan[]
LANGUAGE sql STABLE AS $$
    SELECT ARRAY(
        SELECT ROW(p.lead_id, NULL, p.state, p.sub_state, p.timezone, p.country, m.conversation_id, true, p.hold_until,
                   p.sequence_id, m.version, p.assistant_id, m.kind, m.position, m.step_key,
                   followup.plan_at(p_account, p.timezone, p.country, followup.now(), p_wait, 'elapsed', p.hold_until,
                                    m.conversation_id),
                   followup.now() + pg_catalog.make_interval(secs => extract(epoch FROM p_wait)::double precision))::followup.lead_plan
          FROM unnest(p_plan) AS p
          JOIN followup.message AS m ON m.account_id = p_account AND m.id = p_message)
$$;
COMMENT ON FUNCTION followup.bounce_retry(bigint, bigint, followup.lead_plan[], interval) IS
    'Internal: the same step as a new message, p_wait of business time from now.';
