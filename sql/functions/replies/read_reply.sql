CREATE OR REPLACE FUNCTION followup.read_reply(
    p_account bigint, p_follow_up_left boolean, p_event jsonb, p_timezone text, p_received_at timestamptz, p_known text[] = NULL)
RETURNS followup.reply_reading
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c_away_default constant interval := '7 days';
    v_kind    text := followup.automatic_kind(p_event);
    v_subject text := coalesce(p_event ->> 'subject', '');
    v_own     text := followup.own_words(coalesce(nullif(p_event ->> 'text', ''), p_event ->> 'full_text', ''));
    v_plain   text := followup.plain_text(v_own);
    v_asked   text;
    v_today   date := (p_received_at AT TIME ZONE p_timezone)::date;
    v_away    record;       -- asked where it is needed only: see says
    v_rule    followup.reply_rule;
    v_read    followup.reply_reading;
BEGIN
    v_read.automatic := v_kind IS NOT NULL;
    IF v_kind = 'report' THEN
        v_read := followup.read_report(v_read, followup.plain_text(coalesce(p_event ->> 'full_text', v_own)));
        RETURN v_read;
    END IF;
    v_read.contact := followup.named_contact(v_own, p_known || pg_catalog.lower(p_event ->> 'from'));
    -- A mail that was not answered but written: its subject is the sender's own ("unsubscribe" as mail programs send it).
    v_asked := pg_catalog.regexp_replace(
        v_plain || CASE WHEN v_subject !~* '^\s*(re|aw|sv|antw|tr|fw|fwd|wg)\s*:' THEN '. ' || followup.plain_text(v_subject) ELSE '' END,
        (SELECT pg_catalog.string_agg('(?:' || r.pattern || ')', '|' ORDER BY r.pattern) FROM followup.reply_phrase AS r WHERE r.meaning = 'kept'),
        ' ', 'g');

    -- What must not be missed, before everything else.
    IF followup.says('unsubscribe', v_asked)
       OR NOT v_read.automatic AND (followup.says('unsubscribe_word', v_asked) OR followup.says('unsubscribe_word', followup.plain_text(v_subject))
                                                                                  AND v_subject !~* '^\s*(re|aw|sv|antw|tr|fw|fwd|wg)\s*:') THEN
        v_read.outcome := 'unsubscribe';
        v_read.rule := 'asks not to be written to';
    END IF;
    IF NOT v_read.automatic THEN
        v_read.alert := CASE WHEN followup.says('legal', v_plain) THEN 'legal threat' WHEN followup.says('anger', v_plain) THEN 'anger' END;
        IF v_read.outcome IS NULL AND v_read.alert IS NOT NULL THEN
            v_read.outcome := 'stop';
            v_read.rule := v_read.alert;
        END IF;
    END IF;

    CASE
    WHEN v_read.outcome IS NOT NULL THEN
        NULL;
    WHEN followup.says('retired', v_plain) THEN
        v_read.outcome := 'deactivate:Retired';
        v_read.rule := 'has retired';
    WHEN followup.says('moved_out', v_plain) THEN
        v_read.outcome := 'deactivate:MovedOut';
        v_read.rule := 'has left the company';
    WHEN followup.says('out_of_office', v_plain)
         -- A machine that speaks as "I" and names a day ahead speaks of an absence, whatever it calls it.
         OR v_read.automatic AND v_plain ~ '\m(i|im|ill|ive|ich|je|estoy|estare)\M' AND (followup.away_until(v_plain, v_today)).day > v_today THEN
        v_away := followup.away_until(v_plain, v_today);
        v_read.outcome := 'out_of_office';
        v_read.until := CASE WHEN v_away.day IS NULL THEN p_received_at + c_away_default
                             ELSE greatest(followup.local_instant(v_away.day + '00:00'::time, p_timezone), p_received_at) END;
        v_read.rule := CASE WHEN v_away.day IS NOT NULL THEN 'away until ' || v_away.day
                            ELSE coalesce('away; "' || v_away.refused || '" could be two days', 'away, does not say until when') END;
    WHEN v_read.automatic AND followup.says('unattended', v_plain) THEN
        v_read.outcome := 'lead_to_review';
        v_read.rule := 'nobody reads there';
    WHEN v_read.contact IS NOT NULL AND (followup.says('not_mine', v_plain) OR NOT v_read.automatic AND followup.says('refers', v_plain)) THEN
        v_read.outcome := 'deactivate:ReferredSomeone';
        v_read.rule := 'names somebody else';
    WHEN v_read.automatic THEN
        v_read.outcome := 'keep_messaging';
        v_read.rule := 'automatic, says nothing that matters';
    ELSE
        v_read.outcome := followup.classified_outcome(p_event ->> 'classified', v_plain);
        v_read.rule := CASE WHEN v_read.outcome IS NOT NULL THEN 'classifier' END;
        IF v_read.outcome IS NULL THEN
            v_rule := followup.match_reply_rule(p_account, p_follow_up_left, p_event ->> 'from', v_subject, v_own);
            v_read.outcome := v_rule.outcome;
            v_read.rule := v_rule.id::text;
        END IF;
    END CASE;
    RETURN v_read;
END
$$;
COMMENT ON FUNCTION followup.read_reply(bigint, boolean, jsonb, text, timestamptz, text[]) IS
    'What a mail to us (the typed reply of src/inbound) means: a delivery report; a request not to be written to; anger or a legal threat (alert); retired, left, away (until, in p_timezone, from p_received_at on; without a date that can only be one: 7 days; past: p_received_at), names somebody else; automatic mail that says none of it: keep_messaging; then "classified", if it is an outcome; then the account''s reply rules; outcome NULL: nothing said it. Only the sender''s own words are read. p_known: addresses that are no new contact. Writes nothing.';
