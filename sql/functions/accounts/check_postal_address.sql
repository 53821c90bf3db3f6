CREATE OR REPLACE FUNCTION followup.check_postal_address(p_accounts bigint[]) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_account followup.account;
BEGIN
    SELECT a.* INTO v_account FROM followup.account AS a
     WHERE a.id = ANY (p_accounts) AND coalesce(pg_catalog.btrim(a.postal_address), '') = ''
     ORDER BY a.id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'account % (%) has no postal address, which every message to a lead must show', v_account.id, v_account.name
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'followupctl account add --postal-address, or UPDATE followup.account SET postal_address = ...';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.check_postal_address(bigint[]) IS
    'Refuses (22023) an account without a postal address: where a template does not show it, the footer of each message does, as it does the unsubscribe link, and without it there is nothing to show.';
