CREATE OR REPLACE FUNCTION followup.apply_list_page(p_provider text, p_asked_at timestamptz, p_entries jsonb)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_pulls    followup.list_pull[] := ARRAY(
        SELECT p FROM followup.list_pull AS p
         WHERE p.asked_provider = p_provider AND p.asked_at = p_asked_at AND p.ended_at IS NULL
         ORDER BY p.account_id, p.provider_type);
    v_pull     followup.list_pull;
    v_entry    record;
    v_leads    bigint[];
    v_locked   bigint[] := '{}';     -- leads, of these accounts
    v_accounts bigint[] := '{}';
    v_applied  integer[] := pg_catalog.array_fill(0, ARRAY[pg_catalog.cardinality(v_pulls)]);    -- of each pull
BEGIN
    PERFORM followup.require_read_committed();
    -- All locks come before the first change: that takes places under a cap, which are last.
    FOREACH v_pull IN ARRAY v_pulls LOOP
        v_leads := ARRAY(SELECT l.id
                           FROM (SELECT DISTINCT lower(btrim(e ->> 'address')) AS address FROM jsonb_array_elements(p_entries) AS e) AS u
                           JOIN followup.lead AS l ON l.account_id = v_pull.account_id AND lower(l.email) = u.address);
        IF v_leads <> '{}' THEN
            PERFORM followup.lock_leads(v_pull.account_id, v_leads);
            PERFORM followup.lock_messages(array_agg(v_pull.account_id), array_agg(m.id))
               FROM (SELECT followup.listed_message(v_pull.account_id, u.id) AS id FROM unnest(v_leads) AS u (id)) AS m
              WHERE m.id IS NOT NULL;
            PERFORM followup.lock_scheduled(v_pull.account_id, v_leads);
            v_locked := v_locked || v_leads;
            v_accounts := v_accounts || v_pull.account_id;
        END IF;
    END LOOP;
    PERFORM followup.lock_caps(v_accounts);
    FOR v_place IN 1..pg_catalog.cardinality(v_pulls) LOOP
        v_pull := v_pulls[v_place];
        FOR v_entry IN
            SELECT l.id AS lead_id, e.entry, (e.entry ->> 'kind')::followup.event_kind AS kind,
                   coalesce(followup.list_instant(e.entry -> 'at'), v_pull.since) AS at
              FROM jsonb_array_elements(p_entries) WITH ORDINALITY AS e (entry, ord)
              JOIN followup.lead AS l ON l.account_id = v_pull.account_id AND lower(l.email) = lower(btrim(e.entry ->> 'address'))
             WHERE v_pull.account_id = ANY (v_accounts) AND l.id = ANY (v_locked)
             ORDER BY e.ord
        LOOP
            IF v_entry.at >= v_pull.since
               AND followup.apply_list_entry(v_pull.account_id, v_entry.lead_id, p_provider, v_pull.provider_type,
                                             v_entry.kind, v_entry.at, v_entry.entry) THEN
                v_applied[v_place] := v_applied[v_place] + 1;
            END IF;
        END LOOP;
    END LOOP;
    -- Last, and in the order of their key: whoever notes a gap, leases with him, may wait for these rows. That begins a pull anew.
    FOR v_place IN 1..pg_catalog.cardinality(v_pulls) LOOP
        UPDATE followup.list_pull AS p
           SET applied = p.applied + v_applied[v_place], next_try_at = clock_timestamp() + '2 minutes'::interval
         WHERE p.account_id = v_pulls[v_place].account_id AND p.provider_type = v_pulls[v_place].provider_type
           AND p.asked_at = p_asked_at AND p.ended_at IS NULL;
    END LOOP;
    RETURN (SELECT coalesce(sum(n), 0) FROM unnest(v_applied) AS n);
END
$$;
COMMENT ON FUNCTION followup.apply_list_page(text, timestamptz, jsonb) IS
    'A page of the suppression list that claim_list_pull gave out: an array of objects with address, kind (bounced, complained, unsubscribed), at (see list_instant) and the provider''s own words (type, status, reason, detail), as its webhook has them. Entries of addresses that no lead has are left out, and so are those from before list_pull.since. Answers how many changed something. Told again it changes nothing.';
