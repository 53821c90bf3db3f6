-- The pages and the API see one account at a time. The owner, the engine and the operators see all of them, by policy:
-- BYPASSRLS is an attribute of a role that its members do not inherit.
SET ROLE followup_owner;
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['profile', 'app_user', 'api_token', 'web_session', 'assistant', 'sequence',
        'sequence_version', 'step', 'send_window', 'lead', 'conversation', 'message', 'message_body', 'attempt',
        'cap_use', 'reply', 'provider_event', 'suppression', 'reply_rule', 'crm_event', 'bulk', 'activity'] LOOP
        EXECUTE format('ALTER TABLE followup.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY account ON followup.%I TO followup_app '
                       'USING (account_id = current_setting(''followup.account'')::bigint)', t);
        EXECUTE format('CREATE POLICY every_account ON followup.%I TO followup_admin, followup_engine USING (true)', t);
    END LOOP;
    ALTER TABLE followup.account ENABLE ROW LEVEL SECURITY;
    CREATE POLICY account ON followup.account TO followup_app
        USING (id = current_setting('followup.account')::bigint);
    CREATE POLICY every_account ON followup.account TO followup_admin, followup_engine USING (true);
    FOREACH t IN ARRAY ARRAY['holiday', 'crm_rule'] LOOP
        EXECUTE format('ALTER TABLE followup.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY account_reads ON followup.%I FOR SELECT TO followup_app '
                       'USING (account_id IS NULL OR account_id = current_setting(''followup.account'')::bigint)', t);
        EXECUTE format('CREATE POLICY account_writes ON followup.%I TO followup_app '
                       'USING (account_id = current_setting(''followup.account'')::bigint)', t);
        EXECUTE format('CREATE POLICY every_account ON followup.%I TO followup_admin, followup_engine USING (true)', t);
    END LOOP;
END
$$;

GRANT SELECT ON ALL TABLES IN SCHEMA followup TO followup_engine, followup_app, followup_admin;
REVOKE SELECT ON followup.lease, followup.worker FROM followup_app;
REVOKE SELECT ON followup.api_token, followup.web_session FROM followup_app;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA followup TO followup_admin;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA followup TO followup_admin;
GRANT INSERT, UPDATE, DELETE ON followup.send_window, followup.holiday, followup.reply_rule, followup.crm_rule TO followup_app;
-- Not IN SCHEMA: a default of one schema can only add to the global default, which lets everybody execute.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
RESET ROLE;
