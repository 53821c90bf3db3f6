CREATE OR REPLACE FUNCTION followup.in_doubt_list(p_account bigint, p_limit integer = 100)
RETURNS TABLE (message_id bigint, lead_id bigint, email text, kind followup.message_kind, "position" integer,
               provider text, key text, posts integer, last_post_at timestamptz, policy followup.in_doubt_policy,
               sends_again boolean, settles text, next_try_at timestamptz, detail text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.id, m.lead_id, coalesce(m.recipient, l.email), m.kind, m.position, m.provider,
           'fu/' || m.account_id || '/' || m.id || '/' || m.attempts, m.posts, m.claimed_at, a.in_doubt_policy,
           g.sends_again, w.settles, w.next_try_at, m.detail
      FROM followup.message AS m
      JOIN followup.account AS a ON a.id = m.account_id
      LEFT JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
      LEFT JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
      LEFT JOIN followup.look_up AS k ON k.account_id = m.account_id AND k.message_id = m.id AND k.attempts = m.attempts
     CROSS JOIN LATERAL (SELECT NOT m.detached AND c.state IS DISTINCT FROM 'ended'
                                AND NOT (m.conversation_id IS NOT NULL AND EXISTS (SELECT FROM followup.suppression AS s
                                             WHERE s.account_id = m.account_id AND s.address = lower(l.email))) AS sends_again) AS g
     CROSS JOIN LATERAL (SELECT string_agg(d.way, '; ') AS settles, min(d.at) AS next_try_at
                           FROM followup.doubt_ways(m.claimed_at, m.first_post_at, m.posts, m.provider, k.looked_up_at, k.looks,
                                                    g.sends_again) AS d) AS w
     WHERE m.account_id = p_account AND m.shard = followup.shard_of(p_account) AND m.pending AND NOT m.queued
     ORDER BY m.claimed_at, m.id LIMIT least(greatest(p_limit, 0), 10000)
$$;
COMMENT ON FUNCTION followup.in_doubt_list(bigint, integer) IS
    'Messages that may have left, the oldest first, at most p_limit (10000): the provider knows them as m-<message_id> and by the key; last_post_at is real time; sends_again: settled as not_sent it would be sent, because its lead is still to be written to; settles: what can settle it before the policy does, the next of it at next_try_at (real time; doubt_ways); NULL: no worker says.';
