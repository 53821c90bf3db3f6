CREATE OR REPLACE FUNCTION followup.first_steps(
    p_account bigint, p_leads bigint[], p_action followup.lead_action, p_sequence bigint, p_assistant bigint,
    p_at timestamptz, p_now timestamptz, p_actor followup.actor,
    p_disqualified boolean)
RETURNS SETOF followup.lead_plan
LANGUAGE sql STABLE AS $$
    WITH first AS MATERIALIZED (
        SELECT DISTINCT ON (s.sequence_id) s.*
          FROM followup.step AS s
         WHERE s.account_id = p_account AND s.kind = 'sequence'
           AND s.version = (SELECT max(v.version) FROM followup.sequence_version AS v
                             WHERE v.account_id = p_account AND v.sequence_id = s.sequence_id)
         ORDER BY s.sequence_id, s.position
    ), only_assistant AS MATERIALIZED (
        SELECT min(a.id) AS id FROM followup.assistant AS a WHERE a.account_id = p_account HAVING count(*) = 1
    ), base AS MATERIALIZED (
        SELECT r.*, coalesce(p_assistant, r.assistant_id, (SELECT o.id FROM only_assistant AS o)) AS persona,
               f.sequence_id AS first_sequence, f.version AS first_version, f.position, f.step_key AS first_key, f.delay, f.delay_unit,
               dense_rank() OVER (ORDER BY f.sequence_id, r.timezone, r.country,
                                           CASE WHEN (SELECT a.jitter_max > '0' FROM followup.account AS a WHERE a.id = p_account)
                                                THEN r.lead_id END)::integer AS alike
          FROM followup.read_leads(p_account, p_leads, p_action, p_actor, p_disqualified) AS r
          LEFT JOIN first AS f ON f.sequence_id = coalesce(p_sequence, r.sequence_id)
    ), due AS MATERIALIZED (     -- asked once for all leads that are alike
        SELECT array_agg(CASE WHEN d.first_key IS NULL THEN 'infinity'
                              ELSE followup.plan_at(p_account, d.timezone, d.country, greatest(p_at, p_now), d.delay, d.delay_unit,
                                                    NULL, d.lead_id) END ORDER BY d.alike) AS at
          FROM (SELECT DISTINCT ON (b.alike) b.* FROM base AS b ORDER BY b.alike, b.reason IS NOT NULL) AS d
    )
    SELECT b.lead_id,
           CASE WHEN b.reason IS NOT NULL THEN b.reason
                WHEN b.lead_id IN (SELECT followup.suppressed_leads(p_account, p_leads)) THEN 'suppressed'
                WHEN p_at < p_now THEN 'past_instant'
                WHEN b.first_key IS NULL THEN 'no_steps'
                WHEN b.persona IS NULL THEN 'no_assistant' END,
           b.state, b.sub_state, b.timezone, b.country, b.conversation_id, b.active, b.hold_until,
           b.first_sequence, b.first_version, b.persona, 'sequence'::followup.message_kind, b.position, b.first_key,
           CASE WHEN b.reason IS NULL AND b.first_key IS NOT NULL THEN (SELECT d.at FROM due AS d)[b.alike] END,
           greatest(p_at, p_now)
      FROM base AS b
$$;
COMMENT ON FUNCTION followup.first_steps(bigint, bigint[], followup.lead_action, bigint, bigint, timestamptz, timestamptz, followup.actor, boolean) IS
    'What start and restart would schedule for each lead, or why not: the first step of the newest version of p_sequence (else the sequence the lead had or was given), its delay counted from p_at or p_now.';
