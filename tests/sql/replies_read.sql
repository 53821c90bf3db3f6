-- What a mail means: by its headers, by phrases, by the account's rules; and dates as people write them. How well the phrases
-- and the rules that every account starts with do on two hundred labelled replies: tests/system/test_replies.py.
BEGIN;
\ir support/rules_world.sql
SELECT plan(129);

-- Who wrote it
SELECT is(followup.automatic_kind(jsonb_build_object('from', 'a@b.example', 'headers', jsonb_build_array(jsonb_build_array(c.name, c.value)))), c.kind, c.name || ': ' || c.value)
  FROM (VALUES ('Auto-Submitted', 'auto-replied', 'answer'), ('auto-submitted', 'AUTO-GENERATED; x=y', 'answer'), ('Auto-Submitted', '(a machine) auto-notified (really)', 'answer'),
               ('Auto-Submitted', 'no', NULL), ('Auto-Submitted', 'No (a person)', NULL), ('Auto-Submitted', 'no; x=auto-replied', NULL), ('Auto-Submitted', '', NULL),
               ('Precedence', 'auto_reply', 'answer'), ('Precedence', 'Bulk', 'answer'), ('Precedence', 'junk', 'answer'), ('Precedence', 'list', NULL),
               ('X-Autoreply', 'yes', 'answer'), ('X-Autorespond', '1', 'answer'), ('Return-Path', '<>', 'answer'), ('Return-Path', '<a@b.example>', NULL),
               ('Content-Type', 'multipart/report; report-type=delivery-status', 'report'), ('Content-Type', 'multipart/mixed', NULL),
               ('List-Id', '<all.b.example>', NULL), ('X-Auto-Response-Suppress', 'All', NULL)) AS c (name, value, kind);
SELECT is(followup.automatic_kind(c.event::jsonb), c.kind, c.what)
  FROM (VALUES ('{"from": "a@b.example", "sender": ""}', 'answer', 'a null envelope sender'), ('{"from": "a@b.example", "sender": "<>"}', 'answer', 'in brackets too'),
               ('{"from": "a@b.example"}', NULL, 'an envelope sender that nobody passed on says nothing'), ('{"from": "MAILER-DAEMON@b.example"}', 'answer', 'a machine''s address'),
               ('{"from": "a@b.example", "subject": "Automatic reply: hello"}', NULL, 'the subject alone decides nothing'),
               ('{"from": "a@b.example", "subject": "Automatic reply: hello", "headers": [["X-Auto-Response-Suppress", "All"]]}', 'answer', 'with a hint in the headers it does'),
               ('{"from": "a@b.example", "headers": [["Precedence", "list"], ["List-Id", "x"]]}', 'answer', 'two hints agree'),
               ('{"from": "a@b.example", "headers": {"a": 1}}', NULL, 'headers that are none')) AS c (event, kind, what);

-- Dates, on Thursday 26 November 2026
SELECT is((d.day, d.refused)::text, (c.day::date, c.refused)::text, c.said)
  FROM (VALUES ('back on Monday 14 December', '2026-12-14', NULL), ('back on Monday, December 14th', '2026-12-14', NULL), ('returning Dec. 14, 2026', '2026-12-14', NULL),
               ('I will return to the office on the 14th of December', '2026-12-14', NULL), ('until 12/14', '2026-12-14', NULL), ('until 14/12/26', '2026-12-14', NULL),
               ('until 2026-12-14', '2026-12-14', NULL), ('bis 14.12.', '2026-12-14', NULL), ('bis zum 14. Dezember 2026', '2026-12-14', NULL), ('bis 14.12.26', '2026-12-14', NULL),
               ('jusqu''au 14 décembre', '2026-12-14', NULL), ('hasta el 14 de diciembre de 2026', '2026-12-14', NULL), ('de retour le 1er mars 2027', '2027-03-01', NULL),
               ('until 04/05/2027', NULL, '04/05/2027'), ('until 05/05/2027', '2027-05-05', NULL), ('until Monday 04/05/2027', '2027-04-05', NULL), ('bis 04.05.2027', '2027-05-04', NULL),
               ('jusqu''au 04/05/2027', '2027-05-04', NULL), ('until 12/01/2027', '2027-01-12', NULL), ('until 11/12/2026', NULL, '11/12/2026'), ('until 30 February 2027', NULL, '30 february 2027'),
               ('until 14 December 2062', NULL, '14 december 2062'), ('out through 4 December', '2026-12-05', NULL), ('from 1 to 4 December', '2026-12-05', NULL),
               ('vom 1.12. bis 4.12. im Urlaub', '2026-12-05', NULL), ('du 1 au 4 décembre', '2026-12-05', NULL), ('bis einschließlich 4. Dezember', '2026-12-05', NULL),
               ('until 4 December inclusive', '2026-12-05', NULL), ('from 1 to 4 December, back on Monday 7 December', '2026-12-07', NULL),
               ('back on Monday', '2026-11-30', NULL), ('until Thursday', '2026-12-03', NULL), ('ab Freitag wieder im Büro', '2026-11-27', NULL), ('back tomorrow', '2026-11-27', NULL),
               ('back next week', '2026-11-30', NULL), ('back in January', '2027-01-01', NULL), ('until the end of January', '2027-02-01', NULL), ('until 5 pm', '2026-11-27', NULL),
               ('until 20 November', '2026-11-20', NULL), ('until 20 October', '2027-10-20', NULL), ('until 2026-10-01', '2026-10-01', NULL), ('am 7.12. bin ich zurück', '2026-12-07', NULL),
               ('I will get back to you when I return', NULL, NULL), ('away since 20 November', NULL, NULL), ('room 14/12, until further notice', NULL, NULL)) AS c (said, day, refused)
 CROSS JOIN LATERAL followup.away_until(followup.plain_text(c.said), '2026-11-26') AS d;
SELECT is(followup.day_of('29', '2', NULL, '2026-11-26'), NULL, 'no 29 February in the year ahead');
SELECT is(followup.day_of('28', '12', NULL, '2027-01-10'), '2026-12-28'::date, 'in January last December is the nearer one');

-- His own words
SELECT is(followup.own_words(E'Call me\r\n\r\nOn Tue, 24 Nov 2026 at 09:14, Ada <a@b.example> wrote:\r\n> unsubscribe: https://x'), 'Call me', 'what is quoted is not read');
SELECT is(followup.own_words(E'Call me\n\nOn Tue, 24 Nov 2026 at 09:14, Ada\n<a@b.example> wrote:\nunsubscribe'), 'Call me', 'introduced on two lines, and not marked');
SELECT is(followup.own_words(E'On Tue, 24 Nov 2026, Ada wrote:\n> Interested?\n\nYes, call me'), 'Yes, call me', 'an answer below the question');
SELECT is(followup.own_words(E'Ruf an\n\n-----Ursprüngliche Nachricht-----\nVon: Ada'), 'Ruf an', 'Outlook, in German');
SELECT is(followup.own_words(E'Appelez-moi\n\nDe : Ada\nEnvoyé : mardi\nunsubscribe'), 'Appelez-moi', 'and in French');
SELECT is(followup.own_words(E'Call me\n-- \nTom\nTo unsubscribe'), 'Call me', 'without the signature');
SELECT is(followup.own_words(E'Call me\nLeave this list: https://u.a.example/u/1b2c3d4e'), 'Call me', 'without our link');
SELECT is(followup.own_words('> all is quoted'), '> all is quoted', 'unless nothing would be left');
SELECT is(length(followup.own_words(repeat('x', 100000))), 16000, 'of a long mail the beginning');

-- What must not be missed, and what must not be taken for it
CREATE FUNCTION t.read(p_text text, p_more jsonb = '{}', p_left boolean = false) RETURNS followup.reply_reading LANGUAGE sql AS $$
    SELECT followup.read_reply(1, p_left, jsonb_build_object('from', 'x@y.example', 'subject', 'Re: hello', 'text', p_text) || p_more, 'Europe/Berlin', '2026-11-26 12:00+01') $$;
SELECT is((t.read(c.said)).outcome, 'unsubscribe', c.said)
  FROM (VALUES ('Stop'), ('STOP!'), ('please stop'), ('Stop emailing me'), ('unsubcribe'), ('remove me'), ('take us off'), ('No more mails please'), ('I don’t want to receive these any more'),
               ('do not contact me'), ('leave me alone'), ('delete my data'), ('Opt-out'), ('nehmen Sie mich bitte aus dem Verteiler'), ('ne m''écrivez plus'), ('no me escriban más')) AS c (said);
SELECT isnt((t.read(c.said)).outcome, 'unsubscribe', c.said)
  FROM (VALUES ('I will stop by on Friday'), ('We stopped using the old system'), ('Do not unsubscribe me please'), ('non-stop service is what we need'), ('Take me through the offer'),
               ('Click here to unsubscribe from our newsletter.')) AS c (said);
SELECT is((t.read('', '{"subject": "unsubscribe"}')).outcome, 'unsubscribe', 'in the subject, as a mail program sends it');
SELECT is((t.read('Call me please', '{"subject": "Re: how to unsubscribe from boredom"}')).outcome, 'hot_lead', 'not in the subject that is ours');
SELECT is((t.read('Unsubscribe | Help', '{"headers": [["Auto-Submitted", "auto-replied"]]}')).outcome, 'keep_messaging', 'not in the footer of a machine');
SELECT is((t.read('We have your request. You may unsubscribe at any time.', '{"headers": [["Auto-Submitted", "auto-replied"]]}')).outcome, 'keep_messaging', 'nor in its text');
SELECT is((t.read('Please remove me from your mailing list.', '{"headers": [["Auto-Submitted", "auto-replied"]]}')).outcome, 'unsubscribe', 'but when a machine asks for it');
SELECT is((t.read('Remove me or I will sue you')).alert, 'legal threat', 'a threat is told beside it');

-- Rules
SELECT is((t.read('zebra crossing')).outcome, NULL, 'what no rule knows is read by nobody');
DELETE FROM followup.reply_rule WHERE account_id = 1;
INSERT INTO followup.reply_rule (account_id, position, applies, field, kind, pattern, outcome)
VALUES (1, 1, 'any', 'body', 'words', 'send|mail price list*', 'hot_lead'), (1, 2, 'after_follow_up', 'body', 'regex', '^yes, (he|she) did', 'no_further_action'),
       (1, 3, 'before_follow_up', 'subject', 'substring', 'FW:', 'further_action'), (1, 4, 'any', 'from', 'substring', '@Press.example', 'disqualified'), (1, 5, 'any', 'body', 'words', 'ja|yes', 'satisfied');
SELECT is((t.read(c.said, c.more::jsonb, c.left_)).outcome, c.expected, c.what)
  FROM (VALUES ('Could you MAIL me the Price-Lists?', '{}', false, 'hot_lead', 'words: in order, with others between, any ending, no matter the case'),
               ('Send it. I know the price list', '{}', false, NULL, 'within a sentence'), ('send me all of your long and boring price list', '{}', false, NULL, 'three others at most'),
               ('resend price list', '{}', false, NULL, 'whole words'), ('Yes, she did.', '{}', true, 'no_further_action', 'a regular expression, after a follow-up'),
               ('Yes, she did so yesterday.', '{}', false, 'satisfied', 'not before one'), ('hm', '{"subject": "Fw: x"}', false, 'further_action', 'in the subject, before a follow-up'),
               ('hm', '{"subject": "Fw: x"}', true, NULL, 'not after one'), ('hm', '{"from": "a@press.example"}', false, 'disqualified', 'by the address'),
               ('Yes', '{}', true, NULL, 'a bare yes is not satisfied, whatever a rule says'), ('Ja, danke!', '{}', false, NULL, 'nor is a polite one')) AS c (said, more, left_, expected, what);
SELECT throws_ok(format('INSERT INTO followup.reply_rule (account_id, position, field, kind, pattern, outcome) VALUES (1, 9, ''body'', %L, %L, ''stop'')', c.kind, c.pattern), c.code, NULL, c.what)
  FROM (VALUES ('words', '... !', '22023', 'a rule of words without a word is refused'), ('regex', '(', '22023', 'what is no regular expression'), ('regex', '(a+)\1', '22023', 'a back reference'),
               ('regex', 'x*', '22023', 'what matches everything'), ('glob', 'x', '23514', 'another kind'), ('regex', repeat('x', 401), '23514', 'a pattern longer than 400 characters')) AS c (kind, pattern, code, what);
SELECT cmp_ok((SELECT count(*) FROM followup.reply_rule WHERE account_id = 2), '>', 100::bigint, 'a new account starts with rules of ours');
SELECT * FROM finish();
ROLLBACK;
