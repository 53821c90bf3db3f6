CREATE OR REPLACE FUNCTION followup.replan_accounts(p_accounts bigint[], p_countries text[], p_reason text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_some     record;
    v_found    bigint[];
    v_accounts bigint[];    -- of v_messages, parallel
    v_messages bigint[];
BEGIN
    PERFORM followup.require_read_committed();
    -- Alone with the accounts: an action that plans with the old values has committed, or waits for the new ones.
    PERFORM FROM followup.account AS a WHERE a.id = ANY (p_accounts) ORDER BY a.id FOR NO KEY UPDATE;
    FOR v_some IN SELECT u.account_id,
                         CASE WHEN bool_and(u.country IS NOT NULL) THEN array_agg(lower(u.country)) END AS countries
                    FROM unnest(p_accounts, p_countries) AS u (account_id, country)
                   GROUP BY u.account_id ORDER BY u.account_id LOOP
        v_found := followup.lock_scheduled(v_some.account_id, p_countries => v_some.countries);
        v_accounts := v_accounts || pg_catalog.array_fill(v_some.account_id, ARRAY[pg_catalog.cardinality(v_found)]);
        v_messages := v_messages || v_found;
    END LOOP;
    PERFORM followup.lock_caps(p_accounts);
    PERFORM followup.replan_messages(u.account_id, array_agg(u.id), p_reason)
       FROM unnest(v_accounts, v_messages) AS u (account_id, id)
      GROUP BY u.account_id;
END
$$;
COMMENT ON FUNCTION followup.replan_accounts(bigint[], text[], text) IS
    'Plans all that is scheduled in these accounts again. Parallel to them, p_countries: only what goes to leads there; NULL: all of that account.';
