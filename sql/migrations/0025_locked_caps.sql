-- after_message has a third parameter: whether the caps are locked already.
DROP FUNCTION IF EXISTS followup.after_message(bigint[], bigint[]);
