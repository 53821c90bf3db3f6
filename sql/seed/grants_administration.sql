-- What pages and API may call of the administration: reading, with the caller's rights, so that row-level security
-- holds; what these call is the caller's too. Writing stays with the operators (grants.sql).
GRANT EXECUTE ON FUNCTION
    followup.sequence_show(bigint, bigint), followup.find_leads(bigint, text), followup.find_lead(bigint, text),
    followup.find_lead_ids(bigint, jsonb), followup.lead_list(bigint, text, integer, bigint),
    followup.lead_show(bigint, bigint), followup.require_account(bigint),
    followup.filter_condition(integer, text, text, text), followup.filter_instant(text, text, text, text),
    followup.conversation_status(bigint, bigint), followup.lead_timezone(text, text)
TO followup_app;
