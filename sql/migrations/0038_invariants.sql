-- invariants() has two ways of looking, each with plans of its own: wrong_now and wrong_ever.
DROP FUNCTION IF EXISTS followup.wrong_rows(boolean);
