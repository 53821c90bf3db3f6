CREATE OR REPLACE FUNCTION followup.hold_absent(p_account bigint, p_leads bigint[], p_until timestamptz, p_now timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_until timestamptz := greatest(p_until, p_now);
    v_moved bigint[];
    v_by    interval[];
    v_goes_on boolean[];    -- an absence before this one, that is not over
BEGIN
    -- A longer hold that a person asked for stays; one of an earlier answer is replaced by what this one says.
    SELECT array_agg(c.id), array_agg(v_until - greatest(c.hold_until, p_now)), array_agg(c.hold_until > p_now)
      INTO v_moved, v_by, v_goes_on
      FROM followup.conversation AS c
      JOIN followup.lead AS l ON l.account_id = c.account_id AND l.id = c.lead_id
     WHERE c.account_id = p_account AND c.lead_id = ANY (p_leads) AND c.state <> 'ended'
       AND (l.sub_state = 'out_of_office' AND c.hold_until IS DISTINCT FROM 'infinity' OR greatest(c.hold_until, p_now) <= v_until);
    UPDATE followup.lead AS l SET sub_state = CASE WHEN v_until > p_now THEN 'out_of_office' ELSE 'sequence' END::followup.lead_sub_state
      FROM followup.conversation AS c
     WHERE c.account_id = p_account AND c.id = ANY (v_moved) AND l.account_id = p_account AND l.id = c.lead_id
       AND l.state = 'active' AND (l.sub_state = 'out_of_office'
                                   -- Over a hold of a person it is not shown, so that no later answer ends that.
                                   OR l.sub_state = 'sequence' AND (c.hold_until > p_now) IS NOT TRUE);
    UPDATE followup.conversation AS c SET hold_until = nullif(v_until, p_now)
     WHERE c.account_id = p_account AND c.id = ANY (v_moved);
    -- The wait stands still while nobody is there: what was left of it when the answer came is left when they are back.
    UPDATE followup.message AS m
       SET base_at = coalesce(m.base_at, m.due_at) + v.by,
           stood_still = CASE WHEN v_until > p_now THEN v.by + coalesce(CASE WHEN v.goes_on THEN m.stood_still END, '0') END
      FROM unnest(v_moved, v_by, v_goes_on) AS v (conversation_id, by, goes_on)
     WHERE m.account_id = p_account AND m.conversation_id = v.conversation_id AND m.state = 'scheduled' AND NOT m.detached
       AND NOT m.exact AND m.due_at > p_now AND m.due_at <> 'infinity';
    PERFORM followup.replan_messages(p_account, followup.lock_scheduled(p_account, p_leads), 'out of office');
END
$$;
COMMENT ON FUNCTION followup.hold_absent(bigint, bigint[], timestamptz, timestamptz) IS
    'These leads are away until p_until: nothing goes to them before, and what was unserved of a wait at p_now is served afterwards (not of an instant that a person chose: that is only held). Active in the sequence they are shown as out_of_office. p_until in the past: they are back, a hold of an earlier such answer ends. A hold that a person set stays, and grows with a longer absence. Business time. The caller holds the locks (lock_leads).';
