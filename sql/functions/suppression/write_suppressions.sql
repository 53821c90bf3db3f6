CREATE OR REPLACE FUNCTION followup.write_suppressions(p_account bigint, p_addresses text[], p_reason text, p_source text, p_note text)
RETURNS void
LANGUAGE sql VOLATILE AS $$
    -- Of two reasons the stronger stays: a suppression for a bounce can be taken back.
    INSERT INTO followup.suppression AS s (account_id, address, reason, source, note)
    SELECT DISTINCT p_account, lower(u.address), p_reason, p_source, p_note FROM unnest(p_addresses) AS u (address)
        ON CONFLICT (account_id, address) DO UPDATE
           SET reason = excluded.reason, source = excluded.source, note = excluded.note
         WHERE followup.is_bounce(s.reason, s.source) AND NOT followup.is_bounce(excluded.reason, excluded.source)
$$;
COMMENT ON FUNCTION followup.write_suppressions(bigint, text[], text, text, text) IS
    'Internal: puts these addresses on the suppression list; all who do that call it. One that is there keeps its reason, source and note; but any other takes the place of a bounce (is_bounce), which unbounce takes away.';
