CREATE OR REPLACE FUNCTION followup.claim_list_pull(
    p_worker uuid, p_shards integer[], p_epochs bigint[], p_providers text[], p_types text[], p_default_provider text)
RETURNS TABLE (provider text, since timestamptz, asked_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_real     timestamptz := clock_timestamp();
    v_shards   integer[];
    v_accounts bigint[];
    v_provider text;
BEGIN
    PERFORM followup.require_read_committed();
    IF NOT EXISTS (SELECT FROM followup.list_pull AS p WHERE p.ended_at IS NULL AND p.next_try_at <= v_real) THEN
        RETURN;
    END IF;
    v_shards := followup.lock_leases(p_worker, p_shards, p_epochs, NULL);
    -- An account that somebody works on has its turn in the next call.
    v_accounts := ARRAY(
        SELECT a.id FROM followup.account AS a
         WHERE a.id IN (SELECT p.account_id FROM followup.list_pull AS p
                         WHERE p.ended_at IS NULL AND p.next_try_at <= v_real AND followup.shard_of(p.account_id) = ANY (v_shards)
                         ORDER BY p.next_try_at LIMIT 100)
         ORDER BY a.id FOR NO KEY UPDATE SKIP LOCKED);
    v_provider := followup.end_list_pulls(v_accounts, p_providers, p_types, p_default_provider, v_real);
    IF v_provider IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH asked AS (
        UPDATE followup.list_pull AS p
           SET asked_provider = v_provider, asked_at = v_real, tries = p.tries + 1, next_try_at = v_real + '2 minutes'::interval
         WHERE p.account_id = ANY (v_accounts) AND p.ended_at IS NULL AND p.next_try_at <= v_real
           AND v_provider = ANY (followup.list_providers(p.account_id, p.provider_type, p.done, p_providers, p_types, p_default_provider))
        RETURNING p.since)
    SELECT v_provider, min(a.since), v_real FROM asked AS a;
END
$$;
COMMENT ON FUNCTION followup.claim_list_pull(uuid, integer[], bigint[], text[], text[], text) IS
    'The next provider whose suppression list is to be pulled, for at most 100 accounts of the worker''s shards that send by it: its entries of since and later. None: no row. p_providers: the [provider.NAME]s whose list can be asked for, p_types: their types. What it lists goes to apply_list_page, how it ended to end_list_pull, both by asked_at; a pull of which nothing is heard for two minutes is taken up again. Ends what was read whole, or waited for as long as suppression_list says (list_pull.error): then the account''s messages go. All times real.';
