CREATE OR REPLACE FUNCTION followup.feedback_messages(
    p_account bigint, p_plan followup.lead_plan[], p_at timestamptz, p_now timestamptz)
RETURNS SETOF followup.lead_plan
LANGUAGE sql STABLE AS $$
    WITH base AS MATERIALIZED (
        SELECT p.*, a.feedback_subject,
               coalesce(p_at, p_now + pg_catalog.make_interval(secs => extract(epoch FROM a.follow_up_delay)::double precision)) AS at,
               dense_rank() OVER (ORDER BY p.timezone, p.country, p.hold_until,
                                           CASE WHEN a.jitter_max > '0' THEN p.conversation_id END)::integer AS alike
          FROM unnest(p_plan) AS p
          JOIN followup.account AS a ON a.id = p_account
    ), due AS MATERIALIZED (     -- asked once for all leads that are alike
        SELECT array_agg(followup.plan_at(p_account, d.timezone, d.country, d.at, '0', 'elapsed', d.hold_until, d.conversation_id)
                         ORDER BY d.alike) AS at
          FROM (SELECT DISTINCT ON (b.alike) b.* FROM base AS b ORDER BY b.alike) AS d
    )
    SELECT p.lead_id,
           CASE WHEN p.reason IS NOT NULL THEN p.reason
                WHEN p.lead_id IN (SELECT followup.suppressed_leads(p_account, ARRAY(SELECT b.lead_id FROM base AS b))) THEN 'suppressed'
                WHEN p_at < p_now THEN 'past_instant'
                WHEN f.step_key IS NULL AND (f.any_step OR p.feedback_subject IS NULL) THEN 'no_follow_up_message' END,
           p.state, p.sub_state, p.timezone, p.country, p.conversation_id, p.active, p.hold_until,
           p.sequence_id, p.version, p.assistant_id, 'follow_up'::followup.message_kind, f.position, f.step_key,
           CASE WHEN p.reason IS NULL THEN (SELECT d.at FROM due AS d)[p.alike] END,
           p.at
      FROM base AS p
      LEFT JOIN LATERAL (
            SELECT true AS any_step,
                   (array_agg(s.position ORDER BY s.position) FILTER (WHERE m.id IS NULL))[1] AS position,
                   (array_agg(s.step_key ORDER BY s.position) FILTER (WHERE m.id IS NULL))[1] AS step_key
              FROM followup.step AS s
              LEFT JOIN followup.message AS m ON m.account_id = p_account AND m.conversation_id = p.conversation_id
               AND m.kind = 'follow_up' AND m.step_key = s.step_key
               AND m.state IN ('sending', 'in_doubt', 'sent', 'delivered', 'bounced', 'complained')
             WHERE p.reason IS NULL AND s.account_id = p_account AND s.sequence_id = p.sequence_id
               AND s.version = p.version AND s.kind = 'follow_up'
            HAVING count(*) > 0) AS f ON true
$$;
COMMENT ON FUNCTION followup.feedback_messages(bigint, followup.lead_plan[], timestamptz, timestamptz) IS
    'The follow-up that skip and a hot reply schedule: the first follow_up step of the conversation''s version that was not sent in it, else (the version has none) the account''s feedback message; at p_at, else follow_up_delay after p_now. Without either: no_follow_up_message.';
