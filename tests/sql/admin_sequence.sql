-- Sequences from documents: what is taken, what is a new version, and mistakes told by step and field.
BEGIN;
SELECT plan(44);
SELECT followup.add_account('Acme', p_postal_address => 'Street 1') AS a \gset
CREATE FUNCTION pg_temp.step(p_changes jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', 'W', 'steps', jsonb_build_array(jsonb_strip_nulls(
        '{"key": "one", "kind": "sequence", "delay": "2 days", "subject": "S", "body_text": "B"}'::jsonb || p_changes)))
$$;
CREATE FUNCTION pg_temp.refusal(p_document jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM followup.import_sequence((SELECT id FROM followup.account WHERE name = 'Acme'), p_document);
    RETURN 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN SQLERRM;
END
$$;
\set document '{"name": "W", "steps": [{"key": "one", "kind": "sequence", "delay": "0", "subject": "Hi {{first_name|there}}", "body_text": "B {{ assistant.name }}"}, {"key": "ask", "kind": "follow_up", "delay": "0", "subject": "F", "body_text": "B"}, {"key": "two", "kind": "sequence", "delay": "3 days", "unit": "business_days", "subject": "S", "body_text": "B", "body_html": "<p>B</p>"}]}'
SELECT is((SELECT (version, steps, changed)::text FROM followup.import_sequence(:a, :'document')), '(1,3,t)', 'a document is a first version');
SELECT is((SELECT string_agg(kind || ' ' || position || ' ' || step_key || ' ' || delay || ' ' || delay_unit, ', ' ORDER BY kind, position) FROM followup.step WHERE account_id = :a),
          'sequence 1 one 00:00:00 elapsed, sequence 2 two 3 days business_days, follow_up 1 ask 00:00:00 elapsed', 'follow-ups have positions of their own');
SELECT is((SELECT (version, changed)::text FROM followup.import_sequence(:a, :'document')), '(1,f)', 'the same again is no new version');
SELECT is((SELECT (version, changed)::text FROM followup.import_sequence(:a, jsonb_set(:'document', '{steps,0,subject}', '"Hello"'))), '(2,t)', 'a changed subject is a new version');
SELECT is((SELECT subject FROM followup.step WHERE account_id = :a AND version = 1 AND step_key = 'one'), 'Hi {{first_name|there}}', 'the old version stays as it was');
SELECT is((SELECT (version, changed)::text FROM followup.import_sequence(:a, jsonb_set(:'document', '{steps,2,body_html}', 'null'))), '(3,t)', 'no HTML any more is a new version');
SELECT is((SELECT (version, changed)::text FROM followup.import_sequence(:a, followup.sequence_show(:a, (SELECT id FROM followup.sequence WHERE account_id = :a)))), '(3,f)', 'what is shown can be imported, and is the same');
SELECT is((SELECT count(*) FROM followup.sequence WHERE account_id = :a), 1::bigint, 'it is one sequence');
SELECT is((SELECT (s.status_set)::text FROM followup.import_sequence(:a, :'document'::jsonb || '{"status_set": "older"}') AS i JOIN followup.sequence AS s ON s.account_id = :a AND s.id = i.sequence_id), 'current', 'the statement sees the set before it');
SELECT is((SELECT status_set::text FROM followup.sequence WHERE account_id = :a), 'older', 'the set of statuses can be changed');
SELECT is(followup.sequence_show(:a, 0), NULL, 'an unknown sequence shows nothing');

SELECT is(pg_temp.refusal('[]'), 'the document is no JSON object', 'a list is refused');
SELECT is(pg_temp.refusal(NULL), 'the document is no JSON object', 'NULL is refused');
SELECT is(pg_temp.refusal('{"steps": []}'), 'name: is missing', 'a name is needed');
SELECT is(pg_temp.refusal('{"name": 3}'), 'name: is missing', 'a number is no name');
SELECT is(pg_temp.refusal('{"name": "W"}'), 'steps: is missing, or no list', 'steps are needed');
SELECT is(pg_temp.refusal('{"name": "W", "steps": []}'), 'steps: there must be 1 to 200', 'one step at least');
SELECT is(pg_temp.refusal('{"name": "W", "steps": ["x"]}'), 'step 1 (no key) is no JSON object', 'a step is an object');
SELECT is(pg_temp.refusal(pg_temp.step('{}') || '{"colour": 1}'), 'colour: unknown key', 'an unknown key is named');
SELECT is(pg_temp.refusal(pg_temp.step('{}') || '{"status_set": "new"}'), 'status_set: is neither current nor older', 'status_set is one of two');
SELECT is(pg_temp.refusal(pg_temp.step('{"colour": "x"}')), 'step 1 (one) colour: unknown key', 'an unknown key of a step is named');
SELECT is(pg_temp.refusal(pg_temp.step('{"key": null}')), 'step 1 (no key) key: is missing', 'a key is needed');
SELECT is(pg_temp.refusal(pg_temp.step('{"key": "a b"}')), 'step 1 (a b) key: has other characters than letters, digits, _ . or -, or more than 64', 'a key is a word');
SELECT is(pg_temp.refusal(pg_temp.step('{"kind": "email"}')), 'step 1 (one) kind: is neither sequence nor follow_up', 'a kind is one of two');
SELECT is(pg_temp.refusal(pg_temp.step('{"kind": "follow_up"}')), 'steps: none is of kind sequence, so the sequence has no first message', 'a first message is needed');
SELECT is(pg_temp.refusal(pg_temp.step('{"unit": "weeks"}')), 'step 1 (one) unit: is neither elapsed nor business_days', 'a unit is one of two');
SELECT is(pg_temp.refusal(pg_temp.step('{"delay": 3}')), 'step 1 (one) delay: is no text', 'a delay has a unit');
SELECT is(pg_temp.refusal(pg_temp.step('{"delay": "3"}')), 'step 1 (one) delay: "3" is no delay; write 0, "36 hours" or "2 days"', 'a bare number is no delay');
SELECT is(pg_temp.refusal(pg_temp.step('{"delay": "-1 days"}')), 'step 1 (one) delay: "-1 days" is no delay; write 0, "36 hours" or "2 days"', 'a delay is not negative');
SELECT is(pg_temp.refusal(pg_temp.step('{"delay": "9999 days"}')), 'step 1 (one) delay: is longer than 3 years', 'a delay has an end');
SELECT is(pg_temp.refusal(pg_temp.step('{"delay": "36 hours", "unit": "business_days"}')), 'step 1 (one) delay: of business days is given in days', 'business days are days');
SELECT is(pg_temp.refusal(pg_temp.step('{"subject": "a\nBcc: b"}')), 'step 1 (one) subject: holds a line break or is longer than 900 characters', 'a subject is one line');
SELECT is(pg_temp.refusal(pg_temp.step('{"subject": ""}')), 'step 1 (one) subject: is missing', 'a subject is needed');
SELECT is(pg_temp.refusal(pg_temp.step('{"body_text": null}')), 'step 1 (one) body_text: is missing', 'a text body is needed');
SELECT is(pg_temp.refusal(pg_temp.step('{"subject": "Hi {{first name}}"}')), 'step 1 (one) subject: "{{first name}}" is no merge tag', 'a tag with a blank is named');
SELECT is(pg_temp.refusal(pg_temp.step('{"body_text": "x {{first_name"}')), 'step 1 (one) body_text: "{{first_name" is no merge tag', 'an open tag is named');
SELECT is(pg_temp.refusal(pg_temp.step('{"body_html": "{{first_name|}}"}')), 'step 1 (one) body_html: "{{first_name|}}" is no merge tag', 'an empty fallback is no fallback');
SELECT is(pg_temp.refusal(pg_temp.step('{"body_text": "{{}}"}')), 'step 1 (one) body_text: "{{}}" is no merge tag', 'an empty tag is named');
SELECT is(pg_temp.refusal(pg_temp.step('{"body_text": "{{1st}}"}')), 'step 1 (one) body_text: "{{1st}}" is no merge tag', 'a name begins with a letter');
SELECT is(pg_temp.refusal(pg_temp.step('{"body_text": "{{a}} {{b|c d}} }} { { {{ x.y-z | e }}"}')), 'accepted', 'right tags and single braces are text');
SELECT is(pg_temp.refusal(jsonb_set(:'document', '{steps,2,key}', '"one"')), 'step 3 (one) key: another step has it already', 'a key is one step''s');
SELECT followup.add_user(:a, 'Rep', 'rep@acme.example') AS u \gset
SELECT throws_ok(format($$SELECT followup.import_sequence(%s, '{}', %s)$$, :a, :u), '42501', 'Rep has no permission to import', 'a rep imports nothing');
SELECT throws_ok($$SELECT followup.import_sequence(0, '{}')$$, '22023', 'there is no account 0', 'an unknown account is refused');
SELECT is((SELECT count(*) FROM followup.sequence_version WHERE account_id = :a), 5::bigint, 'nothing refused left a version behind');
SELECT * FROM finish();
ROLLBACK;
