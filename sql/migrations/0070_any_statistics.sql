-- An account may be nobody's when the tables are analysed and have a hundred thousand active leads a minute later. By what was
-- counted then the planner takes it for empty, and reads all that it has where it should look up twenty rows. So nothing is
-- counted in these columns: an account is taken for one of 200. Which messages wait is counted: only by that the few that do
-- are found among all that were sent; and what is few then may be many now, so nothing looks for single ones by these indexes alone.
ALTER TABLE followup.lead ALTER COLUMN account_id SET STATISTICS 0;
ALTER TABLE followup.conversation ALTER COLUMN account_id SET STATISTICS 0;
ALTER TABLE followup.message ALTER COLUMN account_id SET STATISTICS 0;
