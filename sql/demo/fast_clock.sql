-- Business time that starts where you say and runs faster, in this database only. For demos and tests; run by psql:
--
--   psql -v business='2026-03-02 08:00+01' -v rate=3600 -f sql/demo/fast_clock.sql
--
-- business  business time at the instant `real`; default: real
-- real      the real instant from which it counts; default: now
-- rate      business seconds a real second; default: 3600
--
-- It may be run again. followup.clock_is_replaced() is true afterwards, and migrate refuses the database.
\if :{?real}
\else
    \set real now
\endif
\if :{?business}
\else
    \set business :real
\endif
\if :{?rate}
\else
    \set rate 3600
\endif
SELECT to_char(:'real'::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00') AS fast_clock_real,
       to_char(:'business'::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00') AS fast_clock_business,
       :'rate'::double precision AS fast_clock_rate
\gset
-- In seconds: a difference of over a day has days in it, which would be added in the zone of the session.
SELECT format($format$
CREATE OR REPLACE FUNCTION followup.now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS
    $body$ SELECT %1$L::timestamptz + pg_catalog.make_interval(secs =>
                  extract(epoch FROM pg_catalog.clock_timestamp() - %2$L::timestamptz)::double precision * %3$L::double precision) $body$;
CREATE OR REPLACE FUNCTION followup.clock(OUT business timestamptz, OUT rate double precision) RETURNS SETOF record
    LANGUAGE sql VOLATILE PARALLEL SAFE ROWS 1 AS
    $body$ SELECT %1$L::timestamptz + pg_catalog.make_interval(secs =>
                  extract(epoch FROM pg_catalog.clock_timestamp() - %2$L::timestamptz)::double precision * %3$L::double precision),
                  %3$L::double precision $body$;
CREATE OR REPLACE FUNCTION followup.clock_is_replaced() RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $body$ SELECT true $body$;
$format$, :'fast_clock_business', :'fast_clock_real', :'fast_clock_rate')
\gexec
