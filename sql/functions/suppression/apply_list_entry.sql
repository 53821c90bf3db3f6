CREATE OR REPLACE FUNCTION followup.apply_list_entry(
    p_account bigint, p_lead bigint, p_provider text, p_type text, p_kind followup.event_kind, p_at timestamptz, p_entry jsonb)
RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_message bigint := followup.listed_message(p_account, p_lead);
    v_event   jsonb := pg_catalog.jsonb_strip_nulls(p_entry - ARRAY['address', 'kind', 'at']
        || pg_catalog.jsonb_build_object('provider_type', p_type, 'recipient', p_entry -> 'address',
               'detail', pg_catalog.concat_ws(' ', nullif(p_entry ->> 'detail', ''), '(by the suppression list of ' || p_provider || ')')));
    v_plan    followup.lead_plan[];
BEGIN
    -- What a person took back after that is over.
    IF p_kind = 'bounced' AND EXISTS (
           SELECT FROM followup.activity AS x CROSS JOIN followup.clock() AS k
            WHERE x.account_id = p_account AND x.lead_id = p_lead AND x.action = 'unbounce'
              AND x.at >= k.business - k.rate * (pg_catalog.clock_timestamp() - p_at)) THEN
        RETURN false;
    END IF;
    -- Mail to it is refused from now on, however mild the reason was; but one that nobody can read stays unread.
    IF p_kind = 'bounced' AND (followup.bounce_class(p_kind, v_event)).class <> 'unknown' THEN
        v_event := v_event || '{"bounce_kind": "hard"}';
    END IF;
    INSERT INTO followup.provider_event (account_id, provider, event_id, kind, message_id, occurred_at, payload, applied_at)
    VALUES (p_account, p_provider, pg_catalog.format('list %s %s %s', p_kind, pg_catalog.md5(p_entry ->> 'address'), extract(epoch FROM p_at)),
            p_kind, v_message, p_at, v_event, pg_catalog.clock_timestamp())
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF v_message IS NOT NULL OR p_kind <> 'bounced' THEN
        PERFORM followup.apply_provider_event(p_account, v_message, p_lead, p_kind, p_at, v_event);
    END IF;
    -- Nothing of ours that could bounce, or it had bounced already and was to go again.
    v_plan := followup.fact_plan(p_account, ARRAY[p_lead]);
    IF p_kind = 'bounced' AND v_plan[1].state NOT IN ('deactivated', 'unsubscribed') THEN
        PERFORM followup.suppress_addresses(p_account, ARRAY[p_lead], 'bounce', 'provider', v_event ->> 'detail');
        IF v_plan[1].state = 'active' THEN
            PERFORM followup.leave_leads(p_account, v_plan, 'deactivated', 'BounceDeactivated', 'deactivated', 'a bounce: ' || (v_event ->> 'detail'));
        END IF;
        PERFORM followup.log_actions(p_account, ARRAY[p_lead], 'provider', 'bounce', v_event ->> 'detail');
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION followup.apply_list_entry(bigint, bigint, text, text, followup.event_kind, timestamptz, jsonb) IS
    'Internal, of apply_list_page, which holds the locks: an entry of a provider''s suppression list becomes the event that its webhook would have told, of the last message that left to this lead, and does the same (apply_provider_event). A bounce from before an unbounce of the lead does nothing, for good or until it bounces again. p_at: real. False: nothing new.';
