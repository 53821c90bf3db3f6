-- Who may call what of the engine's. Whatever is not here or in the other grants is the owner's alone.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA followup FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    followup.claim_messages, followup.claim_in_doubt, followup.unclaim_messages, followup.record_results,
    followup.acquire_leases, followup.renew_leases, followup.release_leases, followup.worker_beat, followup.worker_report,
    followup.sweep_due, followup.claim_mark, followup.sweep_sending, followup.settle_by_policy, followup.claim_look_ups, followup.settle_looked_up,
    followup.claim_list_pull, followup.apply_list_page, followup.end_list_pull,
    followup.record_event, followup.shard_of,
    followup.conversation_paused, followup.receive_webhooks, followup.apply_inbox, followup.message_of_fu_id,
    followup.unsubscribe_page, followup.unsubscribe_by_token, followup.receive_confirmation
    TO followup_engine, followup_admin;
-- An operator's own UPDATE of a due time runs the trigger with the operator's rights.
GRANT EXECUTE ON FUNCTION followup.wake_payload TO followup_admin;
GRANT SELECT ON followup.message_to_load TO followup_engine, followup_admin;
