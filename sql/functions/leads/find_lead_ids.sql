CREATE OR REPLACE FUNCTION followup.find_lead_ids(p_account bigint, p_leads jsonb) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_ids     bigint[];
    v_unknown text;
BEGIN
    SELECT array_agg(coalesce(CASE WHEN g.lead ~ '^[0-9]{1,18}$' THEN g.lead::bigint END, l.id) ORDER BY g.number),
           string_agg(g.lead, ', ' ORDER BY g.number) FILTER (WHERE g.lead !~ '^[0-9]{1,18}$' AND l.id IS NULL)
      INTO v_ids, v_unknown
      FROM jsonb_array_elements_text(p_leads) WITH ORDINALITY AS g (lead, number)
      LEFT JOIN followup.lead AS l ON l.account_id = p_account AND lower(l.email) = lower(g.lead);
    IF v_unknown IS NOT NULL THEN
        RAISE EXCEPTION 'there is no lead %', left(v_unknown, 300) USING ERRCODE = 'no_data_found';
    END IF;
    RETURN coalesce(v_ids, '{}');
END
$$;
COMMENT ON FUNCTION followup.find_lead_ids(bigint, jsonb) IS
    'Ids of leads given as a list of texts, each an id (taken as it is) or an address, in that order. Refuses (P0002) addresses that are no lead''s.';
