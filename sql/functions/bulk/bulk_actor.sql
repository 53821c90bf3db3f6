CREATE OR REPLACE FUNCTION followup.bulk_actor(p_bulk followup.bulk, p_actor bigint, p_permission text) RETURNS followup.actor
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_actor followup.actor := followup.require_permission(p_bulk.account_id, p_actor, p_permission);
BEGIN
    IF NOT followup.is_own(v_actor, p_bulk.actor) THEN
        RAISE EXCEPTION 'bulk % was planned by somebody else', p_bulk.id USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN v_actor;
END
$$;
COMMENT ON FUNCTION followup.bulk_actor(followup.bulk, bigint, text) IS
    'Who commits, cancels or undoes a bulk: the permission is needed, and who works on own leads only may do it to own bulks only (42501).';
