CREATE OR REPLACE FUNCTION followup.reserve_place(
    p_account bigint, p_assistant bigint, p_timezone text, p_country text, p_at timestamptz, p_forced boolean,
    OUT due_at timestamptz, OUT day date)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    c_tries_max constant integer := 1000;
    v_assistant followup.assistant;
    v_zone      text;
    v_local     timestamp;
    v_free      date;
    v_use       record;
    v_cap       integer;
BEGIN
    SELECT s.* INTO STRICT v_assistant FROM followup.assistant AS s WHERE s.account_id = p_account AND s.id = p_assistant;
    SELECT followup.lead_timezone(NULL, a.timezone) INTO v_zone FROM followup.account AS a WHERE a.id = p_account;
    due_at := p_at;
    FOR v_try IN 1..c_tries_max LOOP
        IF NOT pg_catalog.isfinite(due_at) THEN
            day := NULL;
            RETURN;     -- no day, no place
        END IF;
        v_local := due_at AT TIME ZONE v_zone;
        day := v_local::date;
        EXIT WHEN p_forced;
        v_free := day;
        FOR v_use IN SELECT u.day, u.used FROM followup.cap_use AS u
                      WHERE u.account_id = p_account AND u.assistant_id = p_assistant AND u.day >= v_local::date ORDER BY u.day LOOP
            v_cap := followup.cap_of(v_assistant.daily_cap, v_assistant.ramp, v_assistant.ramp_from, v_free);
            EXIT WHEN v_use.day > v_free OR v_cap IS NULL OR v_use.used < v_cap;
            v_free := v_free + 1;
        END LOOP;
        EXIT WHEN v_free = day;
        -- The same time of that day, or when the lead may be written to after it, which may be another day.
        due_at := followup.sendable_at(p_account, p_timezone, p_country,
                                       followup.local_instant(v_free + v_local::time, v_zone));
    END LOOP;
    INSERT INTO followup.cap_use AS u (account_id, assistant_id, day, used) VALUES (p_account, p_assistant, reserve_place.day, 1)
        ON CONFLICT ON CONSTRAINT cap_use_pkey DO UPDATE SET used = u.used + 1;
END
$$;
COMMENT ON FUNCTION followup.reserve_place(bigint, bigint, text, text, timestamptz, boolean) IS
    'Takes a place under the assistant''s daily cap (cap_of) on the day of p_at in the account''s zone; on a full day it goes on to the same time of the first day with a free place, through the windows and holidays of the lead (p_timezone, p_country). Forced: that day in any case, but it counts. An instant that is not finite takes no place (day NULL). The caller holds lock_caps. Cost: one row of cap_use a full day.';
