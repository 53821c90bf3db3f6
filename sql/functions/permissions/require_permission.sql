CREATE OR REPLACE FUNCTION followup.require_permission(p_account bigint, p_actor bigint, p_permission text)
RETURNS followup.actor
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_actor followup.actor := followup.actor_of(p_account, p_actor, p_permission);
BEGIN
    IF NOT v_actor.permitted THEN
        RAISE EXCEPTION '% has no permission to %', v_actor.shown, p_permission USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN v_actor;
END
$$;
COMMENT ON FUNCTION followup.require_permission(bigint, bigint, text) IS
    'As actor_of, for what is not done to one lead after the other: without the permission it raises 42501.';
