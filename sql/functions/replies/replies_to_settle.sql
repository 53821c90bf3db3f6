CREATE OR REPLACE FUNCTION followup.replies_to_settle(p_account bigint, p_limit integer = 100)
RETURNS TABLE (reply bigint, received_at timestamptz, why text, lead_id bigint, likely_lead bigint, from_address text, reads_as text,
               subject text, text_begins text, contact jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.id, r.received_at, CASE WHEN r.lead_id IS NULL THEN concat_ws(', ', 'unmatched', r.alert) ELSE r.alert END, r.lead_id,
           CASE WHEN r.lead_id IS NULL
                THEN (SELECT l.id FROM followup.lead AS l WHERE l.account_id = r.account_id AND lower(l.email) = lower(r.from_address)) END,
           r.from_address, r.outcome, r.subject, left(r.body, 200), r.contact
      FROM followup.reply AS r
     WHERE r.account_id = p_account AND r.settled_at IS NULL AND (r.lead_id IS NULL OR r.alert IS NOT NULL)
     ORDER BY r.id LIMIT least(greatest(p_limit, 0), 10000)
$$;
COMMENT ON FUNCTION followup.replies_to_settle(bigint, integer) IS
    'Replies that wait for a person, the oldest first, at most p_limit (10000): unmatched (nobody could be proved to be the sender; no lead was touched; likely_lead has that address) and alerts (anger, a legal threat: the lead is stopped or unsubscribed already). reads_as: what it would do. Row-level security of the caller applies.';
