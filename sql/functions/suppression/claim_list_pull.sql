CREATE OR REPLACE FUNCTION followup.claim_list_pull(
    p_worker uuid, p_shards integer[], p_epochs bigint[], p_providers text[], p_types text[], p_default_provider text)
RETURNS TABLE (provider text, since timestamptz, asked_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_real     timestamptz := clock_timestamp();
    v_shards   integer[];
    v_pulls    followup.list_pull[];
    v_provider text;
BEGIN
    PERFORM followup.require_read_committed();
    IF NOT EXISTS (SELECT FROM followup.list_pull AS p WHERE p.ended_at IS NULL AND p.next_try_at <= v_real) THEN
        RETURN;
    END IF;
    v_shards := followup.lock_leases(p_worker, p_shards, p_epochs, NULL);
    DELETE FROM followup.list_pull AS p
     WHERE p.ctid = ANY (ARRAY(SELECT w.ctid FROM followup.list_pull AS w
                                WHERE w.ended_at IS NULL AND NOT EXISTS (SELECT FROM followup.account AS a WHERE a.id = w.account_id)
                                  FOR UPDATE SKIP LOCKED));
    -- One that somebody has, or whose account is being deleted, has its turn in a later call.
    v_pulls := ARRAY(
        SELECT p FROM followup.list_pull AS p
          JOIN followup.account AS a ON a.id = p.account_id
         WHERE p.ended_at IS NULL AND p.next_try_at <= v_real AND followup.shard_of(p.account_id) = ANY (v_shards)
         ORDER BY p.next_try_at LIMIT 100
           FOR NO KEY UPDATE OF p SKIP LOCKED
           FOR KEY SHARE OF a SKIP LOCKED);
    v_provider := followup.end_list_pulls(v_pulls, p_providers, p_types, p_default_provider, v_real);
    IF v_provider IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH asked AS (
        UPDATE followup.list_pull AS p
           SET asked_provider = v_provider, asked_at = v_real, tries = p.tries + 1, next_try_at = v_real + '2 minutes'::interval
          FROM unnest(v_pulls) AS u
         WHERE p.account_id = u.account_id AND p.provider_type = u.provider_type AND p.ended_at IS NULL
           AND v_provider = ANY (followup.list_providers(p.account_id, p.provider_type, p.done, p_providers, p_types, p_default_provider))
        RETURNING p.since)
    SELECT v_provider, min(a.since), v_real FROM asked AS a;
END
$$;
COMMENT ON FUNCTION followup.claim_list_pull(uuid, integer[], bigint[], text[], text[], text) IS
    'The next provider whose suppression list is to be pulled, for at most 100 accounts of the worker''s shards that send by it: its entries of since and later. None: no row. p_providers: the [provider.NAME]s whose list can be asked for, p_types: their types. What it lists goes to apply_list_page, how it ended to end_list_pull, both by asked_at; a pull of which nothing is heard for two minutes is taken up again. Ends what was read whole, or waited for as long as suppression_list says (list_pull.error): then the account''s messages go. All times real.';
