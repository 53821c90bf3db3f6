CREATE OR REPLACE FUNCTION followup.record_retries(
    p_worker uuid, p_shards integer[], p_now timestamptz, p_rate double precision, p_free boolean[],
    p_accounts bigint[], p_messages bigint[], p_attempts integer[], p_posts integer[], p_epochs bigint[],
    p_outcomes followup.attempt_outcome[], p_uncounted boolean[], p_retry_after_ms bigint[], p_details text[])
RETURNS TABLE (account_id bigint, message_id bigint)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH back AS (
        SELECT m.account_id, m.id, r.uncounted, r.detail,
               CASE WHEN NOT followup.never_left(m.account_id, m.id, m.attempts, m.posts) THEN 'in_doubt'
                    WHEN m.detached THEN 'cancelled'
                    WHEN m.attempts >= 10 AND NOT r.uncounted THEN 'failed'
                    ELSE 'scheduled' END::followup.message_state AS state,
               p_now + pg_catalog.make_interval(secs => p_rate *
                   CASE WHEN r.retry_after_ms > 0 THEN least(r.retry_after_ms / 1000.0, 3600)
                        ELSE least(2 ^ least(m.attempts + m.posts - 1, 12), 3600) END) AS due_at
          FROM (SELECT x.account_id, x.message_id, x.attempts, x.posts, x.epoch, x.retry_after_ms, x.detail,
                       coalesce(x.uncounted, false) AS uncounted
                  FROM unnest(p_free, p_accounts, p_messages, p_attempts, p_posts, p_epochs, p_outcomes,
                                         p_uncounted, p_retry_after_ms, p_details)
                           AS x(free, account_id, message_id, attempts, posts, epoch, outcome, uncounted, retry_after_ms, detail)
                 WHERE x.free AND x.outcome = 'retry') AS r
          JOIN followup.message AS m
            ON m.account_id = r.account_id AND m.id = r.message_id
           AND m.attempts = r.attempts AND m.posts = r.posts AND m.epoch = r.epoch
         WHERE m.state = 'sending' AND m.claimed_by = p_worker AND m.shard = ANY (p_shards)
    ), written AS (
        UPDATE followup.message AS m
           SET state = b.state,
               due_at = CASE WHEN b.state = 'scheduled' THEN b.due_at ELSE m.due_at END,
               not_before = CASE WHEN b.state = 'scheduled' THEN b.due_at END,
               posts = CASE WHEN b.state = 'scheduled' AND NOT b.uncounted THEN 0 ELSE m.posts END,
               finished_at = CASE WHEN b.state IN ('cancelled', 'failed') THEN p_now END,
               detail = CASE b.state WHEN 'failed' THEN 'gave up after 10 attempts: ' || coalesce(b.detail, 'no reason told')
                                     WHEN 'cancelled' THEN 'not sent, and replaced meanwhile'
                                     ELSE coalesce(b.detail, m.detail) END
          FROM back AS b
         WHERE m.account_id = b.account_id AND m.id = b.id AND m.state = 'sending'
        RETURNING m.account_id, m.id, m.state)
    SELECT w.account_id, w.id FROM written AS w WHERE w.state IN ('cancelled', 'failed');
END
$$;
COMMENT ON FUNCTION followup.record_retries(uuid, integer[], timestamptz, double precision, boolean[], bigint[], bigint[], integer[], integer[], bigint[], followup.attempt_outcome[], boolean[], bigint[], text[]) IS
    'Internal, under record_results'' locks: its rows with outcome retry. Answers those that are out of pending now (given up, or replaced while in flight). p_shards: those the worker owns; p_now: business time; p_rate: business seconds a real one.';
