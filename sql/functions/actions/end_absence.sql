CREATE OR REPLACE FUNCTION followup.end_absence(p_account bigint, p_plan followup.lead_plan[], p_now timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE followup.lead AS l SET sub_state = 'sequence'
      FROM unnest(p_plan) AS p
     WHERE p.reason IS NULL AND l.account_id = p_account AND l.id = p.lead_id AND l.sub_state = 'out_of_office';
    UPDATE followup.message AS m
       SET base_at = m.base_at - CASE WHEN p.hold_until > p_now THEN m.stood_still ELSE '0' END, stood_still = NULL
      FROM unnest(p_plan) AS p
     WHERE p.reason IS NULL
       AND m.account_id = p_account AND m.conversation_id = p.conversation_id AND m.state = 'scheduled' AND m.stood_still IS NOT NULL;
END
$$;
COMMENT ON FUNCTION followup.end_absence(bigint, followup.lead_plan[], timestamptz) IS
    'Internal, of hold and release: a person says when these leads are written to, whatever their automatic answers said. They are in their sequence again, and the wait of what is scheduled counts as if it had never stood still; where the absence was over, it stays as it is. p_plan: with the holds of before. The caller holds the locks (lock_leads, lock_scheduled), and plans anew (replan_messages).';
