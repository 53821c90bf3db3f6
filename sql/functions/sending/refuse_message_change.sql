CREATE OR REPLACE FUNCTION followup.refuse_message_change() RETURNS trigger
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF OLD.state = NEW.state THEN
        RAISE EXCEPTION 'message % of account % is %: only a scheduled one has a due time that can change',
            OLD.id, OLD.account_id, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'message % of account % cannot go from % to %', OLD.id, OLD.account_id, OLD.state, NEW.state
        USING ERRCODE = 'check_violation';
END
$$;
COMMENT ON FUNCTION followup.refuse_message_change() IS
    'Trigger: raises 23514 for a change of message.state that the table of states in docs/architecture.md does not have (the pairs stand in the trigger''s WHEN), and for another due time of a message that is not scheduled.';
