CREATE OR REPLACE FUNCTION followup.lead_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor followup.actor := ROW('sql:' || session_user, 'sql:' || session_user, true, NULL)::followup.actor;
    v_some  record;
BEGIN
    FOR v_some IN SELECT n.account_id, array_agg(n.id ORDER BY n.id) AS leads
                    FROM inserted AS n
                   WHERE n.sequence_id IS NOT NULL AND n.state = 'new' AND n.sub_state IS NULL
                   GROUP BY n.account_id ORDER BY n.account_id LOOP
        PERFORM followup.start_waiting(v_some.account_id, v_some.leads, v_actor);
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.lead_inserted() IS
    'Trigger on lead: starts new leads that come with a sequence_id, as start_follow_up does; one that may not start stays new, with a row of activity not_started.';
