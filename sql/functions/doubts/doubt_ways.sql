CREATE OR REPLACE FUNCTION followup.doubt_ways(
    p_claimed_at timestamptz, p_first_post_at timestamptz, p_posts integer, p_provider text, p_looked_up_at timestamptz,
    p_looks integer, p_sends_again boolean)
RETURNS TABLE (way text, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH told AS (      -- what the engine was configured to do, as a worker said of itself in the last minute
        SELECT w.figures FROM followup.worker_figures AS w WHERE w.at > clock_timestamp() - '1 minute'::interval ORDER BY w.at DESC LIMIT 1
    ), known AS (
        SELECT t.figures, 1000 * n.settle_after_seconds AS settle_ms, p_first_post_at + make_interval(secs => p.provider_key_window_seconds) AS key_until,
               p.provider_looks_up = 1 AS looks_up, nullif(p.provider_look_up_proof_seconds, 0) AS proof_s
          FROM told AS t
         CROSS JOIN LATERAL jsonb_to_record(t.figures) AS n (settle_after_seconds double precision)
         CROSS JOIN LATERAL jsonb_to_recordset(t.figures -> 'providers') AS p (
               provider text, provider_key_window_seconds double precision, provider_looks_up double precision,
               provider_look_up_proof_seconds double precision)
         WHERE p.provider = p_provider OR p_provider IS NULL AND jsonb_array_length(t.figures -> 'providers') = 1
    )
    SELECT 'posted again with the same key, which the provider knows until ' || to_char(k.key_until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
           followup.next_post_at(p_claimed_at, p_posts, k.settle_ms)
      FROM known AS k
     WHERE p_sends_again AND k.key_until > greatest(clock_timestamp(), followup.next_post_at(p_claimed_at, p_posts, k.settle_ms))
    UNION ALL
    SELECT 'looked up at the provider' || CASE WHEN k.proof_s IS NULL THEN ''
               ELSE '; not found means not sent from ' || to_char((p_claimed_at + make_interval(secs => k.proof_s)) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') || ' on' END,
           followup.next_look_at(p_claimed_at, p_looked_up_at, p_looks, k.settle_ms)
      FROM known AS k
     WHERE k.looks_up
    UNION ALL
    SELECT 'an event of the provider about it', NULL FROM known
$$;
COMMENT ON FUNCTION followup.doubt_ways(timestamptz, timestamptz, integer, text, timestamptz, integer, boolean) IS
    'Internal: what can settle a message in doubt before its account''s policy does, and the real time at which that is tried next (NULL: whenever it comes). Of the message: the last claim, the key''s first POST and how many, the last look-up and how many, and whether it may be posted. No row: no worker has said in the last minute what its providers can do.';
