CREATE OR REPLACE FUNCTION followup.stop_messaging(
    p_account bigint, p_leads bigint[], p_at timestamptz = NULL, p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_at IS NOT NULL THEN
        RAISE EXCEPTION 'stop_messaging: a stop is at once, p_at must be NULL' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY SELECT * FROM followup.act_on_leads(p_account, p_leads, 'stop', NULL, NULL, NULL,
                                                     followup.actor_of(p_account, p_actor, 'stop'), p_note, true);
END
$$;
COMMENT ON FUNCTION followup.stop_messaging(bigint, bigint[], timestamptz, bigint, text) IS
    'Ends messaging of active leads at once; in_flight lists the messages that had left already. p_at is there for the common shape and must be NULL (22023). Refuses: inactive, not_permitted (profiles with the permission stop: managers, administrators and whoever was granted it), not_own_lead, not_found.';
