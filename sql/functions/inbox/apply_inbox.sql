CREATE OR REPLACE FUNCTION followup.apply_inbox(p_limit integer = 100)
RETURNS TABLE (account_id bigint, applied integer, unmatched integer, failed integer, fresh integer, more boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_items   followup.inbox_item[];
    v_locked  integer[];
    v_done    text[];       -- beside v_items: 'applied', 'unmatched', 'busy', or the error
    v_matched followup.inbox_item[];
    v_places  integer[];    -- of v_matched in v_items
    v_place   integer;
    v_began   timestamptz := clock_timestamp();
    v_more    boolean;
BEGIN
    PERFORM followup.require_read_committed();
    IF p_limit IS NULL OR p_limit NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'apply_inbox: the limit is 1 to 1000, not %', pg_catalog.quote_nullable(p_limit) USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Whoever renews a lease may be waiting for the one, and an account may have been taken for the other: the shortest of transactions.
    IF followup.inbox_beat() OR followup.judge_bounces() THEN
        RETURN QUERY SELECT NULL::bigint, 0, 0, 0, 0, true;
        RETURN;
    END IF;

    -- Whatever waits longest: events that are tried again, of nobody's messages perhaps, keep no webhook waiting.
    IF (SELECT min(w.received_at) FROM followup.webhook AS w WHERE w.error IS NULL)
       < (SELECT min(e.next_try_at) FROM followup.provider_event AS e WHERE e.next_try_at IS NOT NULL) THEN
        RETURN QUERY SELECT NULL::bigint, 0, 0, u.failed, u.events, true FROM followup.unpack_webhooks(p_limit) AS u WHERE u.taken > 0;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    SELECT t.items, t.more INTO v_items, v_more FROM followup.take_inbox_items(p_limit) AS t;
    IF v_items = '{}' THEN      -- a call of its own: no lock of a lead is held while another caller's events are waited for
        RETURN QUERY SELECT NULL::bigint, 0, 0, u.failed, u.events, true FROM followup.unpack_webhooks(p_limit) AS u WHERE u.taken > 0;
        RETURN;
    END IF;
    v_done := array_fill(NULL::text, ARRAY[cardinality(v_items)]);
    IF v_items[1].kind = 'replied' THEN
        v_done[1] := followup.try_inbox_item(v_items[1]);
    ELSE
        FOR v_place IN 1..cardinality(v_items) LOOP
            IF num_nonnulls(v_items[v_place].message_id, v_items[v_place].lead_id) = 0 THEN
                v_done[v_place] := 'unmatched';
            ELSE
                v_matched := v_matched || v_items[v_place];
                v_places := v_places || v_place;
                v_done[v_place] := 'busy';
            END IF;
        END LOOP;
        v_locked := followup.lock_inbox_items(coalesce(v_matched, '{}'));    -- places in v_matched
        BEGIN       -- mostly nothing is wrong with any of them: one subtransaction for all
            FOREACH v_place IN ARRAY v_locked LOOP
                PERFORM followup.apply_inbox_item(v_matched[v_place]);
                v_done[v_places[v_place]] := 'applied';
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            -- The first, and more for 2 s since the call began: what is left then is as if somebody had it.
            FOREACH v_place IN ARRAY v_locked LOOP
                v_done[v_places[v_place]] := CASE WHEN v_place = v_locked[1] OR clock_timestamp() < v_began + '2 seconds'::interval
                                                  THEN followup.try_inbox_item(v_matched[v_place]) ELSE 'busy' END;
            END LOOP;
        END;
    END IF;
    PERFORM followup.settle_inbox_items(v_items, v_done);

    RETURN QUERY
    SELECT i.account_id, count(*) FILTER (WHERE d.done = 'applied')::integer, count(*) FILTER (WHERE d.done = 'unmatched')::integer,
           count(*) FILTER (WHERE d.done NOT IN ('applied', 'unmatched', 'busy'))::integer, 0,
           v_more OR EXISTS (SELECT FROM followup.webhook AS w WHERE w.error IS NULL)
               OR EXISTS (SELECT FROM followup.bounce AS b WHERE NOT b.judged)
      FROM unnest(v_items) WITH ORDINALITY AS i
      JOIN unnest(v_done) WITH ORDINALITY AS d (done, place) ON d.place = i.ordinality
     GROUP BY i.account_id
     ORDER BY i.account_id;
END
$$;
COMMENT ON FUNCTION followup.apply_inbox(integer) IS
    'Applies at most p_limit (1..1000) stored events, those first that have been due longest; when a stored webhook has waited longer than they, or none is to be applied now, takes as many webhooks apart instead (unpack_webhooks). Any number of callers at once. A reply is applied alone (apply_inbound_reply). One that fails is kept with its error and tried again later, and never stops others (each is then in a subtransaction of its own); so is one of no message of ours, by then perhaps known (inbox_next_try: ten times in five days). One whose lead, account or caps somebody else has locked is put off for 100 ms: no call waits for a lock that is held long. Answers a row an account (NULL: of several): applied, unmatched, failed; fresh: events that were not known before, out of webhooks; more: call again at once. No row: there is nothing to do now; ask again within 10 s at most, for by its calls it is known when nobody received webhooks (events_may_be_missing). Pauses accounts by their bounce rate (judge_bounces). Refuses (25000) any isolation level but READ COMMITTED.';
