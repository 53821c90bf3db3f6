CREATE OR REPLACE FUNCTION followup.wrong_now()
RETURNS TABLE (invariant text, what text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    -- A value: the index of ended_at is of no use for what changes while it is compared.
    v_since timestamptz := pg_catalog.clock_timestamp() - '1 hour'::interval;
BEGIN
    RETURN QUERY
    SELECT b.invariant, 'message ' || b.id || ' of account ' || b.account_id
      FROM (SELECT x.* FROM followup.wrong_message AS x WHERE x.queued
            UNION ALL
            SELECT x.* FROM followup.wrong_message AS x WHERE x.pending AND NOT x.queued
            UNION ALL
            SELECT x.*
              FROM (SELECT DISTINCT t.account_id, t.message_id FROM followup.attempt AS t WHERE t.ended_at > v_since
                     ORDER BY 1, 2) AS r
              JOIN followup.wrong_message AS x ON x.account_id = r.account_id AND x.id = r.message_id
             WHERE NOT x.pending) AS b;
    RETURN QUERY
    SELECT b.invariant, 'conversation ' || b.id || ' of account ' || b.account_id
      FROM followup.wrong_conversation AS b WHERE b.state = 'active';
END
$$;
COMMENT ON FUNCTION followup.wrong_now() IS
    'Internal, for invariants(): what breaks which invariant among what is pending and what was tried within the last hour. By indexes alone: what is stored beside it costs nothing.';
