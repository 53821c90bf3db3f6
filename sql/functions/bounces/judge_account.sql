CREATE OR REPLACE FUNCTION followup.judge_account(p_account bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_account followup.account;
    v_from    timestamptz;
    v_sent    bigint;
    v_bounced bigint;
BEGIN
    UPDATE followup.bounce AS b SET judged = true WHERE b.account_id = p_account AND NOT b.judged;
    SELECT a.* INTO v_account FROM followup.account AS a WHERE a.id = p_account;
    v_from := greatest(followup.now() - '7 days'::interval, v_account.bounces_counted_from);
    SELECT count(*) INTO v_bounced
      FROM followup.bounce AS b WHERE b.account_id = p_account AND b.at >= v_from AND b.sent_at >= v_from;
    -- To count what was sent reads all messages of the account. Mostly what was counted lately is enough to say No.
    IF v_account.paused_at IS NOT NULL OR v_bounced <= v_account.bounce_rate_limit * v_account.bounce_rate_messages
       OR EXISTS (SELECT FROM followup.bounce_count AS k
                   WHERE k.account_id = p_account AND k.resumed_at IS NOT DISTINCT FROM v_account.bounces_counted_from
                     AND k.counted_at > pg_catalog.clock_timestamp() - '10 minutes'::interval
                     AND v_bounced <= v_account.bounce_rate_limit * k.sent * 0.9) THEN
        RETURN true;
    END IF;
    -- And what was counted a moment ago, to say Yes while somebody had the account.
    SELECT k.sent INTO v_sent FROM followup.bounce_count AS k
     WHERE k.account_id = p_account AND k.resumed_at IS NOT DISTINCT FROM v_account.bounces_counted_from
       AND k.counted_at > pg_catalog.clock_timestamp() - '10 seconds'::interval
       AND k.sent >= v_account.bounce_rate_messages AND v_bounced > v_account.bounce_rate_limit * k.sent;
    IF v_sent IS NULL THEN
        v_sent := (SELECT count(*) FROM followup.message AS m
                    WHERE m.account_id = p_account AND m.kind IN ('sequence', 'follow_up')
                      AND m.state IN ('sent', 'delivered', 'bounced', 'complained') AND m.sent_at >= v_from);
        INSERT INTO followup.bounce_count AS k (account_id, sent, resumed_at, counted_at)
        VALUES (p_account, v_sent, v_account.bounces_counted_from, pg_catalog.clock_timestamp())
            ON CONFLICT (account_id) DO UPDATE SET sent = excluded.sent, resumed_at = excluded.resumed_at, counted_at = excluded.counted_at;
    END IF;
    IF v_sent < v_account.bounce_rate_messages OR v_bounced <= v_account.bounce_rate_limit * v_sent THEN
        RETURN true;
    END IF;
    PERFORM FROM followup.account AS a WHERE a.id = p_account FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN       -- one that is not judged is enough to be asked again
        UPDATE followup.bounce AS b SET judged = false
         WHERE b.account_id = p_account
           AND b.message_id = (SELECT max(x.message_id) FROM followup.bounce AS x WHERE x.account_id = p_account);
        RETURN false;
    END IF;
    UPDATE followup.account AS a
       SET paused_at = followup.now(),
           paused_reason = pg_catalog.format('bounce rate %s %%: %s of %s messages since %s came back, the limit is %s %%; resume ends this pause, and counts anew',
                round(100.0 * v_bounced / v_sent, 1), v_bounced, v_sent, pg_catalog.to_char(v_from AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
                round(100 * v_account.bounce_rate_limit, 1))
     WHERE a.id = p_account AND a.paused_at IS NULL;
    IF FOUND THEN
        INSERT INTO followup.activity (account_id, actor, action, note, at)
        SELECT a.id, 'engine', 'pause', a.paused_reason, followup.now() FROM followup.account AS a WHERE a.id = p_account;
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION followup.judge_account(bigint) IS
    'Internal: the breaker on bounces. Pauses the account, with its paused_reason, when of the messages that left within 7 days (and since the last resume), of which there must be bounce_rate_messages, a greater share than bounce_rate_limit came back. Takes the account''s row for itself: to be called with no other lock held. False: somebody else has that row; it is to be judged again.';
