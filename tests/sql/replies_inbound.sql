-- A mail came in: whose it is, how far it is believed, and what becomes of its lead. How it is read: replies_read.sql.
BEGIN;
\ir support/rules_world.sql
CREATE EXTENSION pgcrypto SCHEMA t;
SELECT plan(70);

CREATE FUNCTION t.email(p_lead bigint) RETURNS text LANGUAGE sql AS $$ SELECT email FROM followup.lead WHERE id = p_lead $$;
-- The lead's first message as it leaves the engine: with a Message-ID, sent, the provider's id known.
CREATE FUNCTION t.sent(p_lead bigint, p_provider_id text = NULL, p_signed boolean = true) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_message bigint := t.live(p_lead);
BEGIN
    UPDATE followup.message SET provider_message_id = p_provider_id,
           rfc_message_id = '<fu-' || CASE WHEN p_signed THEN t.token(v_message) ELSE '1-' || v_message END || '@a.example>' WHERE id = v_message;
    PERFORM t.finish(p_lead);
    RETURN v_message;
END $$;
CREATE FUNCTION t.token(p_message bigint, p_account bigint = 1) RETURNS text LANGUAGE sql AS $$
    SELECT followup.reply_token(p_account, p_message, k.inner_key, k.outer_key) FROM followup.reply_key AS k ORDER BY k.id DESC LIMIT 1 $$;
CREATE FUNCTION t.rfc(p_message bigint) RETURNS text LANGUAGE sql AS $$ SELECT rfc_message_id FROM followup.message WHERE id = p_message $$;
-- One mail; fields over the usual ones.
CREATE FUNCTION t.mail(p_lead bigint, p_text text, p_more jsonb = '{}') RETURNS text LANGUAGE sql AS $$
    SELECT followup.apply_inbound_reply(1, jsonb_build_object('from', t.email(p_lead), 'sender', t.email(p_lead), 'subject', 'Re: hello',
               'recipients', '["sue@a.example"]'::jsonb, 'text', p_text) || p_more) $$;
CREATE FUNCTION t.to(p_address text) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('recipients', jsonb_build_array('sue@a.example', p_address)) $$;
CREATE FUNCTION t.auto() RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"headers": [["Auto-Submitted", "auto-replied"]]}'::jsonb $$;

-- The signature
SELECT followup.add_reply_key('a secret of 24 bytes ....') AS made \gset
SELECT is(followup.reply_token(7, 4711, k.inner_key, k.outer_key),
          '7-4711-' || encode(substr(t.hmac(int8send(7) || int8send(4711), 'a secret of 24 bytes ....', 'sha256'), 1, 14), 'hex'), 'a token is HMAC-SHA256 over both ids, cut to 14 bytes')
  FROM followup.reply_key AS k ORDER BY k.id DESC LIMIT 1;
SELECT followup.add_reply_key(decode(repeat('ab', 64), 'hex')) AS made \gset
SELECT is(followup.reply_token(7, 4711, k.inner_key, k.outer_key),
          '7-4711-' || encode(substr(t.hmac(int8send(7) || int8send(4711), decode(repeat('ab', 64), 'hex'), 'sha256'), 1, 14), 'hex'), 'with a secret of a whole block too')
  FROM followup.reply_key AS k ORDER BY k.id DESC LIMIT 1;
SELECT cmp_ok(length('r-' || followup.reply_token(1234567890123, 9223372036854775807, inner_key, outer_key)), '<=', 64, 'a local part has room for it') FROM followup.reply_key LIMIT 1;
SELECT throws_ok($$ SELECT followup.add_reply_key('short') $$, '22023', NULL, 'a secret that can be guessed is refused');
SELECT is(followup.signed_message(1, followup.reply_token(1, 5, inner_key, outer_key)), 5::bigint, 'what an earlier key signed is still good') FROM followup.reply_key ORDER BY id LIMIT 1;
SELECT is(followup.signed_message(2, t.token(5)), NULL, 'in its account only');
SELECT is(followup.signed_message(1, replace(t.token(5), '1-5-', '1-6-')), NULL, 'and for its message only');
SELECT is_empty($$ SELECT r FROM unnest(ARRAY['followup_engine', 'followup_app', 'followup_admin']) AS r WHERE has_table_privilege(r, 'followup.reply_key', 'SELECT') $$,
                'nobody but the owner reads the secret');

-- Whose it is
SELECT t.started() AS l, t.started() AS other \gset
SELECT t.sent(:l) AS m, t.sent(:other, 'prov-17') AS m2 \gset
SELECT is(t.mail(:l, 'text', t.to('r-' || t.token(:m) || '@in.example')), 'token', 'a token in a recipient');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'processed/responded/lead_to_review a:sent b:cancelled', 'finds its lead, and what is pending is cancelled');
SELECT is((SELECT (message_id, lead_id, matched_by, outcome)::text FROM followup.reply ORDER BY id DESC LIMIT 1), (:m, :l, 'token', 'lead_to_review')::text, 'the reply is kept with message, lead and how it was found');
SELECT is((SELECT followup.match_reply(1, t.to(v.address))::text), (:m, :l, 'token', true)::text, v.what)
  FROM (VALUES ('reply+r-' || t.token(:m) || '@in.example', 'as a plus address'), (upper('R-' || t.token(:m) || '@IN.example'), 'in capitals'),
               ('r-' || t.token(:m) || '+x@in.example', 'with something behind a plus')) AS v (address, what);
SELECT is((SELECT (followup.match_reply(1, t.to('r-1-' || :m || '-' || repeat('0', 28) || '@in.example') || '{"from": "mallory@x.example"}')).lead_id), NULL, 'a forged token is nobody''s');
SELECT is((followup.match_reply(1, jsonb_build_object('from', 'x@y.example', 'in_reply_to', t.rfc(:m)))).matched_by, 'in_reply_to', 'In-Reply-To names our Message-ID');
SELECT is((followup.match_reply(1, jsonb_build_object('in_reply_to', '<else@where>', 'references', jsonb_build_array(t.rfc(:m), t.rfc(:m2), '<no@body>')))).lead_id,
          :other::bigint, 'References, from the last');
SELECT is((followup.match_reply(1, jsonb_build_object('in_reply_to', v.id))).message_id, :m2::bigint, v.what)
  FROM (VALUES ('<prov-17@eu-west-1.amazonses.com>', 'a Message-ID that the provider made of its id'), ('<prov-17>', 'in brackets'), ('prov-17', 'bare')) AS v (id, what);
SELECT is((followup.match_reply(1, t.to('r-' || t.token(:m) || '@in.example') || jsonb_build_object('in_reply_to', t.rfc(:m2)))).lead_id, :l::bigint, 'the token is surer than In-Reply-To');
SELECT is((followup.match_reply(1, jsonb_build_object('in_reply_to', replace(t.rfc(:m2), '-' || :m2 || '-', '-' || :m || '-')))).lead_id, NULL, 'a Message-ID made up of another is nobody''s');
SELECT is((followup.match_reply(2, t.to('r-' || t.token(:m) || '@in.example'))).lead_id, NULL, 'another account''s token is nobody''s');
SELECT is((followup.match_reply(1, '{"recipients": "r-1", "references": {"a": 1}, "headers": 7}')).lead_id, NULL, 'nonsense is nobody''s');

-- What can be counted up proves nothing by itself
SELECT t.started() AS l \gset
SELECT t.sent(:l, NULL, false) AS m \gset
SELECT is((followup.match_reply(1, jsonb_build_object('from', v.sender, 'dmarc', v.dmarc, 'spf', v.spf) || t.to('r-1-' || :m || '@in.example'))).matched_by, v.expected, v.what)
  FROM (VALUES (t.email(:l), NULL, NULL, 'token', 'a token of before they were signed, from the lead''s address'),
               (upper(t.email(:l)), NULL, NULL, 'token', 'in any case of letters'),
               ('x@y.example', 'pass', 'pass', NULL, 'but from another''s it is nobody''s'),
               (t.email(:l), 'fail', 'pass', NULL, 'nor from a forged one'),
               (t.email(:l), NULL, 'fail', NULL, 'nor when SPF fails and nothing else speaks for it')) AS v (sender, dmarc, spf, expected, what);
SELECT is((followup.match_reply(1, jsonb_build_object('from', 'x@y.example', 'in_reply_to', t.rfc(:m)))).lead_id, NULL, 'so with Message-IDs');

-- The address alone
SELECT is(t.mail(:l, 'I am interested, please call me.'), 'unmatched', 'an address alone, which nothing proves, decides nothing');
SELECT is(t.state(:l) || ' ' || t.messages(:l), 'active/sequence a:sent b:scheduled', 'its lead stays as it is');
SELECT is((SELECT (lead_id, outcome, settled_at)::text FROM followup.reply ORDER BY id DESC LIMIT 1), '(,hot_lead,)', 'the mail is kept for a person, as it was read');
SELECT is(t.mail(:l, 'I am interested, please call me.', '{"dmarc": "fail"}'), 'unmatched', 'a forged address too');
SELECT is(t.mail(:l, 'Please unsubscribe me', '{"dmarc": "fail"}'), 'unmatched', 'even to be left out');
SELECT is(t.mail(:l, 'I am interested, please call me.', '{"dmarc": "pass"}'), 'address', 'DMARC proves it');
SELECT is(t.state(:l), 'active/follow_up/hot_lead', 'and then it counts');
SELECT t.started() AS l \gset
SELECT is((followup.match_reply(1, jsonb_build_object('from', t.email(:l), 'sender', 'bounce@' || v.domain, 'spf', 'pass'))).proved, v.proved, v.what)
  FROM (VALUES ('l.example', true, 'SPF for the same domain proves it too'), ('else.example', false, 'for another domain it does not')) AS v (domain, proved, what);
SELECT is(t.mail(:l, 'stop', '{}'), 'address', 'a request not to be written to, from its own address, is followed without proof');
SELECT is(t.state(:l), 'unsubscribed', 'at once');
SELECT t.started() AS l, t.started() AS other \gset
SELECT is(t.mail(:l, 'Please stop writing to ' || t.email(:other), '{"from": "somebody@else.example"}'), 'unmatched', 'a stranger''s mail');
SELECT is(t.state(:other) || ' ' || t.state(:l), 'active/sequence active/sequence', 'stops nobody');

-- Twice
SELECT t.sent(:l) AS m \gset
SELECT t.to('r-' || t.token(:m) || '@in.example') AS at \gset
SELECT t.mail(:l, 'text', :'at'::jsonb || '{"message_id": "<1@x>"}') AS first \gset
SELECT is(t.mail(:l, 'text', :'at'::jsonb || '{"message_id": "<1@x>"}'), 'repeated', 'the same mail again');
SELECT is((SELECT count(*)::integer FROM followup.reply WHERE lead_id = :l), 1, 'is kept once');

-- What the outcomes do
CREATE FUNCTION t.after_mail(p_text text, p_more jsonb = '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_lead    bigint := t.started();
    v_message bigint := t.sent(v_lead);
BEGIN
    PERFORM t.mail(v_lead, p_text, t.to('r-' || t.token(v_message) || '@in.example') || p_more);
    RETURN t.state(v_lead) || ' ' || t.messages(v_lead);
END $$;
SELECT is(t.after_mail('I have retired.'), 'deactivated/Retired/disqualified a:sent b:cancelled', 'retired');
SELECT is(t.after_mail('I no longer work there.'), 'deactivated/MovedOut/disqualified a:sent b:cancelled', 'left the company');
SELECT is(t.after_mail('I am not the right person, please contact jane@x.example'), 'deactivated/ReferredSomeone/disqualified a:sent b:cancelled', 'names somebody else');
SELECT is((SELECT contact FROM followup.reply ORDER BY id DESC LIMIT 1), '{"email": "jane@x.example"}'::jsonb, 'who is kept with the reply');
SELECT is(t.after_mail('You will hear from my lawyer'), 'stopped a:sent b:cancelled', 'a legal threat stops');
SELECT is((SELECT string_agg(action || ':' || note, ' ' ORDER BY id) FROM followup.activity WHERE lead_id = (SELECT max(lead_id) FROM followup.reply)), 'reply:stop alert:legal threat in a reply', 'and raises an alert');
SELECT is((SELECT count(*)::integer FROM followup.suppression), 1, 'without a word about its address');
SELECT is(t.after_mail('We have received your request.', t.auto()), 'active/sequence a:sent b:scheduled', 'automatic mail that says nothing stops nothing');
SELECT is(t.after_mail('Your mail could not be delivered: 550 5.1.1 no such user', '{"headers": [["Content-Type", "multipart/report; report-type=delivery-status"]]}'),
          'deactivated/BounceDeactivated a:bounced b:cancelled', 'a delivery report bounces the message');
SELECT is(t.after_mail('Still waiting for a call', '{"classified": "satisfied"}'), 'processed/responded/satisfied a:sent b:cancelled', 'a classifier goes before the rules');
SELECT is(t.after_mail('Yes', '{"classified": "satisfied"}'), 'processed/responded/lead_to_review a:sent b:cancelled', 'but a bare yes is not satisfied');
SELECT is(t.after_mail('please unsubscribe me', '{"classified": "hot_lead"}'), 'unsubscribed a:sent b:cancelled', 'nor goes it before a request to stop');
SELECT is(t.after_mail('whatever', '{"classified": "delighted"}'), 'processed/responded/lead_to_review a:sent b:cancelled', 'and what is no outcome is ignored');

-- Out of office: held, and what was left of the wait is left afterwards
SET test.now = '2026-03-02 08:00+00';
SELECT t.started() AS l \gset
SELECT t.sent(:l) AS m \gset
SELECT t.to('r-' || t.token(:m) || '@in.example') || t.auto() AS at \gset
SELECT is(t.due(:l), '2026-03-04 08:00', 'the next message is due two days on');
SET test.now = '2026-03-03 08:00+00';
SELECT t.mail(:l, 'I am out of office and back on Monday 16 March.', :'at') AS first \gset
SELECT is(t.state(:l) || ' ' || t.messages(:l) || ' ' || t.due(:l), 'active/out_of_office a:sent b:scheduled 2026-03-16 23:00', 'a day of the wait was left, and a day after the return it is due (midnight in Berlin is 23:00)');
SELECT is((SELECT until FROM followup.reply WHERE lead_id = :l), '2026-03-15 23:00+00', 'the reply says until when');
SELECT t.mail(:l, 'I am out of office and back on Monday 16 March.', :'at') AS again \gset
SELECT is(t.due(:l), '2026-03-16 23:00', 'told a second time it changes nothing');
SELECT t.mail(:l, 'I am out of office until 9 March.', :'at') AS again \gset
SELECT is(t.due(:l), '2026-03-09 23:00', 'the last word counts');
SELECT t.mail(:l, 'I was out of office until 2 March.', :'at') AS back \gset
SELECT is(t.state(:l) || ' ' || t.due(:l), 'active/sequence 2026-03-04 08:00', 'a day that has passed: they are back');
SELECT done FROM followup.hold(1, ARRAY[:l], '2026-04-01 00:00+00') \gset
SELECT t.mail(:l, 'I am out of office until 9 March.', :'at') AS again \gset
SELECT is(t.due(:l), '2026-04-01 00:00', 'a longer hold of a person stays');
SELECT t.started() AS l5 \gset
SELECT t.mail(:l5, 'I am out of office until 9 March.', t.auto()) AS away \gset
SELECT done FROM followup.hold(1, ARRAY[:l5], '2026-04-01 00:00+00') \gset
SELECT t.mail(:l5, 'I am out of office until 10 March.', t.auto()) AS again \gset
SELECT is(t.due(:l5), '2026-04-01 00:00', 'one that came after an absence too');
SELECT t.mail(:l, 'I am out of the office.', :'at') AS again, t.started() AS l2 \gset
SELECT t.mail(:l2, 'I am out of the office.', t.auto()) AS without \gset
SELECT is(t.state(:l2) || ' ' || t.due(:l2), 'active/out_of_office 2026-03-10 08:00', 'without a date: seven days; the address alone is enough to hold its own lead');
SELECT t.finish(:l2) AS b \gset
SELECT is(t.state(:l2), 'active/sequence', 'written to again, the lead is in its sequence again');
SELECT t.started() AS l3 \gset
SELECT t.mail(:l3, 'I am out of the office.', t.auto()) AS held \gset
SELECT done FROM followup.release(1, ARRAY[:l3]) \gset
SELECT is(t.state(:l3), 'active/sequence', 'released, it is too');
SELECT t.lead_in('active/follow_up') AS l4 \gset
SELECT t.due(:l4) AS before, t.mail(:l4, 'I am out of the office.', t.auto()) AS held \gset
SELECT is(t.state(:l4) || ' ' || t.due(:l4), 'active/follow_up ' || to_char(:'before'::timestamp + '7 days', 'YYYY-MM-DD HH24:MI'), 'a follow-up is held as well');
SELECT * FROM finish();
ROLLBACK;
