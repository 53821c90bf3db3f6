-- Who may call what of the administration. New accounts are the operators' alone.
REVOKE ALL ON FUNCTION
    followup.add_account(text, text, text, text, text), followup.add_user(bigint, text, text, text, text, bigint),
    followup.add_assistant(bigint, text, text, text, text, text, text, integer, bigint),
    followup.import_sequence(bigint, jsonb, bigint),
    followup.import_leads(bigint, jsonb, bigint, bigint, text, boolean, bigint),
    followup.sequence_show(bigint, bigint), followup.find_leads(bigint, text), followup.find_lead(bigint, text), followup.find_lead_ids(bigint, jsonb),
    followup.find_named(bigint, text, text), followup.lead_list(bigint, text, integer, bigint),
    followup.lead_show(bigint, bigint), followup.account_status(bigint), followup.engine_status()
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    followup.add_account(text, text, text, text, text), followup.add_user(bigint, text, text, text, text, bigint),
    followup.add_assistant(bigint, text, text, text, text, text, text, integer, bigint),
    followup.import_sequence(bigint, jsonb, bigint),
    followup.import_leads(bigint, jsonb, bigint, bigint, text, boolean, bigint),
    followup.sequence_show(bigint, bigint), followup.find_leads(bigint, text), followup.find_lead(bigint, text), followup.find_lead_ids(bigint, jsonb),
    followup.find_named(bigint, text, text), followup.lead_list(bigint, text, integer, bigint),
    followup.lead_show(bigint, bigint), followup.account_status(bigint), followup.engine_status()
TO followup_admin;
GRANT EXECUTE ON FUNCTION
    followup.sequence_show(bigint, bigint), followup.find_leads(bigint, text), followup.find_lead(bigint, text), followup.find_lead_ids(bigint, jsonb),
    followup.lead_list(bigint, text, integer, bigint), followup.lead_show(bigint, bigint)
TO followup_app;
-- These run with the caller's rights, so that row-level security holds; what they call is then the caller's too.
GRANT EXECUTE ON FUNCTION
    followup.require_account(bigint), followup.filter_condition(integer, text, text, text),
    followup.filter_instant(text, text, text, text), followup.conversation_status(bigint, bigint),
    followup.lead_timezone(text, text)
TO followup_app, followup_admin;
