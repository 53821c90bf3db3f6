-- A message and a conversation are entered twice into the indexes that do not leave a row out when its state changes: when they
-- are planned, and by the update with which they end. With room for the second entry on the page of the first, that update
-- neither cleans up nor splits a page. It holds for pages from now on; REINDEX makes it so for all.
SET ROLE followup_owner;
ALTER INDEX followup.message_pkey SET (fillfactor = 50);
ALTER INDEX followup.message_conversation SET (fillfactor = 50);
ALTER INDEX followup.conversation_pkey SET (fillfactor = 50);
ALTER INDEX followup.conversation_lead SET (fillfactor = 50);
RESET ROLE;
