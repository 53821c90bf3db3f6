-- For tests of what happens without it: a window that closed, a holiday that began, while a message was waiting already.
CREATE OR REPLACE FUNCTION followup.replan_messages(p_account bigint, p_messages bigint[], p_reason text) RETURNS integer
LANGUAGE sql AS 'SELECT 0';
CREATE OR REPLACE FUNCTION followup.replan_capped(p_account bigint, p_assistant bigint) RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
