-- Who may call what of watching the engine and settling what it could not.
GRANT EXECUTE ON FUNCTION followup.engine_due, followup.engine_lateness, followup.engine_refusals, followup.engine_figures,
    followup.engine_providers TO followup_admin;
GRANT EXECUTE ON FUNCTION followup.settle_in_doubt, followup.in_doubt_list, followup.doubt_ways, followup.shard_of TO followup_app, followup_admin;
GRANT EXECUTE ON FUNCTION followup.invariants TO followup_engine, followup_admin;
GRANT EXECUTE ON FUNCTION followup.after_restore TO followup_admin;
GRANT EXECUTE ON FUNCTION followup.events_may_be_missing TO followup_engine, followup_admin;
