CREATE OR REPLACE FUNCTION followup.erase_lead(
    p_account bigint, p_leads bigint[], p_actor bigint = NULL, p_note text = NULL)
RETURNS SETOF followup.action_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor     followup.actor := followup.actor_of(p_account, p_actor, 'erase');
    v_plan      followup.lead_plan[];
    v_results   followup.action_result[];
    v_leads     bigint[];
    v_addresses text[];
BEGIN
    PERFORM followup.lock_leads(p_account, p_leads);
    v_plan := ARRAY(
        SELECT followup.lead_plan_refused(r, coalesce(r.reason, CASE WHEN f.lead_id IS NOT NULL THEN 'in_flight'::followup.skip_reason END))
          FROM followup.read_leads(p_account, p_leads, NULL, v_actor) AS r
          LEFT JOIN followup.in_flight_of(p_account, p_leads) AS f ON f.lead_id = r.lead_id);
    v_results := ARRAY(SELECT a FROM followup.action_results(p_account, p_leads, v_plan, NULL, NULL) AS a);
    SELECT array_agg(l.id), array_agg(lower(l.email)) INTO v_leads, v_addresses
      FROM unnest(v_plan) AS p JOIN followup.lead AS l ON l.account_id = p_account AND l.id = p.lead_id
     WHERE p.reason IS NULL;

    INSERT INTO followup.erased_address (account_id, digest, reason)
    SELECT p_account, followup.address_digest(p_account, l.email), coalesce(s.reason, l.state::text)
      FROM followup.lead AS l
      LEFT JOIN followup.suppression AS s ON s.account_id = l.account_id AND s.address = lower(l.email)
     WHERE l.account_id = p_account AND l.id = ANY (v_leads)
       AND (s.address IS NOT NULL OR l.state IN ('stopped', 'unsubscribed', 'deactivated'))
        ON CONFLICT (account_id, digest) DO UPDATE SET reason = excluded.reason, erased_at = excluded.erased_at;
    DELETE FROM followup.suppression AS s WHERE s.account_id = p_account AND s.address = ANY (v_addresses);
    -- What no foreign key takes along: events, which hold addresses and whole mails, mails of nobody's, and the record.
    DELETE FROM followup.provider_event AS e
     WHERE e.account_id = p_account
       AND (e.message_id IN (SELECT m.id FROM followup.message AS m WHERE m.account_id = p_account AND m.lead_id = ANY (v_leads))
            OR lower(btrim(e.payload ->> 'recipient')) = ANY (v_addresses)
            OR e.kind = 'replied' AND (lower(e.payload ->> 'from') = ANY (v_addresses) OR lower(e.payload ->> 'sender') = ANY (v_addresses)
                                       OR e.payload ->> 'message_id' IN (SELECT r.rfc_message_id FROM followup.reply AS r
                                                                          WHERE r.account_id = p_account AND r.lead_id = ANY (v_leads))));
    DELETE FROM followup.reply AS r
     WHERE r.account_id = p_account AND r.lead_id IS NULL AND lower(r.from_address) = ANY (v_addresses);
    DELETE FROM followup.activity AS a
     WHERE a.account_id = p_account
       AND (a.lead_id = ANY (v_leads) OR a.lead_id IS NULL AND a.detail ->> 'address' = ANY (v_addresses));
    DELETE FROM followup.lead AS l WHERE l.account_id = p_account AND l.id = ANY (v_leads);
    PERFORM followup.log_actions(p_account, v_leads, v_actor.name, 'erase', p_note);
    RETURN QUERY SELECT * FROM unnest(v_results);
END
$$;
COMMENT ON FUNCTION followup.erase_lead(bigint, bigint[], bigint, text) IS
    'The lead is gone, with all that is stored of it: conversations, messages and what left in them, replies, events of webhooks and mails that came from its address, the record of what was done to it, and its address on the suppression list. What must not be written to stays so: of a suppressed address, and of a lead that was stopped, unsubscribed or deactivated, a keyed hash is kept (erased_address), by which the address is suppressed again when a lead comes with it. One row of activity says who erased which id, with p_note: name nobody in it. Not undone. Refuses: in_flight (a message is being sent or in doubt: in_flight names it; again when it is settled), not_permitted (administrators), not_own_lead, not_found. Cost: reads the account''s events and mails. Not reached: a webhook that is not taken apart yet, backups, and what the provider stores.';
