-- Included after engine.sql: webhooks to account 1 and what comes of them.
-- A lead of account 1 whose first message was sent; the message's id.
CREATE FUNCTION t.sent(p_name text, p_id text = NULL) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_message bigint := t.lead(1, p_name);
BEGIN
    PERFORM t.verdict(1, v_message);
    PERFORM t.record(1, v_message, 'sent', p_provider_id => p_id);
    RETURN v_message;
END $$;
-- A typed event of now about a message, by our own id unless p_more says otherwise.
CREATE FUNCTION t.event(p_message bigint, p_kind text, p_id text = gen_random_uuid()::text, p_more jsonb = '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('event_id', p_id, 'kind', p_kind, 'provider_type', 'sendgrid', 'fu_id', '1-' || p_message || '-1',
        'occurred_at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || p_more) $$;
-- Takes apart what is stored: how many events were not known before, and how many webhooks cannot be read.
CREATE FUNCTION t.unpack() RETURNS text LANGUAGE sql AS $$
    SELECT events || CASE WHEN failed > 0 THEN ' unreadable ' || failed ELSE '' END FROM followup.unpack_webhooks(1000) $$;
-- One webhook of these events: what receive_webhooks says, and what is in it.
CREATE FUNCTION t.receive(VARIADIC p_events jsonb[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_verdict text := (SELECT verdict FROM followup.receive_webhooks(ARRAY[1]::bigint[], ARRAY['main'], ARRAY[to_json(p_events)], ARRAY[NULL]::text[]));
BEGIN
    RETURN v_verdict || ' ' || t.unpack();
END $$;
-- Until nothing is left for now: account:applied/unmatched/failed of each call.
CREATE FUNCTION t.apply(p_limit integer = 100) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_said text := '';
    v_more boolean := true;
    v_row  record;
BEGIN
    WHILE v_more LOOP
        v_more := false;
        FOR v_row IN SELECT * FROM followup.apply_inbox(p_limit) LOOP
            v_more := v_row.more;
            v_said := v_said || CASE WHEN v_row.account_id IS NULL THEN '' ELSE format(' %s:%s/%s/%s', v_row.account_id, v_row.applied, v_row.unmatched, v_row.failed) END;
        END LOOP;
    END LOOP;
    RETURN btrim(v_said);
END $$;
-- Both, of one event, and the message's state afterwards.
CREATE FUNCTION t.told(p_message bigint, p_kind text, p_more jsonb = '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM t.receive(t.event(p_message, p_kind, p_more => p_more));
    PERFORM t.apply();
    RETURN t.state(1, p_message);
END $$;
CREATE FUNCTION t.lead_state(p_message bigint) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws('/', state, sub_state, status) FROM followup.lead WHERE account_id = 1 AND id = t.lead_of(1, p_message) $$;
CREATE FUNCTION t.lead_messages(p_message bigint) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(step_key || ':' || state || CASE WHEN detached THEN ' detached' ELSE '' END, ' ' ORDER BY id)
      FROM followup.message WHERE account_id = 1 AND lead_id = t.lead_of(1, p_message) $$;
CREATE FUNCTION t.suppressed(p_name text) RETURNS text LANGUAGE sql AS $$
    SELECT reason FROM followup.suppression WHERE account_id = 1 AND address = p_name || '@people.example' $$;
