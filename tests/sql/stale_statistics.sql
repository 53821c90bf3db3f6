-- Tables that were analysed when nobody was written to, and an account that has many active leads since: until they are analysed
-- again, whatever is done to a few of its leads reads rows of these, not all that the account has.
\ir support/engine.sql
\ir support/inbox.sql
\o /dev/null
SELECT t.account(1);
ALTER TABLE followup.message SET (autovacuum_enabled = off);
ALTER TABLE followup.conversation SET (autovacuum_enabled = off);
ALTER TABLE followup.lead SET (autovacuum_enabled = off);
CREATE FUNCTION t.many(p_account bigint, p_count integer) RETURNS bigint[] LANGUAGE sql AS $$
    WITH lead AS (
        INSERT INTO followup.lead (account_id, email, first_name) SELECT p_account, 'lead' || g || '@people.example', 'Lead' FROM generate_series(1, p_count) AS g
        RETURNING id)
    SELECT array_agg(id ORDER BY id) FROM lead $$;
-- What was there then: another account's leads, whose conversations have ended.
SELECT t.account(2);
SET session_replication_role = replica;
SELECT t.many(2, 30000);
INSERT INTO followup.conversation (account_id, id, lead_id, sequence_id, version, assistant_id, started_at, state, ended_at, ended_reason)
SELECT 2, id, id, 2, 1, 2, now(), 'ended', now(), 'completed' FROM followup.lead;
INSERT INTO followup.message (account_id, conversation_id, lead_id, kind, version, position, step_key, due_at, state, sent_at, finished_at)
SELECT 2, id, id, 'sequence', 1, 1, 'one', now(), 'sent', now(), now() FROM followup.lead;
RESET session_replication_role;
VACUUM ANALYZE followup.message, followup.conversation, followup.lead;
SELECT t.many(1, 6000) AS many \gset
CREATE TABLE t.due AS
    SELECT r.message_id AS message, (row_number() OVER (ORDER BY r.lead_id) - 1) / 20 AS part
      FROM followup.start_follow_up(1, :'many', 1, 1) AS r;
-- Rows of the three tables that this transaction fetched by an index, or read in a scan.
CREATE FUNCTION t.fetched() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read) FROM pg_stat_xact_user_tables
     WHERE relid IN ('followup.message'::regclass, 'followup.conversation'::regclass, 'followup.lead'::regclass) $$;
CREATE FUNCTION t.messages(p_part integer) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(message ORDER BY message) FROM t.due WHERE part = p_part $$;
CREATE FUNCTION t.leads(p_part integer) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(m.lead_id ORDER BY m.lead_id) FROM t.due AS d JOIN followup.message AS m ON m.account_id = 1 AND m.id = d.message WHERE d.part = p_part $$;
CREATE FUNCTION t.cost(p_what text, p_query text, p_each integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_before bigint := t.fetched();
    v_rows   bigint;
BEGIN
    EXECUTE p_query;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN ok(v_rows = 20 AND t.fetched() - v_before <= 20 * p_each,
              format('%s: %s rows read for 20 (%s)', p_what, t.fetched() - v_before, v_rows));
END $$;
\o
SELECT plan(11);

SELECT t.cost('a claim', format('SELECT FROM t.claim(1, VARIADIC %L) WHERE verdict = ''claimed''', t.messages(0)), 10);
SELECT t.cost('a record', format('SELECT FROM unnest(%L::bigint[]) AS i, LATERAL t.record(1, i, ''sent'') AS r WHERE r.accepted', t.messages(0)), 20);
SELECT t.cost('a stop', format('SELECT FROM followup.stop_messaging(1, %L) WHERE done', t.leads(1)), 20);
SELECT t.cost('a restart', format('SELECT FROM followup.restart_follow_up(1, %L) WHERE done', t.leads(2)), 20);
SELECT t.cost('a skip', format('SELECT FROM followup.skip_to_follow_up(1, %L) WHERE done', t.leads(3)), 20);
SELECT t.cost('a hold', format('SELECT FROM followup.hold(1, %L) WHERE done', t.leads(4)), 20);
SELECT t.cost('a release', format('SELECT FROM followup.release(1, %L) WHERE done', t.leads(4)), 20);
SELECT t.cost('a status', format('SELECT FROM followup.set_status(1, %L, ''satisfied'') WHERE done', t.leads(5)), 20);
SELECT t.cost('another time', format('SELECT FROM followup.reschedule(1, %L, followup.now() + ''1 day''::interval) WHERE done', t.messages(6)), 20);
SELECT t.cost('an event', format('SELECT FROM unnest(%L::bigint[]) AS i WHERE t.told(i, ''delivered'') = ''delivered''', t.messages(0)), 20);
SELECT t.cost('an absence', format('SELECT FROM unnest(%L::bigint[]) AS i, followup.record_reply(1, NULL, ''a@b.example'', ''Away'', ''.'', p_outcome => ''out_of_office'', p_lead => i) AS r WHERE r.done', t.leads(7)), 40);
SELECT * FROM finish();
