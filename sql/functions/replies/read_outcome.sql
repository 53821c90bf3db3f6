CREATE OR REPLACE FUNCTION followup.read_outcome(
    p_outcome text, OUT kind text, OUT status followup.lead_status, OUT sub_state followup.lead_sub_state)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_word text := pg_catalog.split_part(p_outcome, ':', 2);
BEGIN
    IF p_outcome IN ('stop', 'unsubscribe', 'out_of_office', 'keep_messaging') THEN
        kind := p_outcome;
    ELSIF p_outcome = 'deactivate:' || v_word AND v_word IN ('InvalidEmail', 'BounceRisk', 'ServerUnReachable', 'SpamTrap',
            'Disposable', 'BounceDeactivated', 'CannotDetermine', 'Retired', 'MovedOut', 'ReferredSomeone') THEN
        kind := 'deactivate';
        sub_state := v_word;
    ELSIF p_outcome = ANY (pg_catalog.enum_range(NULL::followup.lead_status)::text[]) THEN
        kind := 'status';
        status := p_outcome;
    ELSE
        RAISE EXCEPTION 'unknown outcome of a reply: %', pg_catalog.quote_nullable(p_outcome)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'A lead status, stop, unsubscribe, deactivate:<sub_state>, out_of_office or keep_messaging.';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.read_outcome(text) IS
    'What the outcome of a reply means: kind (status, stop, unsubscribe, deactivate, out_of_office, keep_messaging) with its status or sub_state. Refuses (22023) any other word.';
