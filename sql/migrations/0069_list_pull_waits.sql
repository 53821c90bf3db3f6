-- It takes one argument more: for how long the provider is not to be asked.
DROP FUNCTION IF EXISTS followup.end_list_pull(text, timestamptz, text, boolean);
