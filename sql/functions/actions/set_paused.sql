CREATE OR REPLACE FUNCTION followup.set_paused(
    p_account bigint, p_assistant bigint, p_sequence bigint, p_actor bigint, p_note text, p_paused_at timestamptz)
RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_actor   followup.actor := followup.require_permission(p_account, p_actor, 'pause');
    v_changed integer;
BEGIN
    PERFORM followup.require_read_committed();
    IF pg_catalog.num_nonnulls(p_assistant, p_sequence) > 1 THEN
        RAISE EXCEPTION 'pause, resume: name an assistant or a sequence, not both' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT EXISTS (SELECT FROM followup.account AS a WHERE a.id = p_account) THEN
        RAISE EXCEPTION 'there is no account %', p_account USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM followup.check_sequence(p_account, p_sequence, p_assistant);
    -- Each of them takes the account's lock, the one that every claim shares (account_written and its like).
    IF p_assistant IS NOT NULL THEN
        UPDATE followup.assistant AS a SET paused_at = p_paused_at
         WHERE a.account_id = p_account AND a.id = p_assistant AND (a.paused_at IS NULL) <> (p_paused_at IS NULL);
    ELSIF p_sequence IS NOT NULL THEN
        UPDATE followup.sequence AS s SET paused_at = p_paused_at
         WHERE s.account_id = p_account AND s.id = p_sequence AND (s.paused_at IS NULL) <> (p_paused_at IS NULL);
    ELSE
        UPDATE followup.account AS a SET paused_at = p_paused_at
         WHERE a.id = p_account AND (a.paused_at IS NULL) <> (p_paused_at IS NULL);
    END IF;
    GET DIAGNOSTICS v_changed = ROW_COUNT;
    IF v_changed > 0 THEN
        INSERT INTO followup.activity (account_id, actor, action, note, detail, at)
        VALUES (p_account, v_actor.name, CASE WHEN p_paused_at IS NULL THEN 'resume' ELSE 'pause' END, p_note,
                pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('assistant_id', p_assistant, 'sequence_id', p_sequence)),
                followup.now());
    END IF;
    RETURN v_changed > 0;
END
$$;
COMMENT ON FUNCTION followup.set_paused(bigint, bigint, bigint, bigint, text, timestamptz) IS
    'Sets (NULL: clears) paused_at; the account is locked then. False: it was so already.';
