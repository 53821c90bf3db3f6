CREATE OR REPLACE FUNCTION followup.explain_doubt(p_account bigint, p_message bigint, p_now timestamptz)
RETURNS TABLE (cause text, clears_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT 'in doubt: try ' || m.attempts || ', ' || m.posts || CASE m.posts WHEN 1 THEN ' POST' ELSE ' POSTs' END
           || ', and no answer says whether it left'
           || CASE WHEN m.detached OR c.state = 'ended' THEN '; it was replaced meanwhile and is never sent again'
                   WHEN a.in_doubt_policy = 'hold' THEN '; held until an event of the provider or a person settles it'
                   ELSE '; after 24 hours the account''s policy settles it: ' || pg_catalog.replace(a.in_doubt_policy::text, '_', ' ') END,
           CASE WHEN a.in_doubt_policy <> 'hold' OR m.detached OR c.state = 'ended'
                THEN p_now + pg_catalog.make_interval(secs => k.rate
                         * extract(epoch FROM m.claimed_at + '24 hours'::interval - pg_catalog.clock_timestamp())::double precision) END
      FROM followup.message AS m
      JOIN followup.account AS a ON a.id = m.account_id
     CROSS JOIN followup.clock() AS k
      LEFT JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
     WHERE m.account_id = p_account AND m.id = p_message
    UNION ALL
    SELECT 'before that: ' || d.way,
           p_now + pg_catalog.make_interval(secs => t.rate * extract(epoch FROM d.at - pg_catalog.clock_timestamp())::double precision)
      FROM followup.message AS m
     CROSS JOIN followup.clock() AS t
      LEFT JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
      LEFT JOIN followup.look_up AS k ON k.account_id = m.account_id AND k.message_id = m.id AND k.attempts = m.attempts
     CROSS JOIN LATERAL followup.doubt_ways(m.claimed_at, m.first_post_at, m.posts, m.provider, k.looked_up_at, k.looks,
                                            NOT m.detached AND c.state IS DISTINCT FROM 'ended') AS d
     WHERE m.account_id = p_account AND m.id = p_message
$$;
COMMENT ON FUNCTION followup.explain_doubt(bigint, bigint, timestamptz) IS
    'Internal: what is awaited for a message in doubt; clears_at by the policy''s default age of 24 real hours; then what may settle it before (doubt_ways).';
