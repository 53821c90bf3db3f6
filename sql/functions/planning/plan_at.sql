CREATE OR REPLACE FUNCTION followup.plan_at(
    p_account bigint, p_timezone text, p_country text, p_base timestamptz, p_delay interval, p_unit followup.delay_unit,
    p_not_before timestamptz, p_seed bigint)
RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_at     timestamptz := greatest(followup.add_delay(p_account, p_timezone, p_country, p_base, p_delay, p_unit), p_not_before);
    v_jitter   interval;
    v_calendar boolean;
BEGIN
    IF NOT pg_catalog.isfinite(v_at) THEN       -- held until somebody says when
        RETURN v_at;
    END IF;
    SELECT a.jitter_max, a.has_calendar INTO v_jitter, v_calendar FROM followup.account AS a WHERE a.id = p_account;
    IF v_jitter > '0' THEN
        v_at := v_at + followup.jitter(p_account, p_seed, v_jitter);
    END IF;
    IF NOT v_calendar THEN
        IF p_country IS NULL THEN       -- in an IF of its own: a condition with a query in it is a query
            RETURN v_at;
        ELSIF NOT EXISTS (SELECT FROM followup.holiday AS h     -- a zone moves a date by one day at most
                           WHERE h.date BETWEEN (v_at AT TIME ZONE 'UTC')::date - 1 AND (v_at AT TIME ZONE 'UTC')::date + 1) THEN
            RETURN v_at;
        END IF;
    END IF;
    RETURN followup.sendable_at(p_account, p_timezone, p_country, v_at);
END
$$;
COMMENT ON FUNCTION followup.plan_at(bigint, text, text, timestamptz, interval, followup.delay_unit, timestamptz, bigint) IS
    'The instant of a message, business time: base + delay (elapsed, or business days of the lead''s calendar), not before p_not_before (NULL: no such bound), plus the jitter of p_seed, then into the account''s send windows in p_timezone (resolved by lead_timezone) and past the holidays of p_country and of the account. Preview, engine and actions all ask it. The daily cap comes after it, when the row is written: see reserve_place. infinity: held, or no instant within 400 days.';
