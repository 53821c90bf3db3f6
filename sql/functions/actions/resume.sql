CREATE OR REPLACE FUNCTION followup.resume(
    p_account bigint, p_assistant bigint = NULL, p_sequence bigint = NULL, p_actor bigint = NULL, p_note text = NULL)
RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT followup.set_paused(p_account, p_assistant, p_sequence, p_actor, p_note, NULL)
$$;
COMMENT ON FUNCTION followup.resume(bigint, bigint, bigint, bigint, text) IS
    'Ends a pause; what became due meanwhile is spread from now on, in its order (spread_overdue). False: it was not paused. Raises as pause does.';
