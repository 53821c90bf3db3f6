CREATE OR REPLACE FUNCTION followup.forecast(p_account bigint, p_days integer = 7)
RETURNS TABLE (hour timestamptz, assistant_id bigint, messages bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now   timestamptz := followup.now();
    v_until timestamptz;
    v_zone  text;
    v_rate  double precision := (SELECT c.rate FROM followup.clock() AS c);
BEGIN
    PERFORM followup.check_account(p_account);
    PERFORM followup.require_account(p_account);
    IF p_days IS NULL OR p_days NOT BETWEEN 1 AND 366 THEN
        RAISE EXCEPTION 'forecast: days must be from 1 to 366, not %', coalesce(p_days::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    v_until := v_now + pg_catalog.make_interval(secs => p_days * 86400);
    SELECT followup.lead_timezone(NULL, a.timezone) INTO v_zone FROM followup.account AS a WHERE a.id = p_account;
    RETURN QUERY
    WITH RECURSIVE coming AS (
        -- What waits now; what is overdue leaves in this hour.
        SELECT c.id AS conversation_id, c.sequence_id, c.assistant_id, c.hold_until, m.version, m.kind, m.position,
               greatest(m.due_at, v_now) AS at, followup.base_of(m.due_at, v_now, v_rate) AS base,
               followup.lead_timezone(l.timezone, a.timezone) AS timezone, l.country
          FROM followup.message AS m
          JOIN followup.conversation AS c ON c.account_id = m.account_id AND c.id = m.conversation_id AND c.state = 'active'
          JOIN followup.lead AS l ON l.account_id = m.account_id AND l.id = m.lead_id
          JOIN followup.account AS a ON a.id = m.account_id
          JOIN followup.assistant AS s ON s.account_id = c.account_id AND s.id = c.assistant_id
          JOIN followup.sequence AS q ON q.account_id = c.account_id AND q.id = c.sequence_id
         WHERE m.account_id = p_account AND m.shard = followup.shard_of(p_account) AND m.queued AND NOT m.detached
           AND m.due_at < v_until AND coalesce(a.paused_at, s.paused_at, q.paused_at) IS NULL
           AND NOT EXISTS (SELECT FROM followup.list_pull AS w WHERE w.account_id = p_account AND w.ended_at IS NULL)
           AND NOT (a.late_action = 'hold' AND m.due_at < v_now - a.late_after)
        UNION ALL
        SELECT w.conversation_id, w.sequence_id, w.assistant_id, w.hold_until, w.version, w.kind, n.position, p.at, p.at,
               w.timezone, w.country
          FROM coming AS w
         CROSS JOIN LATERAL followup.next_step(p_account, w.sequence_id, w.version, w.kind, w.position) AS n
         CROSS JOIN LATERAL (SELECT followup.plan_at(p_account, w.timezone, w.country, w.base, n.delay, n.delay_unit,
                                                     w.hold_until, w.conversation_id) AS at) AS p
         WHERE p.at < v_until)
    SELECT w.at - ((w.at AT TIME ZONE v_zone) - pg_catalog.date_trunc('hour', w.at AT TIME ZONE v_zone)) AS full_hour,
           w.assistant_id, count(*)
      FROM coming AS w
     GROUP BY 1, 2
     ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION followup.forecast(bigint, integer) IS
    'How many messages leave in each hour (of the account''s zone) of the next p_days (1 to 366), by assistant, if nobody answers or acts: what is scheduled, then the steps after it as they will be planned; these are not under a daily cap yet. What is paused, waits for a suppression list (list_pull), is held (or will be, for being late) or in doubt is left out; alerts and webhooks too. Business time. Plans each message: some 20 us each. Raises 22023 for an unknown account or other days, 42501 for an account that is not the caller''s.';
