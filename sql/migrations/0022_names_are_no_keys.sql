-- A name is unique, but nothing refers to it. An index with a predicate is no key that a foreign key could use, so a write of
-- the name locks its row as any other write does. As a key it took the row from every foreign key that looks at it: an action
-- that held the account waited for the row, and the writer of `SET name = ..., daily_cap = ...` for the account.
ALTER TABLE followup.assistant DROP CONSTRAINT assistant_account_id_name_key;
CREATE UNIQUE INDEX assistant_name ON followup.assistant (account_id, name) WHERE name IS NOT NULL;
ALTER TABLE followup.sequence DROP CONSTRAINT sequence_account_id_name_key;
CREATE UNIQUE INDEX sequence_name ON followup.sequence (account_id, name) WHERE name IS NOT NULL;
