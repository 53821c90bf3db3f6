CREATE OR REPLACE FUNCTION followup.message_due_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.base_at := NEW.due_at;
    NEW.delay := '0';
    NEW.delay_unit := 'elapsed';
    NEW.exact := true;
    NEW.not_before := NULL;
    NEW.stood_still := NULL;
    NEW.cap_moved_from := NULL;
    SELECT CASE WHEN NEW.forced THEN w.at
                ELSE followup.sendable_at(NEW.account_id, followup.lead_timezone(l.timezone, a.timezone), l.country, w.at) END
      INTO STRICT NEW.due_at
      FROM followup.conversation AS c
      JOIN followup.lead AS l ON l.account_id = c.account_id AND l.id = c.lead_id
      JOIN followup.account AS a ON a.id = c.account_id
     CROSS JOIN LATERAL (SELECT greatest(NEW.due_at, c.hold_until) AS at) AS w
     WHERE c.account_id = NEW.account_id AND c.id = NEW.conversation_id;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION followup.message_due_written() IS
    'Trigger on a due_at that is written by hand: the instant asked for is kept as base_at and put through hold and send windows (forced: the hold alone), so that the time shown is the time sent; the messages after it are counted from there. The id stays.';
