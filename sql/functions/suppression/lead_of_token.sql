CREATE OR REPLACE FUNCTION followup.lead_of_token(p_token text)
RETURNS TABLE (account_id bigint, lead_id bigint, account_name text, address text, unsubscribed boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_token !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' IS NOT FALSE THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT l.account_id, l.id, a.name, pg_catalog.left(l.email, 1) || '***' || pg_catalog.substring(l.email, '@[^@]*$'),
           l.state = 'unsubscribed'
      FROM followup.lead AS l
      JOIN followup.account AS a ON a.id = l.account_id
     WHERE l.unsubscribe_token = p_token::uuid
     ORDER BY l.account_id
     LIMIT 1;
END
$$;
COMMENT ON FUNCTION followup.lead_of_token(text) IS
    'Internal: whose unsubscribe link /u/{token} is, with the address masked (l***@x.example); no row: nobody''s, or no token.';
