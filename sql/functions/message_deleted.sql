CREATE OR REPLACE FUNCTION followup.message_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM followup.attempt AS t USING gone AS g WHERE t.account_id = g.account_id AND t.message_id = g.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.message_deleted() IS
    'Trigger: with a message go its attempts and the bodies in them. A result under way is either committed before, and seen here, or finds no message and writes none.';
