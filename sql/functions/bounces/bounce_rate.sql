CREATE OR REPLACE FUNCTION followup.bounce_rate(p_account bigint) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT coalesce(count(*) FILTER (WHERE m.state = 'bounced')::numeric / nullif(count(*), 0), 0)
      FROM followup.message AS m
     WHERE m.account_id = p_account
       AND m.kind IN ('sequence', 'follow_up')
       AND m.state IN ('sent', 'delivered', 'bounced', 'complained')
       AND m.sent_at > followup.now() - '7 days'::interval
$$;
COMMENT ON FUNCTION followup.bounce_rate(bigint) IS
    'The share (0..1) of an account''s messages of the last 7 days of business time that bounced. Reads all messages of the account.';
