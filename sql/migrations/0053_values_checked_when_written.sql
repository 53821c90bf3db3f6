-- PostgreSQL compiles and evaluates every CHECK of a table at every UPDATE, whatever it writes; the state of a lead is
-- written with the last message sent to him. What was typed in is refused by triggers on the columns it is about
-- (sql/triggers/lead_values.sql), under the name and with the words of the CHECK.
SET ROLE followup_owner;
ALTER TABLE followup.lead
    DROP CONSTRAINT lead_email_check,
    DROP CONSTRAINT lead_first_name_check,
    DROP CONSTRAINT lead_last_name_check,
    DROP CONSTRAINT lead_company_check,
    DROP CONSTRAINT lead_fields_check;
RESET ROLE;
