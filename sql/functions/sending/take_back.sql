CREATE OR REPLACE FUNCTION followup.take_back(p_accounts bigint[], p_messages bigint[])
RETURNS TABLE (account_id bigint, message_id bigint, due_at timestamptz)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    v_obtained bigint[] := followup.obtain_caps(p_accounts);
BEGIN
    RETURN QUERY
    WITH back AS (
        SELECT m.account_id, m.id,
               CASE WHEN NOT followup.never_left(m.account_id, m.id, m.attempts, m.posts) THEN 'in_doubt'
                    WHEN m.detached THEN 'cancelled'
                    ELSE 'scheduled' END::followup.message_state AS state
          FROM unnest(p_accounts, p_messages) AS u(account_id, id)
          JOIN followup.message AS m ON m.account_id = u.account_id AND m.id = u.id
         WHERE m.state = 'sending' AND m.account_id = ANY (v_obtained)
    ), written AS (
        UPDATE followup.message AS m
           SET state = b.state, posts = m.posts - 1, attempts = m.attempts - (m.posts = 1)::integer,
               finished_at = CASE WHEN b.state = 'cancelled' THEN followup.now() END,
               detail = CASE WHEN b.state = 'cancelled' THEN 'not sent, and replaced meanwhile' ELSE m.detail END
          FROM back AS b
         WHERE m.account_id = b.account_id AND m.id = b.id AND m.state = 'sending'
        RETURNING m.account_id, m.id, m.due_at, m.state)
    SELECT w.account_id, w.id, w.due_at FROM written AS w WHERE w.state = 'scheduled';
END
$$;
COMMENT ON FUNCTION followup.take_back(bigint[], bigint[]) IS
    'Internal: sending, and certainly not posted since its claim (the caller has locked the rows and knows): the POST is uncounted, and the key too if it was its first. -> scheduled; in_doubt when an earlier POST of the key may have left; cancelled when replaced meanwhile (it plans nothing). Answers those scheduled. Those of an account whose caps somebody has for long are left as they are.';
