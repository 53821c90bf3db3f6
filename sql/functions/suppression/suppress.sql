CREATE OR REPLACE FUNCTION followup.suppress(
    p_account bigint, p_address text, p_reason text, p_source text, p_actor bigint = NULL, p_note text = NULL)
RETURNS TABLE (lead_id bigint, in_flight bigint[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor   followup.actor := followup.require_permission(p_account, p_actor, 'suppress');
    v_address text := pg_catalog.lower(pg_catalog.btrim(p_address));
    v_leads   bigint[];
    v_plan    followup.lead_plan[];
BEGIN
    IF v_address !~ '^[^[:space:][:cntrl:],<>@]+@[^[:space:][:cntrl:],<>@]+$' IS NOT FALSE OR length(v_address) > 320
       OR p_reason IS NULL OR p_source IS NULL THEN
        RAISE EXCEPTION 'suppress: an address, a reason and a source are needed; the address is %', left(quote_nullable(p_address), 400)
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF followup.is_bounce(p_reason, p_source) THEN
        RAISE EXCEPTION 'suppress: reason "%" of source "%" is what a bounce is written as, and unbounce would take it away', p_reason, p_source
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name another source.';
    END IF;
    PERFORM followup.require_read_committed();
    -- Alone with the account: nobody starts this address or claims for it meanwhile.
    PERFORM FROM followup.account AS a WHERE a.id = p_account FOR NO KEY UPDATE;
    v_leads := ARRAY(SELECT l.id FROM followup.lead AS l WHERE l.account_id = p_account AND lower(l.email) = v_address);
    v_plan := followup.fact_plan(p_account, v_leads, v_actor);
    IF EXISTS (SELECT FROM unnest(v_plan) AS p WHERE p.reason = 'not_own_lead') THEN
        RAISE EXCEPTION 'suppress: % is the address of a lead that is not user %''s', v_address, p_actor USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM followup.write_suppressions(p_account, ARRAY[v_address], p_reason, p_source, p_note);
    v_plan := ARRAY(SELECT p FROM unnest(v_plan) AS p WHERE p.active);
    PERFORM followup.leave_leads(p_account, v_plan, 'stopped', NULL, 'suppressed', 'suppression: ' || p_reason);
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, detail, at)
    SELECT p_account, v_actor.name, 'suppress', s.id, p_note, pg_catalog.jsonb_build_object('address', v_address), followup.now()
      FROM (SELECT unnest(v_leads) AS id UNION ALL SELECT NULL WHERE v_leads = '{}') AS s;
    RETURN QUERY
    SELECT u.id, coalesce(f.in_flight, '{}')
      FROM unnest(v_leads) AS u (id) LEFT JOIN followup.in_flight_of(p_account, v_leads) AS f ON f.lead_id = u.id;
END
$$;
COMMENT ON FUNCTION followup.suppress(bigint, text, text, text, bigint, text) IS
    'The address is never written to: an active lead of it is stopped, new and processed ones stay as they are and are refused "suppressed" from now on. Answers the leads of the address with what had left already; no row where there is none. An address that is on the list keeps its reason, but for a bounce, which could be taken back (unbounce). Raises 42501 without the permission suppress and for the address of a lead that is not the actor''s own, 22023 for what is no address, and for the reason bounce of the source provider, which are unbounce''s to take back.';
