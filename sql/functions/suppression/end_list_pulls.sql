CREATE OR REPLACE FUNCTION followup.end_list_pulls(
    p_pulls followup.list_pull[], p_providers text[], p_types text[], p_default_provider text, p_real timestamptz)
RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_pull  record;
    v_error text;
    v_next  text;
BEGIN
    FOR v_pull IN
        SELECT p.account_id, p.provider_type, p.done, p.tries, p.applied, p.error, p.planned_at + k.waits <= p_real AS over,
               followup.list_providers(p.account_id, p.provider_type, p.done, p_providers, p_types, p_default_provider) AS left_over
          FROM unnest(p_pulls) AS p
          JOIN followup.suppression_list AS k ON k.provider_type = p.provider_type
         ORDER BY p.next_try_at, p.account_id, p.provider_type
    LOOP
        IF v_pull.left_over <> '{}' AND NOT v_pull.over THEN
            v_next := coalesce(v_next, v_pull.left_over[1]);
            CONTINUE;
        END IF;
        v_error := CASE WHEN v_pull.left_over <> '{}' THEN pg_catalog.format('given up after %s tries: %s', v_pull.tries, coalesce(v_pull.error, 'no answer'))
                        WHEN v_pull.done = '{}' THEN coalesce(v_pull.error, 'the account sends by no provider of this type any more')
                        ELSE v_pull.error END;
        UPDATE followup.list_pull AS p SET ended_at = p_real, error = v_error, known_until = CASE WHEN v_error IS NULL THEN p.planned_at ELSE p.known_until END
         WHERE p.account_id = v_pull.account_id AND p.provider_type = v_pull.provider_type;
        INSERT INTO followup.activity (account_id, actor, action, note, detail, at)
        VALUES (v_pull.account_id, 'engine', 'pull_list', v_error,
                pg_catalog.jsonb_build_object('provider_type', v_pull.provider_type, 'applied', v_pull.applied), followup.now());
    END LOOP;
    RETURN v_next;
END
$$;
COMMENT ON FUNCTION followup.end_list_pulls(followup.list_pull[], text[], text[], text, timestamptz) IS
    'Internal, of claim_list_pull, which has locked these pulls: ends those that were read whole, that nobody can ask for, or that were waited for long enough: an account''s messages go when none of its pulls is left. Answers the provider that is to be asked next.';
