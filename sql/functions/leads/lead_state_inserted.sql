CREATE OR REPLACE FUNCTION followup.lead_state_inserted() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a lead starts as new, not as %', pg_catalog.concat_ws('/', NEW.state, NEW.sub_state, NEW.status)
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Insert it and call followup.start_follow_up (or give it a sequence_id), stop_messaging, unsubscribe, set_status or record_reply.';
END
$$;
COMMENT ON FUNCTION followup.lead_state_inserted() IS
    'Trigger on lead: refuses (42501) an INSERT with another state than new (or new/validating), or with a status, and names the functions that write them.';
