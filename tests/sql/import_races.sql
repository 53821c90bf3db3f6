-- An import that waits for a lead goes by what is true when it has it.
\ir support/engine.sql
\o /dev/null
SELECT t.account(1);
INSERT INTO followup.app_user (account_id, id, name, email, profile) VALUES (1, 2, 'Max', 'max@firm.example', 'manager');
SELECT followup.copy_profile(1, 'own', 'rep'), followup.grant_permission(1, 'own', 'import');
UPDATE followup.app_user SET profile = 'own' WHERE account_id = 1 AND id = 1;
SELECT t.lead(1, 'ada') AS ada, t.lead(1, 'ben') AS ben \gset
\o
SELECT plan(4);
CREATE FUNCTION t.import(p_name text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', outcome, reason)
      FROM followup.import_leads(1, jsonb_build_array(jsonb_build_object('email', p_name || '@people.example', 'company', 'New')), p_duplicates => 'update', p_actor => 1) $$;

SELECT t.hold(format('FROM followup.reassign(1, ARRAY[%s], 2)', t.lead_of(1, :ada))) \g /dev/null
SELECT is(t.begin('SELECT t.import(''ada'')'), 'waits', 'an import of an own lead that is being given to somebody else waits');
SELECT t.commit() \g /dev/null
SELECT is(t.answer(), 'refused email: is a lead of somebody else', 'and leaves it alone then');
SELECT t.hold(format('FROM followup.reassign(1, ARRAY[%s], 2)', t.lead_of(1, :ben))) \g /dev/null
SELECT t.begin('SELECT t.import(''ben'')'), t.let_go() \g /dev/null
SELECT is(t.answer(), 'updated', 'what was not committed does not count');
SELECT is((SELECT string_agg(company || ' ' || rep_id, ', ' ORDER BY id) FROM followup.lead WHERE account_id = 1), 'Firm 2, New 1', 'as it says');
SELECT * FROM finish();
