-- Every function of the schema says what it does: COMMENT ON FUNCTION with its parameters, units and refusals.
BEGIN;
SELECT plan(2);

SELECT isnt_empty(
    $$ SELECT 1 FROM pg_catalog.pg_proc WHERE pronamespace = 'followup'::regnamespace $$,
    'the schema has functions');

SELECT is_empty(
    $$ SELECT p.oid::regprocedure
         FROM pg_catalog.pg_proc AS p
        WHERE p.pronamespace = 'followup'::regnamespace
          AND pg_catalog.obj_description(p.oid, 'pg_proc') IS NULL
          AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d
                           WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        ORDER BY 1 $$,
    'every function has a comment');

SELECT * FROM finish();
ROLLBACK;
