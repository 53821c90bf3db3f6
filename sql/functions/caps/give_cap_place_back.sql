CREATE OR REPLACE FUNCTION followup.give_cap_place_back() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM followup.lock_caps(ARRAY[OLD.account_id]);
    PERFORM followup.return_place(OLD.account_id, OLD.cap_assistant_id, OLD.cap_day);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.give_cap_place_back() IS
    'Trigger, after a message under a cap was cancelled or failed and certainly had not left: its place is another''s.';
