-- Who may call what of bulk. Whatever is not here or in the other grants is the owner's alone.
GRANT EXECUTE ON FUNCTION followup.bulk_step TO followup_engine, followup_admin;
GRANT EXECUTE ON FUNCTION
    followup.bulk_plan, followup.bulk_commit, followup.bulk_cancel, followup.bulk_undo, followup.bulk_status,
    followup.bulk_work, followup.bulk_runs, followup.add_counts
    TO followup_app, followup_admin;
REVOKE EXECUTE ON PROCEDURE followup.bulk_run FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE followup.bulk_run TO followup_app, followup_admin;
