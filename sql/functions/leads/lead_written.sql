CREATE OR REPLACE FUNCTION followup.lead_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_locked   record;
    v_accounts bigint[];
    v_some     record;
    v_changes  followup.crm_change[];
    v_plan     followup.lead_plan[];
BEGIN
    -- The leads are locked: they were written. All locks come before the first change: that takes places under a cap, which are last.
    FOR v_locked IN
        SELECT n.account_id, array_agg(n.id) AS leads
          FROM now_is AS n
          JOIN was AS o ON o.account_id = n.account_id AND o.id = n.id
         WHERE (n.timezone, n.country, n.email, n.crm_source, n.crm_status, n.fields)
               IS DISTINCT FROM (o.timezone, o.country, o.email, o.crm_source, o.crm_status, o.fields)
         GROUP BY n.account_id ORDER BY n.account_id LOOP
        PERFORM followup.require_read_committed();
        PERFORM FROM followup.conversation AS c
          WHERE c.account_id = v_locked.account_id AND c.lead_id = ANY (v_locked.leads) ORDER BY c.id FOR NO KEY UPDATE;
        PERFORM followup.lock_scheduled(v_locked.account_id, v_locked.leads);
        v_accounts := v_accounts || v_locked.account_id;
    END LOOP;
    IF v_accounts IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM followup.lock_caps(v_accounts);
    FOR v_some IN
        SELECT n.account_id,
               array_agg(n.id) FILTER (WHERE (n.timezone, n.country) IS DISTINCT FROM (o.timezone, o.country)) AS moved,
               array_agg(n.id) FILTER (WHERE lower(n.email) <> lower(o.email)) AS renamed
          FROM now_is AS n
          JOIN was AS o ON o.account_id = n.account_id AND o.id = n.id
         WHERE (n.timezone, n.country, n.email, n.crm_source, n.crm_status, n.fields)
               IS DISTINCT FROM (o.timezone, o.country, o.email, o.crm_source, o.crm_status, o.fields)
         GROUP BY n.account_id ORDER BY n.account_id LOOP
        IF v_some.renamed IS NOT NULL THEN
            -- The next message goes to the new address, if that one is written to at all.
            v_plan := ARRAY(SELECT r
                              FROM followup.read_leads(v_some.account_id, v_some.renamed, NULL, ROW(NULL, NULL, true, NULL)) AS r
                             WHERE r.active AND followup.lead_suppressed(v_some.account_id, r.lead_id));
            PERFORM followup.leave_leads(v_some.account_id, v_plan, 'stopped', NULL, 'suppressed', 'suppression: its new address is suppressed');
            PERFORM followup.log_actions(v_some.account_id, ARRAY(SELECT p.lead_id FROM unnest(v_plan) AS p),
                                         'sql:' || session_user, 'suppressed', 'its new address is suppressed');
        END IF;
        IF v_some.moved IS NOT NULL THEN
            PERFORM followup.replan_messages(v_some.account_id, followup.lock_scheduled(v_some.account_id, v_some.moved),
                                             'planned anew: zone or country of the lead changed');
        END IF;
        SELECT followup.crm_changes(v_some.account_id, array_agg(c.id), array_agg(c.crm_source), array_agg(c.field),
                                    array_agg(c.old), array_agg(c.new)) INTO v_changes
          FROM (SELECT n.id, n.crm_source, 'crm_status' AS field,
                       CASE WHEN lower(o.crm_source) = lower(n.crm_source) THEN o.crm_status END AS old, n.crm_status AS new
                  FROM now_is AS n JOIN was AS o ON o.account_id = n.account_id AND o.id = n.id
                 WHERE n.account_id = v_some.account_id AND n.crm_status IS NOT NULL
                   AND (n.crm_source, n.crm_status) IS DISTINCT FROM (o.crm_source, o.crm_status)
                UNION ALL
                SELECT n.id, n.crm_source, r.field, o.fields ->> r.field, n.fields ->> r.field
                  FROM now_is AS n JOIN was AS o ON o.account_id = n.account_id AND o.id = n.id
                  JOIN (SELECT DISTINCT k.source, k.field FROM followup.crm_rule AS k
                         WHERE k.account_id = v_some.account_id AND k.field <> 'crm_status') AS r
                    ON lower(r.source) = lower(n.crm_source)
                 WHERE n.account_id = v_some.account_id AND n.fields ->> r.field IS NOT NULL
                   AND n.fields ->> r.field IS DISTINCT FROM o.fields ->> r.field
                 ORDER BY 1, 3) AS c;
        IF pg_catalog.cardinality(v_changes) > 0 THEN
            PERFORM followup.apply_crm(v_some.account_id, v_changes, 'sql:' || session_user, NULL);
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.lead_written() IS
    'Trigger on UPDATE of lead, a statement at a time: another zone or country plans again what is scheduled; an address that is suppressed ends the conversation; crm_status, and the fields that a rule of the account names, go through the CRM rules.';
