CREATE OR REPLACE FUNCTION followup.return_place(p_account bigint, p_assistant bigint, p_day date) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE followup.cap_use AS u SET used = u.used - 1
     WHERE u.account_id = p_account AND u.assistant_id = p_assistant AND u.day = p_day AND u.used > 0;
END
$$;
COMMENT ON FUNCTION followup.return_place(bigint, bigint, date) IS
    'Gives a place under a daily cap back; nothing when it had none (NULL). The caller holds lock_caps.';
