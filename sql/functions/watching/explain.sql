CREATE OR REPLACE FUNCTION followup.explain(p_account bigint, p_message bigint)
RETURNS TABLE (cause text, clears_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v      record;
    v_now  timestamptz := followup.now();
BEGIN
    PERFORM followup.check_account(p_account);
    SELECT m.*, followup.lead_timezone(l.timezone, a.timezone) AS timezone, c.hold_until, c.state AS conversation_state INTO v
      FROM followup.message AS m
      JOIN followup.account AS a ON a.id = m.account_id
      LEFT JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
      LEFT JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id
     WHERE m.account_id = p_account AND m.id = p_message;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account % has no message %', p_account, p_message USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF v.state = 'scheduled' THEN
        RETURN QUERY SELECT w.cause, w.clears_at FROM followup.explain_wait(p_account, p_message, v_now) AS w;
    ELSIF v.state = 'sending' THEN
        cause := 'being sent: POST ' || v.posts || ' of try ' || v.attempts || ' began '
              || extract(epoch FROM pg_catalog.clock_timestamp() - v.claimed_at)::integer || ' s ago';
        RETURN NEXT;
    ELSIF v.state = 'in_doubt' THEN
        RETURN QUERY SELECT d.cause, d.clears_at FROM followup.explain_doubt(p_account, p_message, v_now) AS d;
    ELSE
        cause := CASE WHEN v.state IN ('cancelled', 'failed')
                      THEN v.state || ' ' || followup.shown_at(coalesce(v.finished_at, v.due_at), v.timezone)
                           || coalesce(': ' || v.detail, '')
                      ELSE 'it left ' || followup.shown_at(coalesce(v.sent_at, v.finished_at, v.due_at), v.timezone)
                           || CASE WHEN v.state = 'sent' THEN '' ELSE ', ' || v.state END END;
        RETURN NEXT;
    END IF;
    IF v.state IN ('scheduled', 'in_doubt') THEN
        RETURN QUERY SELECT e.cause, e.clears_at FROM followup.explain_engine(v.shard) AS e;
    END IF;
    IF v.state = 'scheduled' AND NOT FOUND THEN
        RETURN QUERY SELECT 'nothing is in its way: it leaves within seconds', v.due_at
          WHERE NOT EXISTS (SELECT FROM followup.explain_wait(p_account, p_message, v_now));
    END IF;
END
$$;
COMMENT ON FUNCTION followup.explain(bigint, bigint) IS
    'Why a message has not left yet: one line a cause (due later, after a failed try, window, holiday, daily cap, hold, paused, suppressed, late and held, in doubt, no worker), with the business time at which it clears by itself (NULL: when somebody acts). One that was decided has one line: what became of it. Raises 22023 for an unknown message, 42501 for an account that is not the caller''s.';
