CREATE OR REPLACE FUNCTION followup.plan_at(
    p_account bigint, p_timezone text, p_country text, p_base timestamptz, p_delay interval, p_unit followup.delay_unit,
    p_not_before timestamptz, p_seed bigint)
RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_at    timestamptz;
    v_day   date;
    v_found timestamptz;
BEGIN
    v_at := greatest(followup.add_delay(p_account, p_timezone, p_country, p_base, p_delay, p_unit), p_not_before);
    IF NOT pg_catalog.isfinite(v_at)       -- held until somebody says when
       OR NOT EXISTS (SELECT FROM followup.send_window AS w WHERE w.account_id = p_account) THEN
        RETURN v_at;
    END IF;
    v_day := (v_at AT TIME ZONE p_timezone)::date;
    FOR v_ahead IN 0..14 LOOP
        SELECT greatest(v_at, o.opens) INTO v_found
          FROM followup.send_window AS w
         CROSS JOIN LATERAL (SELECT followup.local_instant(v_day + v_ahead + w.opens, p_timezone) AS opens,
                                    followup.local_instant(v_day + v_ahead + w.closes, p_timezone) AS closes) AS o
         WHERE w.account_id = p_account
           AND w.weekday = extract(isodow FROM v_day + v_ahead)::integer
           AND o.opens < o.closes       -- a gap may swallow a window
           AND v_at < o.closes
         ORDER BY o.opens
         LIMIT 1;
        IF FOUND THEN
            RETURN v_found;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'account % has no send window within two weeks of %', p_account, v_at;
END
$$;
COMMENT ON FUNCTION followup.plan_at(bigint, text, text, timestamptz, interval, followup.delay_unit, timestamptz, bigint) IS
    'The instant of a message, business time: base + delay, not before p_not_before (NULL: no such bound), then into the account''s send windows in p_timezone (resolved by lead_timezone). Preview, engine and actions all ask it. p_country and p_seed are for holidays and jitter, which are not applied yet.';
