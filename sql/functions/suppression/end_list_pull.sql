CREATE OR REPLACE FUNCTION followup.end_list_pull(
    p_provider text, p_asked_at timestamptz, p_error text, p_final boolean, p_wait_ms bigint)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH ended AS MATERIALIZED (     -- in the order in which note_gap locks them
        SELECT p.account_id, p.provider_type,
               p_error IS NULL OR p_final
                   OR p_wait_ms > 0 AND clock_timestamp() + p_wait_ms * '1 millisecond'::interval > p.planned_at + k.waits AS for_good
          FROM followup.list_pull AS p
          JOIN followup.suppression_list AS k ON k.provider_type = p.provider_type
         WHERE p.asked_provider = p_provider AND p.asked_at = p_asked_at AND p.ended_at IS NULL
         ORDER BY p.account_id, p.provider_type
           FOR NO KEY UPDATE OF p)
    UPDATE followup.list_pull AS p
       SET done = CASE WHEN e.for_good THEN p.done || p_provider ELSE p.done END,
           error = p_provider || ': ' || p_error,
           asked_at = NULL,
           next_try_at = clock_timestamp() + CASE WHEN e.for_good THEN '0'::interval
                                                  ELSE greatest(p_wait_ms * '1 millisecond'::interval,
                                                                least('5 seconds'::interval * 2 ^ least(p.tries - 1, 4), '1 minute'::interval)) END
      FROM ended AS e
     WHERE p.account_id = e.account_id AND p.provider_type = e.provider_type
$$;
COMMENT ON FUNCTION followup.end_list_pull(text, timestamptz, text, boolean, bigint) IS
    'How the pull ended that claim_list_pull gave out: p_error NULL: it was read to its end; else it is asked again after 5 s, then twice as long each time up to a minute, and not before p_wait_ms (what the provider named; 0: nothing). p_final: asking again would end the same way; so would a wait that ends when nobody waits any more (suppression_list). Then it is not asked again.';
