CREATE OR REPLACE FUNCTION followup.cap_place_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM followup.lock_caps(ARRAY[OLD.account_id]);
    IF OLD.state = 'scheduled' THEN
        PERFORM followup.return_place(OLD.account_id, OLD.cap_assistant_id, OLD.cap_day);
    ELSE
        UPDATE followup.cap_use AS u SET erased = u.erased + 1
         WHERE u.account_id = OLD.account_id AND u.assistant_id = OLD.cap_assistant_id AND u.day = OLD.cap_day;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.cap_place_deleted() IS
    'Trigger, after a message under a cap was deleted: the place of one that was scheduled still is another''s; what has left, or may have, goes on counting on its day.';
