-- Who may call what. Everything else is internal: the functions below run as the owner, and call it as the owner.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA followup FROM PUBLIC;
DO $$
DECLARE
    -- The daemon, on its way from due to sent.
    v_engine text[] := ARRAY['acquire_leases', 'claim_in_doubt', 'claim_messages', 'record_results', 'release_leases',
        'renew_leases', 'settle_by_policy', 'sweep_due', 'sweep_sending', 'unclaim_messages', 'worker_beat',
        'record_bounce', 'record_event', 'record_reply', 'unsubscribe',
        'clock', 'clock_is_replaced', 'now', 'shard_of'];
    -- Pages and API: what a person does. Each of these checks its actor.
    v_app text[] := ARRAY['start_follow_up', 'continue_follow_up', 'restart_follow_up', 'skip_to_follow_up',
        'stop_messaging', 'suppress', 'pause', 'resume', 'unsubscribe', 'record_reply', 'record_bounce',
        'conversation_status', 'preview', 'clock', 'now', 'known_timezone'];
    v_function record;
BEGIN
    FOR v_function IN SELECT p.oid::regprocedure AS signature, p.proname AS name FROM pg_catalog.pg_proc AS p
                       WHERE p.pronamespace = 'followup'::regnamespace AND p.prokind IN ('f', 'p') LOOP
        IF v_function.name = ANY (v_engine) THEN
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO followup_engine', v_function.signature);
        END IF;
        IF v_function.name = ANY (v_app) THEN
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO followup_app', v_function.signature);
        END IF;
    END LOOP;
END
$$;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA followup TO followup_admin;
GRANT SELECT ON followup.message_to_load TO followup_engine, followup_admin;
