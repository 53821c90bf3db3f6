CREATE OR REPLACE FUNCTION followup.account_resumed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.paused_reason := NULL;
    NEW.bounces_counted_from := followup.now();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION followup.account_resumed() IS
    'Trigger on account, at the end of its pause: the reason goes, and bounces are counted anew, so that it is not paused again for what left before.';
