CREATE OR REPLACE FUNCTION followup.check_sequence_document(p_document jsonb) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_complaint text;
    v_step      jsonb;
    v_number    integer := 0;
    v_keys      text[] := '{}';
BEGIN
    v_complaint := CASE
        WHEN jsonb_typeof(p_document) IS DISTINCT FROM 'object' THEN 'the document is no JSON object'
        WHEN jsonb_typeof(p_document -> 'name') IS DISTINCT FROM 'string' OR btrim(p_document ->> 'name') = ''
            THEN 'name: is missing'
        WHEN p_document ->> 'name' ~ '[[:cntrl:]]' OR length(p_document ->> 'name') > 200
            THEN 'name: is longer than 200 characters or holds a line break'
        WHEN jsonb_typeof(p_document -> 'steps') IS DISTINCT FROM 'array' THEN 'steps: is missing, or no list'
        WHEN jsonb_array_length(p_document -> 'steps') NOT BETWEEN 1 AND 200 THEN 'steps: there must be 1 to 200'
        WHEN p_document ? 'status_set' AND coalesce(p_document ->> 'status_set', '') NOT IN ('current', 'older')
            THEN 'status_set: is neither current nor older'
        END;
    IF v_complaint IS NULL THEN
        SELECT format('%s: unknown key', k) INTO v_complaint
          FROM jsonb_object_keys(p_document) AS k WHERE k NOT IN ('name', 'status_set', 'steps', 'sequence_id', 'version', 'paused_at') LIMIT 1; -- the last three: as sequence_show gives them
    END IF;
    IF v_complaint IS NOT NULL THEN
        RAISE EXCEPTION '%', v_complaint USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR v_step IN SELECT s FROM jsonb_array_elements(p_document -> 'steps') AS s LOOP
        v_number := v_number + 1;
        v_complaint := followup.sequence_step_complaint(v_step);
        IF v_complaint IS NULL AND v_step ->> 'key' = ANY (v_keys) THEN
            v_complaint := 'key: another step has it already';
        END IF;
        IF v_complaint IS NOT NULL THEN
            RAISE EXCEPTION 'step % (%) %', v_number, coalesce(v_step ->> 'key', 'no key'), v_complaint
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        v_keys := v_keys || (v_step ->> 'key');
    END LOOP;
    IF NOT EXISTS (SELECT FROM jsonb_array_elements(p_document -> 'steps') AS s WHERE s ->> 'kind' = 'sequence') THEN
        RAISE EXCEPTION 'steps: none is of kind sequence, so the sequence has no first message'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION followup.check_sequence_document(jsonb) IS
    'Refuses (22023) a sequence document with an unknown key, a missing or wrong value or a bad merge tag; the message names step and field.';
