-- Who may call what of the administration. Whatever is not here or in the other grants is the owner's alone.
GRANT EXECUTE ON FUNCTION
    followup.add_account, followup.add_user, followup.add_assistant, followup.import_sequence, followup.import_leads,
    followup.find_named, followup.account_status, followup.account_alerts, followup.engine_status,
    followup.webhook_confirmations
    TO followup_admin;
GRANT EXECUTE ON FUNCTION followup.copy_profile, followup.grant_permission TO followup_app, followup_admin;
-- Reading is done with the caller's rights, so that row-level security holds; what these call is the caller's too.
GRANT EXECUTE ON FUNCTION
    followup.sequence_show, followup.find_leads, followup.find_lead, followup.find_lead_ids, followup.lead_list,
    followup.lead_show, followup.require_account, followup.filter_condition, followup.filter_instant
    TO followup_app, followup_admin;
