CREATE OR REPLACE FUNCTION followup.lock_leads(p_account bigint, p_leads bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM followup.require_read_committed();
    -- Shared: pause and suppress take the account for themselves, and wait for us or we for them.
    PERFORM FROM followup.account AS a WHERE a.id = p_account FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no account %', p_account USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM FROM followup.lead AS l
      WHERE l.account_id = p_account AND l.id = ANY (p_leads) ORDER BY l.id FOR NO KEY UPDATE;
    -- Ended ones too: a message of theirs may still be in flight, and the answer names it.
    PERFORM FROM followup.conversation AS c
      WHERE c.account_id = p_account AND c.lead_id = ANY (p_leads) ORDER BY c.id FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION followup.lock_leads(bigint, bigint[]) IS
    'Locks the account (shared), these leads and all their conversations, in the order account, lead, conversation. The caller reads afterwards, in a statement of its own. Unknown leads are left out; an unknown account (or NULL) raises 22023.';
