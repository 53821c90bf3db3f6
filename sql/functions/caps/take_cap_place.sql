CREATE OR REPLACE FUNCTION followup.take_cap_place() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_lead  record;
    v_place record;
BEGIN
    PERFORM followup.lock_caps(ARRAY[NEW.account_id]);
    NEW.cap_moved_from := NULL;
    IF TG_OP = 'UPDATE' THEN        -- whatever it was: it is scheduled now, so it has not left
        IF OLD.cap_assistant_id = NEW.cap_assistant_id AND OLD.cap_day = (
               SELECT (NEW.due_at AT TIME ZONE followup.lead_timezone(NULL, a.timezone))::date FROM followup.account AS a WHERE a.id = NEW.account_id) THEN
            RETURN NEW;             -- it has a place on that day
        END IF;
        PERFORM followup.return_place(OLD.account_id, OLD.cap_assistant_id, OLD.cap_day);
    END IF;
    NEW.cap_day := NULL;
    IF NEW.cap_assistant_id IS NOT NULL THEN
        SELECT followup.lead_timezone(l.timezone, a.timezone) AS timezone, l.country INTO v_lead
          FROM followup.account AS a
          LEFT JOIN followup.lead AS l ON l.account_id = a.id AND l.id = NEW.lead_id
         WHERE a.id = NEW.account_id;
        v_place := followup.reserve_place(NEW.account_id, NEW.cap_assistant_id, v_lead.timezone, v_lead.country, NEW.due_at, NEW.forced);
        NEW.cap_day := v_place.day;
        IF v_place.due_at <> NEW.due_at THEN
            NEW.cap_moved_from := NEW.due_at;
            NEW.due_at := v_place.due_at;
        END IF;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION followup.take_cap_place() IS
    'Trigger, before a scheduled message under a cap is written or planned anew: gives back the place it had and takes one for due_at, which a full day moves on. On the day of its place it keeps that.';
