CREATE OR REPLACE FUNCTION followup.read_report(p_read followup.reply_reading, p_plain text) RETURNS followup.reply_reading
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_read   followup.reply_reading := p_read;
    v_status text := (pg_catalog.regexp_match(p_plain, '\m([245]\.\d{1,3}\.\d{1,3})\M'))[1];
    v_class  followup.bounce_kind;
BEGIN
    v_read.outcome := 'keep_messaging';
    v_read.rule := 'delivery report' || coalesce(' ' || v_status, '');
    IF p_plain ~ '\m(delayed|delay|will (keep|continue) (trying|to try)|warning message only|has been delivered|was delivered|read:|has been read)\M'
       OR v_status ~ '^2' THEN
        RETURN v_read;
    END IF;
    v_class := (followup.bounce_class('bounced', pg_catalog.jsonb_build_object('provider_type', 'generic', 'status', v_status))).class;
    v_read.bounce := CASE WHEN v_class IN ('hard', 'soft', 'block') THEN v_class::text ELSE 'unknown' END;
    v_read.outcome := CASE v_read.bounce WHEN 'hard' THEN 'deactivate:BounceDeactivated' WHEN 'unknown' THEN 'deactivate:CannotDetermine'
                                         ELSE 'keep_messaging' END;
    RETURN v_read;
END
$$;
COMMENT ON FUNCTION followup.read_report(followup.reply_reading, text) IS
    'A delivery report that came to a reply address instead of the provider: bounce is hard, soft, block or unknown by its enhanced status code (bounce_class); a delay or a receipt is none.';
