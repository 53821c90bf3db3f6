CREATE OR REPLACE FUNCTION followup.lead_state_written() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the state of lead % is not written directly', NEW.id
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Call followup.start_follow_up, continue_follow_up, restart_follow_up, skip_to_follow_up, stop_messaging, reactivate, set_status, unsubscribe, record_reply, record_bounce, validate_leads or record_validation.';
END
$$;
COMMENT ON FUNCTION followup.lead_state_written() IS
    'Trigger on lead: refuses (42501) a direct write of state, sub_state or status, and names the functions that write them.';
