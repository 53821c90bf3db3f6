-- Filters, lists, the lead's page, status; and that pages see one account only.
BEGIN;
SELECT plan(45);
SELECT followup.add_account('Acme', 'Europe/Berlin', p_postal_address => 'Street 1') AS a, followup.add_account('Other', p_postal_address => 'Street 2') AS o \gset
SELECT followup.add_user(:a, 'Rita', 'rita@acme.example') AS u \gset
SELECT followup.add_assistant(:a, 'Ada', 'ada@acme.example') AS s \gset
SELECT sequence_id AS q FROM followup.import_sequence(:a, '{"name": "My sequence", "steps": [{"key": "one", "kind": "sequence", "delay": "2 days", "subject": "S", "body_text": "B"}]}') \gset
SELECT count(*) AS n FROM followup.import_leads(:a, '[{"email": "ann@x.example", "country": "DE", "rep_email": "rita@acme.example"}, {"email": "bob@x.example", "company": "B & Co", "external_id": "e7"}]', :q) \gset
SELECT count(*) AS n FROM followup.import_leads(:a, '[{"email": "cem@x.example", "country": "FR"}]') \gset
SELECT count(*) AS n FROM followup.import_leads(:o, '[{"email": "other@x.example"}]') \gset
CREATE FUNCTION pg_temp.found(p_filter text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN coalesce((SELECT string_agg(split_part(l.email, '@', 1), ' ' ORDER BY l.id)
                       FROM followup.find_leads((SELECT id FROM followup.account WHERE name = 'Acme'), p_filter) AS f
                       JOIN followup.lead AS l ON l.id = f), 'nobody');
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN SQLERRM;
END
$$;
SELECT is(pg_temp.found(NULL), 'ann bob cem', 'no filter means every lead of the account');
SELECT is(pg_temp.found('  '), 'ann bob cem', 'blanks are no filter');
SELECT is(pg_temp.found('state=active'), 'ann bob', 'by state');
SELECT is(pg_temp.found('state!=active'), 'cem', 'by another state');
SELECT is(pg_temp.found('sub_state=sequence'), 'ann bob', 'by sub-state');
SELECT is(pg_temp.found('sub_state=none'), 'cem', 'by no sub-state');
SELECT is(pg_temp.found('status=none state=active'), 'ann bob', 'terms are joined by AND');
SELECT is(pg_temp.found('status=hot_lead'), 'nobody', 'a status nobody has');
SELECT is(pg_temp.found('rep=RITA@acme.example'), 'ann', 'by representative, in any case');
SELECT is(pg_temp.found('rep=none'), 'bob cem', 'by no representative');
SELECT is(pg_temp.found('rep!=rita@acme.example'), 'bob cem', 'another representative, or none');
SELECT is(pg_temp.found('sequence="My sequence"'), 'ann bob', 'by sequence, quoted');
SELECT is(pg_temp.found('sequence=none'), 'cem', 'by no sequence');
SELECT is(pg_temp.found('assistant=ada country=de'), 'ann', 'by assistant and country');
SELECT is(pg_temp.found('company="b & co"'), 'bob', 'by company');
SELECT is(pg_temp.found('external_id=e7'), 'bob', 'by external id');
SELECT is(pg_temp.found('email=CEM@x.example'), 'cem', 'by address');
UPDATE followup.lead SET created_at = '2026-01-10 12:00+00' WHERE account_id = :a AND email LIKE 'ann%';
SELECT is(pg_temp.found('created=2026-01-10'), 'ann', 'a date is the whole day');
SELECT is(pg_temp.found('created>2026-01-10'), 'bob cem', 'after a date is after its day');
SELECT is(pg_temp.found('created<=2026-01-10'), 'ann', 'up to a date is up to its end');
SELECT is(pg_temp.found('created>=2026-01-10T12:00Z created<2026-01-10T12:01Z'), 'ann', 'instants');
SELECT count(*) AS n FROM followup.set_status(:a, ARRAY[followup.find_lead(:a, 'bob@x.example')], 'satisfied') \gset
SELECT is(pg_temp.found('status_at!=2026-01-10') || ', ' || pg_temp.found('status_at!=2026-01-10T12:00Z'), 'ann bob cem, ann bob cem', 'what is not set is not that day');
SELECT is(pg_temp.found('created>=2026-01-31T09:00+99'), 'filter term 1 "created>=2026-01-31T09:00+99": there is no such date', 'no zone is so far off');
SELECT is(pg_temp.found('state=procesed'), 'filter term 1 "state=procesed": state is one of new, active, processed, stopped, unsubscribed, deactivated', 'a wrong state is named, with the right ones');
SELECT is(pg_temp.found('state=new colour=red'), 'filter term 2 "colour=red": there is no key "colour"', 'a wrong key is named');
SELECT is(pg_temp.found('state=new hot'), 'filter term 2 "hot": is not key=value', 'a word is no term');
SELECT is(pg_temp.found('email="a'), 'filter term 1 "email="a": is not key=value', 'a quote is closed');
SELECT is(pg_temp.found('email="a"b'), 'filter term 1 "email="a"b": is not key=value', 'and ends its term');
SELECT is(pg_temp.found('email>a'), 'filter term 1 "email>a": email is compared with = or !=', 'words have no order');
SELECT is(pg_temp.found('created>=soon'), 'filter term 1 "created>=soon": the value is no date; write 2026-01-31 or 2026-01-31T09:00+01', 'a date is a date');
SELECT is(pg_temp.found('created>=2026-02-30'), 'filter term 1 "created>=2026-02-30": there is no such date', 'one that there is');
SELECT is(pg_temp.found($$email=x'/**/OR/**/'1'='1$$), 'nobody', 'a value is data');
SELECT is(pg_temp.found('email=") OR true --"'), 'nobody', 'a quoted one too');

SELECT is((SELECT string_agg(concat_ws(' ', email, state, sequence, rep, due_at IS NOT NULL), ', ' ORDER BY lead_id) FROM followup.lead_list(:a, 'state=active')),
          'ann@x.example active My sequence rita@acme.example t, bob@x.example active My sequence t', 'a list shows sequence, representative and the next message');
SELECT is((SELECT string_agg(email, ' ') FROM followup.lead_list(:a, NULL, 1, (SELECT min(id) FROM followup.lead WHERE account_id = :a))), 'bob@x.example', 'a page of a list');
SELECT is((followup.lead_show(:a, followup.find_lead(:a, 'ANN@x.example'))) ->> 'state', 'active', 'a lead is shown by address');
SELECT is((SELECT string_agg(e ->> 'title', ', ' ORDER BY e ->> 'what') FROM jsonb_array_elements(followup.lead_show(:a, followup.find_lead(:a, 'ann@x.example')) -> 'timeline') AS e),
          format('start by sql:%s, sequence one: scheduled', session_user), 'with its timeline');
SELECT throws_ok(format($$SELECT followup.find_lead(%s, 'nobody@x.example')$$, :a), 'P0002', 'there is no lead nobody@x.example', 'an unknown address is refused');
SELECT throws_ok(format($$SELECT followup.find_lead_ids(%s, '["ann@x.example", "n1@x.example", "17", "n2@x.example"]')$$, :a), 'P0002', 'there is no lead n1@x.example, n2@x.example', 'all unknown addresses are named');
SELECT is(followup.find_lead_ids(:a, '["cem@x.example", "17"]'), ARRAY[followup.find_lead(:a, 'cem@x.example'), 17::bigint], 'addresses and ids, in order');
SELECT throws_ok($$SELECT followup.find_named(NULL, 'account', NULL)$$, '22023', 'which account?', 'one of several must be named');
SELECT is((SELECT (leads, active, due_minute, due_hour, in_flight, in_doubt, sent_hour)::text FROM followup.account_status(:a)), '(3,2,0,0,0,0,0)', 'status counts');
SELECT is((SELECT count(*) FROM followup.account_status()), 2::bigint, 'every account has its line');

-- Pages see the account that is set, and no other, whatever they ask for.
SELECT set_config('followup.account', :'o', true) AS x \gset
SET LOCAL ROLE followup_app;
SELECT throws_ok(format($$SELECT followup.find_leads(%s, NULL)$$, :a), '22023', NULL, 'another account is not there for pages');
SELECT is((SELECT string_agg(email, ' ') FROM followup.lead_list(:o)), 'other@x.example', 'their own is');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
