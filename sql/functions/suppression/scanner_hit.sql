CREATE OR REPLACE FUNCTION followup.scanner_hit(p_account bigint, p_lead bigint, p_user_agent text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_now  timestamptz;
    v_rate double precision;
BEGIN
    IF nullif(pg_catalog.btrim(p_user_agent), '') IS NULL
       OR EXISTS (SELECT FROM followup.scanner_agent AS s WHERE pg_catalog.strpos(pg_catalog.lower(p_user_agent), s.pattern) > 0) THEN
        RETURN true;
    END IF;
    SELECT k.business, k.rate INTO v_now, v_rate FROM followup.clock() AS k;
    RETURN EXISTS (
        SELECT FROM followup.conversation AS c
          JOIN followup.message AS m ON m.account_id = c.account_id AND m.conversation_id = c.id
         WHERE c.account_id = p_account AND c.lead_id = p_lead
           AND (m.sent_at > v_now - '10 seconds'::interval * v_rate
                OR EXISTS (SELECT FROM followup.provider_event AS e
                            WHERE e.account_id = m.account_id AND e.message_id = m.id AND e.kind = 'delivered'
                              AND coalesce(e.occurred_at, e.received_at) > pg_catalog.clock_timestamp() - '10 seconds'::interval)));
END
$$;
COMMENT ON FUNCTION followup.scanner_hit(bigint, bigint, text) IS
    'Does a call of a lead''s unsubscribe link look like a scanner''s? No User-Agent or one of scanner_agent, or within 10 seconds (real) of a message''s leaving or delivery. Nothing depends on it but how the call is counted.';
