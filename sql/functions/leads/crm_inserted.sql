CREATE OR REPLACE FUNCTION followup.crm_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_some    record;
BEGIN
    FOR v_some IN
        SELECT c.account_id,
               followup.crm_changes(c.account_id, array_agg(c.id ORDER BY c.id, c.field), array_agg(c.crm_source ORDER BY c.id, c.field),
                                    array_agg(c.field ORDER BY c.id, c.field), NULL, array_agg(c.new ORDER BY c.id, c.field)) AS changes
          FROM (SELECT n.account_id, n.id, n.crm_source, 'crm_status' AS field, n.crm_status AS new
                  FROM inserted AS n WHERE n.crm_status IS NOT NULL
                UNION ALL
                SELECT n.account_id, n.id, n.crm_source, r.field, n.fields ->> r.field
                  FROM inserted AS n
                  JOIN (SELECT DISTINCT k.account_id, k.source, k.field FROM followup.crm_rule AS k
                         WHERE k.field <> 'crm_status') AS r
                    ON r.account_id = n.account_id AND lower(r.source) = lower(n.crm_source)
                 WHERE n.fields ->> r.field IS NOT NULL) AS c
         GROUP BY c.account_id ORDER BY c.account_id LOOP
        PERFORM followup.apply_crm(v_some.account_id, v_some.changes, 'sql:' || session_user, NULL);
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.crm_inserted() IS
    'Trigger on INSERT of lead, before start_on_insert: leads that come with a crm_status, or a field that a rule names, go through the CRM rules; a stop code keeps them out.';
