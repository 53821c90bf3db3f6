CREATE OR REPLACE FUNCTION followup.settle_looked_up(
    p_worker uuid, p_shards integer[], p_epochs bigint[], p_accounts bigint[], p_messages bigint[], p_attempts integer[],
    p_posts integer[], p_found boolean[], p_proof_ms bigint[], p_provider_ids text[])
RETURNS TABLE (account_id bigint, message_id bigint, due_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET followup.quiet = 'on'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_shards integer[];
    v_places bigint[];
    v_free   bigint[];
BEGIN
    PERFORM followup.require_read_committed();
    v_shards := followup.lock_leases(p_worker, p_shards, p_epochs, NULL);
    v_places := ARRAY(
        SELECT u.place
          FROM unnest(p_accounts, p_messages) WITH ORDINALITY AS u(account_id, id, place)
          JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
          JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
          JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
         WHERE m.shard = ANY (v_shards)
           FOR NO KEY UPDATE OF l, c, m SKIP LOCKED);
    v_places := v_places || ARRAY(
        SELECT u.place
          FROM unnest(p_accounts, p_messages) WITH ORDINALITY AS u(account_id, id, place)
          JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
         WHERE m.shard = ANY (v_shards) AND m.conversation_id IS NULL
           FOR NO KEY UPDATE OF m SKIP LOCKED);
    v_free := followup.obtain_caps(ARRAY(SELECT DISTINCT u.id FROM unnest(p_accounts) AS u (id)));
    -- Decide, with a snapshot younger than the locks. That it is not there proves something only when the provider was
    -- asked late enough; what was posted again since, or settled by an event, is another matter.
    RETURN QUERY
    SELECT n.account_id, n.message_id, n.due_at
      FROM (SELECT pg_catalog.array_agg(u.account_id), pg_catalog.array_agg(u.id), pg_catalog.array_agg(u.found),
                   pg_catalog.array_agg(u.provider_id)
              FROM unnest(p_accounts, p_messages, p_attempts, p_posts, p_found, p_proof_ms, p_provider_ids) WITH ORDINALITY
                       AS u(account_id, id, attempts, posts, found, proof_ms, provider_id, place)
              JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
              JOIN followup.look_up AS k ON k.account_id = u.account_id AND k.message_id = u.id
             WHERE u.place = ANY (v_places) AND u.account_id = ANY (v_free) AND m.state = 'in_doubt' AND m.attempts = u.attempts AND m.posts = u.posts
               AND (u.found OR u.proof_ms > 0 AND k.attempts = u.attempts
                               AND m.claimed_at < k.looked_up_at - u.proof_ms * '1 millisecond'::interval))
               AS d(accounts, messages, found, provider_ids),
           LATERAL followup.settle_doubts(
               d.accounts, d.messages, d.found, d.provider_ids, 'was in doubt; the provider has it',
               'was in doubt; the provider does not know it, and nobody is to be written to',
               'was in doubt; the provider does not know it') AS n
     WHERE d.messages IS NOT NULL;
END
$$;
COMMENT ON FUNCTION followup.settle_looked_up(uuid, integer[], bigint[], bigint[], bigint[], integer[], integer[], boolean[], bigint[], text[]) IS
    'What providers answered about messages in doubt (parallel arrays, at most 1000), matched by key (p_attempts) and POST. p_found: it has it (p_provider_ids: its id, may be null): sent, as of the last POST. Not found: that proves that it was not sent only when it was asked p_proof_ms (real; 0: never) after the last POST; then it is scheduled again with a new key, or cancelled when nobody is to be written to. Who is locked elsewhere stays in doubt until the next look. Answers what is due because of it.';
