-- The inbox: webhooks are stored once, applied in their order, by several callers at once, and one bad event stops no other.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1), t.account(2);
\o
SELECT no_plan();
CREATE FUNCTION t.sent(p_name text, p_id text = NULL) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_message bigint := t.lead(1, p_name);
BEGIN
    PERFORM t.verdict(1, v_message);
    PERFORM t.record(1, v_message, 'sent', p_provider_id => p_id);
    RETURN v_message;
END $$;
-- A typed event about a message, by our own id unless p_more says otherwise.
CREATE FUNCTION t.event(p_message bigint, p_kind text, p_id text = gen_random_uuid()::text, p_more jsonb = '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('event_id', p_id, 'kind', p_kind, 'occurred_at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'provider_type', 'sendgrid', 'fu_id', '1-' || p_message || '-1') || p_more) $$;
CREATE FUNCTION t.receive(VARIADIC p_events jsonb[]) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(verdict || ' ' || stored, ', ' ORDER BY ord)
      FROM followup.receive_webhooks(ARRAY[1]::bigint[], ARRAY['main'], ARRAY[to_jsonb(p_events)], ARRAY[NULL]::text[]) $$;
CREATE FUNCTION t.apply(p_limit integer = 100) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_said text := '';
    v_row  record;
BEGIN
    FOR v_round IN 1..5 LOOP
        FOR v_row IN SELECT * FROM followup.apply_inbox(p_limit) WHERE account_id IS NOT NULL LOOP
            v_said := v_said || format('%s:%s/%s/%s ', v_row.account_id, v_row.applied, v_row.unmatched, v_row.failed);
        END LOOP;
    END LOOP;
    RETURN btrim(v_said);
END $$;

SELECT t.sent('ada') AS ada, t.sent('ben') AS ben \gset
SELECT is(t.receive(t.event(:ada, 'delivered', 'e-1'), t.event(:ben, 'delivered', 'e-2')), 'stored 2', 'a webhook of two events');
SELECT is(t.state(1, :ada), 'sent', 'is stored, not applied');
SELECT is(t.receive(t.event(:ada, 'bounced', 'e-1')), 'stored 0', 'an event id that came before is not stored again');
SELECT is(t.apply(), '1:2/0/0', 'and applied by apply_inbox');
SELECT is(t.state(1, :ada) || ' ' || t.state(1, :ben), 'delivered delivered', 'both are delivered');
SELECT is(t.receive(t.event(:ada, 'unsubscribed')), 'stored 1', 'an unsubscribe');
SELECT is(t.apply(), '1:1/0/0', 'is applied');
SELECT is(state::text, 'unsubscribed', 'its lead is unsubscribed') FROM followup.lead WHERE id = t.lead_of(1, :ada);
SELECT is_empty('SELECT FROM followup.message WHERE state = ''scheduled'' AND lead_id = ' || t.lead_of(1, :ada), 'and nothing is scheduled for it');
SELECT * FROM finish();
