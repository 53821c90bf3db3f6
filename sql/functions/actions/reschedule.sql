CREATE OR REPLACE FUNCTION followup.reschedule(
    p_account bigint, p_messages bigint[], p_at timestamptz = NULL, p_forced boolean = false, p_actor bigint = NULL,
    p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor  followup.actor := followup.actor_of(p_account, p_actor, 'reschedule');
    v_now    timestamptz;
    v_at     timestamptz;
    v_result followup.action_result[];
BEGIN
    PERFORM followup.check_instant('reschedule', p_at);
    PERFORM followup.lock_leads(p_account, ARRAY(SELECT DISTINCT m.lead_id FROM followup.message AS m
                                                  WHERE m.account_id = p_account AND m.id = ANY (p_messages)));
    PERFORM FROM followup.message AS m
      WHERE m.account_id = p_account AND m.id = ANY (p_messages) ORDER BY m.id FOR NO KEY UPDATE;
    v_now := followup.now();
    v_at := coalesce(p_at, v_now);
    v_result := ARRAY(
        SELECT ROW(m.lead_id, w.reason IS NULL, w.reason, NULL, asked.id,
                   CASE WHEN w.reason IS NULL THEN
                        CASE WHEN p_forced OR m.conversation_id IS NULL THEN v_at
                             ELSE followup.sendable_at(p_account, followup.lead_timezone(l.timezone, a.timezone),
                                                       l.country, v_at) END END,
                   CASE WHEN w.reason = 'in_flight' THEN ARRAY[m.id] ELSE '{}' END)::followup.action_result
          FROM unnest(p_messages) WITH ORDINALITY AS asked (id, no)
          JOIN followup.account AS a ON a.id = p_account
          LEFT JOIN followup.message AS m ON m.account_id = p_account AND m.id = asked.id
          LEFT JOIN followup.conversation AS c ON c.account_id = p_account AND c.id = m.conversation_id
          LEFT JOIN followup.lead AS l ON l.account_id = p_account AND l.id = m.lead_id
         CROSS JOIN LATERAL (SELECT (CASE
               WHEN NOT v_actor.permitted THEN 'not_permitted'
               WHEN m.id IS NULL THEN 'not_found'
               WHEN NOT followup.is_own(v_actor, l.rep_id) THEN 'not_own_lead'
               WHEN m.state IN ('sending', 'in_doubt') THEN 'in_flight'
               WHEN m.state <> 'scheduled' OR c.state = 'ended' THEN 'not_scheduled'
               WHEN v_at < v_now THEN 'past_instant'
               WHEN p_forced AND nullif(pg_catalog.btrim(p_note), '') IS NULL THEN 'note_required'
               WHEN c.hold_until > v_at THEN 'held'
               WHEN m.conversation_id IS NOT NULL AND followup.lead_suppressed(p_account, m.lead_id) THEN 'suppressed'
               END)::followup.skip_reason AS reason) AS w
         ORDER BY asked.no);
    UPDATE followup.message AS m
       SET due_at = r.due_at, base_at = v_at, delay = '0', delay_unit = 'elapsed', exact = true, forced = p_forced,
           not_before = NULL, stood_still = NULL,
           cap_moved_from = NULL,   -- said anew by the trigger; but not where a person confirms the time it has
           planned_reason = CASE WHEN p_forced THEN 'rescheduled, forced' ELSE 'rescheduled' END
      FROM (SELECT DISTINCT u.message_id, u.due_at FROM unnest(v_result) AS u WHERE u.done) AS r
     WHERE m.account_id = p_account AND m.id = r.message_id AND m.state = 'scheduled';
    INSERT INTO followup.activity (account_id, actor, action, lead_id, note, detail, at)
    SELECT DISTINCT p_account, v_actor.name, 'reschedule', r.lead_id, p_note,
           pg_catalog.jsonb_build_object('message_id', r.message_id, 'at', r.due_at, 'forced', p_forced), v_now
      FROM unnest(v_result) AS r WHERE r.done;
    -- A daily cap may have moved it.
    RETURN QUERY SELECT r.lead_id, r.done, r.reason, r.sub_state, r.message_id, CASE WHEN r.done THEN m.due_at END, r.in_flight
                   FROM unnest(v_result) WITH ORDINALITY AS r
                   LEFT JOIN followup.message AS m ON m.account_id = p_account AND m.id = r.message_id
                  ORDER BY r.ordinality;
END
$$;
COMMENT ON FUNCTION followup.reschedule(bigint, bigint[], timestamptz, boolean, bigint, text) IS
    'Moves scheduled messages to p_at (business time; NULL: now), through the send window; p_forced: at that very instant, whatever the window says, and then p_note is needed. The id stays; what comes after is counted from the new time. One row a message, in the order asked: message_id is the message asked for. Refuses: not_found, in_flight, not_scheduled, past_instant, note_required, held (release it first), suppressed, not_permitted, not_own_lead.';
