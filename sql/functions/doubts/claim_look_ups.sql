CREATE OR REPLACE FUNCTION followup.claim_look_ups(
    p_worker uuid, p_shards integer[], p_epochs bigint[], p_providers text[], p_settle_after_ms bigint,
    p_default_provider text, p_limit integer)
RETURNS TABLE (account_id bigint, message_id bigint, attempts integer, posts integer, provider text, rfc_message_id text,
               first_post_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_real   timestamptz := pg_catalog.clock_timestamp();
    v_shards integer[];
BEGIN
    PERFORM followup.require_read_committed();
    -- Mostly nothing is in doubt. Whatever comes in beside this look waits for the next call.
    IF NOT EXISTS (SELECT FROM followup.message AS m WHERE m.shard = ANY (p_shards) AND m.pending AND NOT m.queued) THEN
        RETURN;
    END IF;
    v_shards := followup.lock_leases(p_worker, p_shards, p_epochs, NULL);
    RETURN QUERY
    WITH asked AS (
        SELECT m.account_id, m.id, m.attempts, m.posts, coalesce(m.provider, p_default_provider) AS provider,
               m.rfc_message_id, m.first_post_at
          FROM followup.message AS m
          LEFT JOIN followup.look_up AS k ON k.account_id = m.account_id AND k.message_id = m.id AND k.attempts = m.attempts
         WHERE m.shard = ANY (v_shards) AND m.pending AND NOT m.queued AND m.state = 'in_doubt'
           AND coalesce(m.provider, p_default_provider) = ANY (p_providers)
           AND followup.next_look_at(m.claimed_at, k.looked_up_at, k.looks, p_settle_after_ms) < v_real
         ORDER BY k.looked_up_at NULLS FIRST
         LIMIT p_limit
    ), noted AS (
        INSERT INTO followup.look_up AS k (account_id, message_id, attempts, looks, looked_up_at)
        SELECT a.account_id, a.id, a.attempts, 1, v_real FROM asked AS a
            ON CONFLICT (account_id, message_id) DO UPDATE
               SET attempts = excluded.attempts, looked_up_at = excluded.looked_up_at,
                   looks = CASE WHEN k.attempts = excluded.attempts THEN k.looks + 1 ELSE 1 END)
    SELECT a.account_id, a.id, a.attempts, a.posts, a.provider, a.rfc_message_id, a.first_post_at FROM asked AS a;
END
$$;
COMMENT ON FUNCTION followup.claim_look_ups(uuid, integer[], bigint[], text[], bigint, text, integer) IS
    'Messages in doubt of the worker''s shards whose provider (one of p_providers) can be asked about them now: last claimed more than p_settle_after_ms (real) ago, and last asked about twice as long ago with each look, at most 64 times; at most p_limit. Notes that they are asked about. Nothing else changes: settle_looked_up takes the answers. first_post_at: real.';
