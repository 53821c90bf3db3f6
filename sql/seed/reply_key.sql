-- The first secret of this installation; another is added by followup.add_reply_key() when this one has become known.
DO $$
BEGIN
    SET LOCAL ROLE followup_owner;
    IF NOT EXISTS (SELECT FROM followup.reply_key) THEN
        PERFORM followup.add_reply_key();
    END IF;
    RESET ROLE;
END
$$;
