-- Who may call what of planning and actions. Whatever is not here is the owner's alone.
GRANT EXECUTE ON FUNCTION
    followup.now(), followup.clock(), followup.clock_is_replaced(), followup.known_timezone, followup.lead_timezone,
    followup.local_instant, followup.add_delay, followup.plan_at, followup.next_step, followup.base_of,
    followup.action_verdict, followup.conversation_status, followup.preview, followup.sendable_at, followup.is_holiday,
    followup.past_holidays, followup.clock_change,
    followup.jitter, followup.cap_of, followup.explain, followup.forecast
    TO followup_engine, followup_app, followup_admin;
GRANT EXECUTE ON FUNCTION
    followup.start_follow_up, followup.continue_follow_up, followup.restart_follow_up, followup.skip_to_follow_up,
    followup.stop_messaging, followup.suppress, followup.pause, followup.resume, followup.hold, followup.release,
    followup.reschedule, followup.set_status, followup.reassign, followup.reactivate, followup.unbounce, followup.crm_rules,
    followup.set_crm_rule, followup.crm_replay, followup.validate_leads, followup.erase_lead
    TO followup_app, followup_admin;
-- What happens to a lead comes through pages, through the daemon's webhooks, or is typed in by an operator.
GRANT EXECUTE ON FUNCTION followup.unsubscribe, followup.record_reply, followup.record_bounce, followup.crm_status,
    followup.record_validation
    TO followup_engine, followup_app, followup_admin;
-- Whoever is about to write many rows by hand locks them first, in the order in which everybody does.
GRANT EXECUTE ON FUNCTION followup.lock_leads, followup.lock_messages, followup.require_read_committed TO followup_admin;
-- Replies: the rules about them, and those that wait for a person. The list is read with the caller's rights.
GRANT EXECUTE ON FUNCTION followup.reply_rules, followup.add_reply_rule, followup.move_reply_rule, followup.remove_reply_rule,
    followup.try_reply, followup.replies_to_settle, followup.settle_reply
    TO followup_app, followup_admin;
