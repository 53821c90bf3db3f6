CREATE OR REPLACE FUNCTION followup.end_list_pull(p_provider text, p_asked_at timestamptz, p_error text, p_final boolean)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE followup.list_pull AS p
       SET done = CASE WHEN p_error IS NULL OR p_final THEN p.done || p_provider ELSE p.done END,
           error = CASE WHEN p_error IS NOT NULL THEN p_provider || ': ' || p_error END,
           asked_at = NULL,
           next_try_at = clock_timestamp() + CASE WHEN p_error IS NULL OR p_final THEN '0'::interval
                                                  ELSE least('5 seconds'::interval * 2 ^ least(p.tries - 1, 4), '1 minute'::interval) END
     WHERE p.asked_provider = p_provider AND p.asked_at = p_asked_at AND p.ended_at IS NULL
$$;
COMMENT ON FUNCTION followup.end_list_pull(text, timestamptz, text, boolean) IS
    'How the pull ended that claim_list_pull gave out: p_error NULL: it was read to its end; else it is asked again after 5 s, then twice as long each time up to a minute, unless p_final: asking again would end the same way.';
