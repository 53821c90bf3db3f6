CREATE OR REPLACE FUNCTION followup.continuations(
    p_account bigint, p_leads bigint[], p_at timestamptz, p_now timestamptz, p_actor followup.actor,
    p_disqualified boolean)
RETURNS SETOF followup.lead_plan
LANGUAGE sql STABLE AS $$
    WITH newest AS MATERIALIZED (
        SELECT v.sequence_id, max(v.version) AS version
          FROM followup.sequence_version AS v WHERE v.account_id = p_account GROUP BY v.sequence_id
    ), base AS MATERIALIZED (
        SELECT r.*, n.version AS newest,
               dense_rank() OVER (ORDER BY r.timezone, r.country,
                                           CASE WHEN (SELECT a.jitter_max > '0' FROM followup.account AS a WHERE a.id = p_account)
                                                THEN r.conversation_id END)::integer AS alike
          FROM followup.read_leads(p_account, p_leads, 'continue', p_actor, p_disqualified) AS r
          LEFT JOIN newest AS n ON n.sequence_id = r.sequence_id
    ), due AS MATERIALIZED (     -- asked once for all leads that are alike
        SELECT array_agg(followup.plan_at(p_account, d.timezone, d.country, greatest(p_at, p_now), '0', 'elapsed', NULL,
                                          d.conversation_id) ORDER BY d.alike) AS at
          FROM (SELECT DISTINCT ON (b.alike) b.* FROM base AS b ORDER BY b.alike) AS d
    )
    SELECT b.lead_id,
           CASE WHEN b.reason IS NOT NULL THEN b.reason
                WHEN b.lead_id IN (SELECT followup.suppressed_leads(p_account, p_leads)) THEN 'suppressed'
                WHEN p_at < p_now THEN 'past_instant'
                WHEN f.step_key IS NULL THEN 'no_more_messages' END,
           b.state, b.sub_state, b.timezone, b.country, b.conversation_id, b.active, b.hold_until,
           b.sequence_id, b.newest, b.assistant_id, 'sequence'::followup.message_kind, f.position, f.step_key,
           CASE WHEN b.reason IS NULL AND f.step_key IS NOT NULL THEN (SELECT d.at FROM due AS d)[b.alike] END,
           greatest(p_at, p_now)
      FROM base AS b
      LEFT JOIN LATERAL (
            SELECT array_agg(m.step_key) AS keys,
                   (array_agg(s.position ORDER BY coalesce(m.sent_at, m.due_at) DESC, s.position DESC)
                       FILTER (WHERE s.position IS NOT NULL))[1] AS last_position
              FROM followup.message AS m
              LEFT JOIN followup.step AS s ON s.account_id = m.account_id AND s.sequence_id = b.sequence_id
               AND s.version = b.newest AND s.kind = 'sequence' AND s.step_key = m.step_key
             WHERE b.reason IS NULL AND m.account_id = p_account AND m.conversation_id = b.conversation_id
               AND m.kind = 'sequence'
               AND m.state IN ('sending', 'in_doubt', 'sent', 'delivered', 'bounced', 'complained')) AS gone ON true
      LEFT JOIN LATERAL (
            SELECT s.position, s.step_key
              FROM followup.step AS s
             WHERE b.reason IS NULL AND s.account_id = p_account AND s.sequence_id = b.sequence_id
               AND s.version = b.newest AND s.kind = 'sequence'
               AND s.position > coalesce(gone.last_position, 0)
               AND s.step_key <> ALL (coalesce(gone.keys, '{}'))
             ORDER BY s.position
             LIMIT 1) AS f ON true
$$;
COMMENT ON FUNCTION followup.continuations(bigint, bigint[], timestamptz, timestamptz, followup.actor, boolean) IS
    'What continue would schedule for each lead, or why not: in the newest version of its sequence the first sequence step after the last one sent (or in flight), by step_key, never one already sent.';
