CREATE OR REPLACE FUNCTION followup.refuse_more_than_own(p_account bigint, p_actor bigint, p_permissions text[]) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_lacking text;
BEGIN
    SELECT string_agg(w.permission, ', ' ORDER BY w.permission) INTO v_lacking
      FROM unnest(p_permissions) AS w (permission)
     WHERE p_actor IS NOT NULL
       AND NOT (followup.actor_of(p_account, p_actor, w.permission)).permitted;
    IF v_lacking IS NOT NULL THEN
        RAISE EXCEPTION 'user % cannot grant what they lack: %', p_actor, v_lacking USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.refuse_more_than_own(bigint, bigint, text[]) IS
    'Internal: nobody grants a permission that they lack (42501). An operator, who is no user, has them all.';
