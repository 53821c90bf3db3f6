CREATE OR REPLACE FUNCTION followup.receive_confirmation(p_account bigint, p_source text, p_confirmation jsonb)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM followup.account AS a WHERE a.id = p_account;
    IF NOT FOUND THEN
        RETURN 'no_account';
    END IF;
    INSERT INTO followup.webhook_confirmation AS c (account_id, source, topic_arn, kind, token)
    VALUES (p_account, p_source, p_confirmation ->> 'topic_arn', p_confirmation ->> 'type', p_confirmation ->> 'token')
        ON CONFLICT (account_id, source, topic_arn) DO UPDATE
       SET kind = excluded.kind, token = excluded.token, received_at = excluded.received_at;
    RETURN 'stored';
END
$$;
COMMENT ON FUNCTION followup.receive_confirmation(bigint, text, jsonb) IS
    'Keeps what SNS asked of source p_source for an account: {"type", "topic_arn", "token"}, whose signature and topic were right. The last one of a topic counts. Answers stored or no_account. Nobody is told yes by this: webhook_confirmations shows a person how.';
