-- A hundred and fifty regular expressions a reply cost more than all else; most rules have a word that the reply has not.
SET ROLE followup_owner;
ALTER TABLE followup.reply_rule ADD COLUMN needs text[];
COMMENT ON COLUMN followup.reply_rule.needs IS
    'of kind words, kept by its trigger: for each word the LIKE patterns of which one must occur, joined by |; spares most regular expressions. NULL: not known';
RESET ROLE;
