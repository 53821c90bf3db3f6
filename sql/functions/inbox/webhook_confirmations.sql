CREATE OR REPLACE FUNCTION followup.webhook_confirmations(p_account bigint, p_source text = NULL)
RETURNS TABLE (source text, topic_arn text, asks text, received_at timestamptz, confirm_url text)
LANGUAGE sql STABLE AS $$
    -- The host is made of the topic's region, never taken from the message.
    SELECT c.source, c.topic_arn,
           CASE c.kind WHEN 'SubscriptionConfirmation' THEN 'subscribe' ELSE 'unsubscribed; confirming subscribes again' END,
           c.received_at,
           'https://sns.' || r.region || '.amazonaws.com' || CASE WHEN r.region LIKE 'cn-%' THEN '.cn' ELSE '' END
               || '/?Action=ConfirmSubscription&Version=2010-03-31&TopicArn='
               || pg_catalog.replace(c.topic_arn, ':', '%3A') || '&Token=' || c.token
      FROM followup.webhook_confirmation AS c
     CROSS JOIN LATERAL (SELECT (pg_catalog.regexp_match(c.topic_arn, '^arn:aws[a-z-]*:sns:([a-z0-9-]+):[0-9]+:[A-Za-z0-9_.-]+$'))[1] AS region) AS r
     WHERE c.account_id = p_account AND (p_source IS NULL OR c.source = p_source)
       AND c.token ~ '^[A-Za-z0-9_-]+$' AND r.region IS NOT NULL
     ORDER BY c.received_at DESC, c.source, c.topic_arn;
$$;
COMMENT ON FUNCTION followup.webhook_confirmations(bigint, text) IS
    'Subscriptions of SNS topics to an account''s webhooks (p_source: of one) that wait for a person: whoever fetches confirm_url confirms. The URL is made here, of the topic and the token, for a message could name any. SNS asks for three days.';
