CREATE OR REPLACE FUNCTION followup.start_waiting(p_account bigint, p_leads bigint[], p_actor followup.actor)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_results followup.action_result[] := ARRAY(
        SELECT followup.act_on_leads(p_account, p_leads, 'start', NULL, NULL, NULL, p_actor, NULL));
BEGIN
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, at)
    SELECT p_account, p_actor.name, 'not_started', r.lead_id, r.reason::text, followup.now()
      FROM unnest(v_results) AS r WHERE NOT r.done;
    RETURN QUERY SELECT * FROM unnest(v_results);
END
$$;
COMMENT ON FUNCTION followup.start_waiting(bigint, bigint[], followup.actor) IS
    'Starts leads on the sequence they came with; one that may not start stays new, and its timeline says why: not_started.';
