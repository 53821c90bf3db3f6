-- Accounts that are older than the reply rules get them, once: what a manager removes stays away.
DO $$
DECLARE
    v_account bigint;
BEGIN
    SET LOCAL ROLE followup_owner;
    FOR v_account IN UPDATE followup.account AS a SET reply_rules_at = clock_timestamp() WHERE a.reply_rules_at IS NULL RETURNING a.id LOOP
        PERFORM followup.give_reply_rules(v_account);
    END LOOP;
    RESET ROLE;
END
$$;
