CREATE OR REPLACE FUNCTION followup.try_inbox_item(p_item followup.inbox_item) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM followup.apply_inbox_item(p_item);
    RETURN 'applied';
EXCEPTION WHEN OTHERS THEN
    RETURN pg_catalog.left(SQLSTATE || ': ' || SQLERRM, 500);
END
$$;
COMMENT ON FUNCTION followup.try_inbox_item(followup.inbox_item) IS
    'Internal: applies one event in a subtransaction of its own; answers applied, or the error, and then nothing has happened.';
