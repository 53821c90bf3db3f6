/* wake: what a NOTIFY on channel followup says. Pure.
 *
 *     m <account> <message> <due_us>|-[,<account> <message> <due_us>|-]...   due at that business time; -: no longer
 *     r <account>    reload that account            r *    reload everything
 *
 * A payload that is anything else is E_INVALID, with its beginning in the text; items before the fault have been told,
 * and the sweep finds the rest. */
#ifndef FOLLOWUPD_SCHED_WAKE_H
#define FOLLOWUPD_SCHED_WAKE_H

#include <stdint.h>

#include "followupd/base/status.h"
#include "followupd/store/store.h"

struct wake_events {
    void *arg;
    void (*on_set)(void *arg, struct message_ref ref, struct wall due);
    void (*on_cancel)(void *arg, struct message_ref ref);
    void (*on_reload)(void *arg, int64_t account_id); /* 0: everything */
};

MUST_USE enum status wake_parse(const char *payload, const struct wake_events *events, struct err *e);

#endif
