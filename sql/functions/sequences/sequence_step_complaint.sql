CREATE OR REPLACE FUNCTION followup.sequence_step_complaint(p_step jsonb) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_field     text;
    v_complaint text;
BEGIN
    IF jsonb_typeof(p_step) IS DISTINCT FROM 'object' THEN
        RETURN 'is no JSON object';
    END IF;
    FOR v_field IN SELECT k FROM jsonb_object_keys(p_step) AS k LOOP
        IF v_field NOT IN ('key', 'kind', 'delay', 'unit', 'subject', 'body_text', 'body_html') THEN
            RETURN v_field || ': unknown key';
        END IF;
        IF jsonb_typeof(p_step -> v_field) <> 'string' AND NOT (v_field = 'body_html' AND p_step -> v_field = 'null') THEN
            RETURN v_field || ': is no text';
        END IF;
    END LOOP;
    FOREACH v_field IN ARRAY ARRAY['key', 'kind', 'delay', 'subject', 'body_text'] LOOP
        IF coalesce(btrim(p_step ->> v_field), '') = '' THEN
            RETURN v_field || ': is missing';
        END IF;
    END LOOP;
    IF p_step ->> 'key' !~ '^[A-Za-z0-9_.-]{1,64}$' THEN
        RETURN 'key: has other characters than letters, digits, _ . or -, or more than 64';
    ELSIF p_step ->> 'kind' NOT IN ('sequence', 'follow_up') THEN
        RETURN 'kind: is neither sequence nor follow_up';
    ELSIF coalesce(p_step ->> 'unit', 'elapsed') NOT IN ('elapsed', 'business_days') THEN
        RETURN 'unit: is neither elapsed nor business_days';
    ELSIF p_step ->> 'subject' ~ '[[:cntrl:]]' OR length(p_step ->> 'subject') > 900 THEN
        RETURN 'subject: holds a line break or is longer than 900 characters';
    ELSIF length(p_step ->> 'body_text') > 200000 OR length(p_step ->> 'body_html') > 200000 THEN
        RETURN 'body: is longer than 200000 characters';
    ELSIF p_step ->> 'delay' !~ '^ *(0|([0-9]{1,6} *(seconds?|minutes?|hours?|days?|weeks?)( +|$))+|([0-9]{1,6} days? +)?[0-9]{1,5}:[0-9]{2}:[0-9]{2})$' THEN
        RETURN format('delay: "%s" is no delay; write 0, "36 hours" or "2 days"', left(p_step ->> 'delay', 40));
    ELSIF (p_step ->> 'delay')::interval > '3 years' THEN
        RETURN 'delay: is longer than 3 years';
    ELSIF coalesce(p_step ->> 'unit', 'elapsed') = 'business_days' AND p_step ->> 'delay' !~ '^ *(0|00:00:00|[0-9]+ *days?) *$' THEN
        RETURN 'delay: of business days is given in days';
    END IF;
    FOREACH v_field IN ARRAY ARRAY['subject', 'body_text', 'body_html'] LOOP
        v_complaint := followup.merge_tag_complaint(p_step ->> v_field);
        IF v_complaint IS NOT NULL THEN
            RETURN v_field || ': ' || v_complaint;
        END IF;
    END LOOP;
    -- What a mail must show is no use where nobody sees it, and the footer is left out where the template has the tag.
    v_field := (SELECT t FROM unnest(ARRAY['unsubscribe_link', 'postal_address']) AS t
                 WHERE p_step ->> 'body_html' ~ ('\{\{\s*' || t) AND regexp_replace(p_step ->> 'body_html', '<!--.*?-->', '', 'g') !~ ('\{\{\s*' || t));
    IF v_field IS NOT NULL THEN
        RETURN 'body_html: ' || v_field || ' stands in a comment, where nobody sees it';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION followup.sequence_step_complaint(jsonb) IS
    'What is wrong with a step of a sequence document, field first ("delay: is missing"); NULL: nothing.';
