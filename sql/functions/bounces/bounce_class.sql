CREATE OR REPLACE FUNCTION followup.bounce_class(
    p_kind followup.event_kind, p_event jsonb, OUT class followup.bounce_kind, OUT alert boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_type   text := pg_catalog.lower(p_event ->> 'provider_type');
    v_words  jsonb := pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
        'kind', p_kind, 'type', pg_catalog.lower(p_event ->> 'type'), 'subtype', pg_catalog.lower(p_event ->> 'subtype'),
        'reason', pg_catalog.lower(p_event ->> 'reason'), 'classification', pg_catalog.lower(p_event ->> 'classification'),
        'severity', pg_catalog.lower(p_event ->> 'severity')));
    v_text   text := pg_catalog.concat_ws(' ', p_event ->> 'status', p_event ->> 'reason', p_event ->> 'detail');
    -- Not a part of an IP address or of a version.
    v_status text[] := pg_catalog.regexp_match(v_text, '(?:^|[^0-9.])([45])\.(\d{1,3})\.(\d{1,3})(?![0-9]|\.[0-9])');
    v_smtp   text := coalesce((pg_catalog.regexp_match(p_event ->> 'smtp_code', '^\s*([45]\d\d)\y'))[1],
                              (pg_catalog.regexp_match(p_event ->> 'reason', '^\s*([45]\d\d)\y'))[1],
                              (pg_catalog.regexp_match(p_event ->> 'detail', '^\s*(?:smtp;\s*)?([45]\d\d)\y'))[1]);
    v_digit  text := coalesce(v_status[1], pg_catalog.left(v_smtp, 1));
    v_rule   followup.bounce_rule;
    v_code   followup.status_rule;
BEGIN
    SELECT r.* INTO v_rule
      FROM followup.bounce_rule AS r
     WHERE r.provider_type IN (v_type, 'any') AND v_words @> r.match
     ORDER BY r.after_status, r.provider_type = 'any', r.position
     LIMIT 1;
    SELECT s.* INTO v_code
      FROM followup.status_rule AS s
     WHERE s.code IN ('x.' || v_status[2] || '.' || v_status[3], 'x.' || v_status[2])
        OR v_status IS NULL AND s.code IN (v_smtp, pg_catalog.left(v_smtp, 1) || 'yz')
     ORDER BY pg_catalog.length(s.code) DESC, s.code
     LIMIT 1;

    IF v_rule.class IS NOT NULL AND (NOT v_rule.after_status OR v_code.code IS NULL OR v_code.vague OR v_code.code !~ '^x') THEN
        class := v_rule.class;
    ELSE
        class := coalesce(CASE v_digit WHEN '4' THEN v_code.class_4 ELSE v_code.class_5 END, 'unknown');
    END IF;
    alert := class = 'block' OR coalesce(v_code.alert_5 AND v_digit = '5', false);
END
$$;
COMMENT ON FUNCTION followup.bounce_class(followup.event_kind, jsonb) IS
    'What a typed event says about its address: by the provider''s own words (bounce_rule), by its enhanced status code, or one in its reason or detail (status_rule), by its SMTP code; words that are weak give way to a code that is clear. Nothing readable: unknown. alert: a person of the account should see it.';
