-- Accounts, users, assistants: what is made, and what is refused by name.
BEGIN;
SELECT plan(25);
SELECT followup.add_account('Acme', 'Europe/Berlin', 'customer', 'main', 'Street 1') AS a \gset

SELECT is((SELECT (name, timezone, noun, provider, postal_address)::text FROM followup.account WHERE id = :a),
          '(Acme,Europe/Berlin,customer,main,"Street 1")', 'an account has what it was given');
SELECT is((SELECT string_agg(name, ',' ORDER BY name) FROM followup.profile WHERE account_id = :a AND builtin),
          'administrator,manager,rep', 'an account is born with the built-in profiles');
SELECT throws_ok($$SELECT followup.add_account(' ACME ')$$, '23505', 'there is an account "ACME" already', 'a name is taken once, in any case');
SELECT throws_ok($$SELECT followup.add_account('')$$, '22023', 'name: is missing', 'an account needs a name');
SELECT throws_ok($$SELECT followup.add_account(NULL)$$, '22023', 'name: is missing', 'NULL is no name');
SELECT throws_ok($$SELECT followup.add_account('B', 'Mars/Olympus')$$, '22023', 'timezone: "Mars/Olympus" is not a zone that this server knows', 'an unknown zone is refused');
SELECT throws_ok($$SELECT followup.add_account('B', 'GMT+2')$$, '22023', NULL, 'a POSIX zone is refused');
SELECT throws_ok($$SELECT followup.add_account('B', 'UTC', 'prospect')$$, '22023', 'noun: "prospect" is neither lead nor customer', 'a noun is lead or customer');
SELECT throws_ok($$SELECT followup.add_account(E'B\nBcc: x')$$, '22023', 'name: holds a line break or another control character', 'a name holds no line break');

SELECT followup.add_user(:a, 'Rita', 'rita@acme.example', 'manager', '+49 30 1') AS u \gset
SELECT is((SELECT (name, email, profile, phone)::text FROM followup.app_user WHERE account_id = :a AND id = :u),
          '(Rita,rita@acme.example,manager,"+49 30 1")', 'a user has what it was given');
SELECT throws_ok(format($$SELECT followup.add_user(%s, 'R', 'RITA@acme.example')$$, :a), '23505', 'there is a user RITA@acme.example already', 'an address is one user''s');
SELECT throws_ok(format($$SELECT followup.add_user(%s, 'R', 'rita')$$, :a), '22023', 'email: is not an address', 'a bad address is refused');
SELECT throws_ok(format($$SELECT followup.add_user(%s, 'R', E'r@a.example\r\nBcc: x@y.example')$$, :a), '22023', 'email: holds a control character', 'no header is smuggled in');
SELECT throws_ok(format($$SELECT followup.add_user(%s, 'R', 'r@localhost')$$, :a), '22023', 'email: has no domain that mail could reach', 'a domain has two labels');
SELECT throws_ok(format($$SELECT followup.add_user(%s, 'R', 'r@a.example', 'boss')$$, :a), '22023', 'profile: there is no profile "boss"', 'an unknown profile is refused');
SELECT throws_ok($$SELECT followup.add_user(0, 'R', 'r@a.example')$$, '22023', 'there is no account 0', 'an unknown account is refused');
SELECT throws_ok($$SELECT followup.add_user(NULL, 'R', 'r@a.example')$$, '22023', 'there is no account NULL', 'NULL is no account');
SELECT throws_ok(format($$SELECT followup.add_user(%s, 'R', 'r@a.example', p_actor => %s)$$, :a, :u), '42501', 'Rita has no permission to users', 'a manager adds no users');

SELECT followup.add_assistant(:a, 'Ada', 'ada@acme.example', 'Sales', 'in.acme.example', 'Ada', 'main', 50) AS s \gset
SELECT is((SELECT (name, from_address, title, reply_domain, signature, provider, daily_cap)::text FROM followup.assistant WHERE account_id = :a AND id = :s),
          '(Ada,ada@acme.example,Sales,in.acme.example,Ada,main,50)', 'an assistant has what it was given');
SELECT throws_ok(format($$SELECT followup.add_assistant(%s, 'Ada', 'b@acme.example')$$, :a), '23505', 'there is an assistant "Ada" already', 'an assistant''s name is taken once');
SELECT throws_ok(format($$SELECT followup.add_assistant(%s, 'B', 'b@')$$, :a), '22023', 'from_address: is not an address', 'an assistant needs an address');
SELECT throws_ok(format($$SELECT followup.add_assistant(%s, 'B', 'b@acme.example', p_reply_domain => 'no domain')$$, :a), '22023', 'reply_domain: "no domain" is not a domain', 'a reply domain is a domain');
SELECT throws_ok(format($$SELECT followup.add_assistant(%s, 'B', 'b@acme.example', p_daily_cap => 0)$$, :a), '22023', 'daily_cap: must be above 0', 'a cap is above 0');
SELECT lives_ok(format($$SELECT followup.add_assistant(%s, 'B', 'b@acme.example', p_actor => %s)$$, :a, :u), 'a manager adds assistants');
SELECT is((SELECT string_agg(actor || ' ' || action, ', ' ORDER BY id) FROM followup.activity WHERE account_id = :a),
          format('sql:%s user_added, sql:%s assistant_added, user:%s assistant_added', session_user, session_user, :u), 'who added whom is in the record');
SELECT * FROM finish();
ROLLBACK;
