/* figures: what the daemon says about itself, read at one instant. The application fills it, /metrics prints it for
 * Prometheus, and the same goes to the database for `status --watch` and psql (metrics.h has both forms, from one table).
 *
 * Values     seconds, bytes and counts, as doubles: that is what Prometheus keeps. NaN: not known, so it is left out.
 * Ownership  everything pointed to is borrowed from whoever filled it, until he is asked again. */
#ifndef FOLLOWUPD_FRONT_FIGURES_H
#define FOLLOWUPD_FRONT_FIGURES_H

#include <stddef.h>

#include "followupd/base/outcome.h"
#include "followupd/base/stats.h"

#define FIGURES_PROVIDERS_MAX 32
#define FIGURES_VERDICTS      5 /* claimed, gone, moved, busy, not_ours */
#define FIGURES_BREAKERS      3 /* closed, open, half_open */
#define FIGURES_CLASSES       6 /* of HTTP answers, by the first digit of their status */

struct provider_figures {
    const char *name; /* letters, digits, '-' and '_' */
    double breaker[FIGURES_BREAKERS], breaker_wait_s;
    double in_flight, window;
    double key_window_s, looks_up, look_up_proof_s; /* 0: it has none; see provider.h */
};

struct figures {
    /* who works */
    double database_up, draining;
    double shards_held, shards_valid, lease_left_s;

    /* the way of a message */
    const struct histogram *lateness, *claim, *send, *record;
    double outcomes[OUTCOME_IN_DOUBT + 1];
    double claims, claim_failures, verdicts[FIGURES_VERDICTS], given_back;
    double in_flight, results_waiting;
    double recorded, record_busy, record_failures;
    double settle_claimed, settled_by_policy, looked_up, looked_up_found, looked_up_absent;

    /* what is due */
    double wheel_messages, wheel_stale, wheel_bytes, wheel_pause_s, wheel_pause_recent_s;
    double due_waiting, due_total;
    double loaded, loads, load_failures, load_last_rows, load_last_s, horizon_s;
    double swept, notifications, notify_age_s;
    double bulk_working, bulk_chunks;

    /* what comes from providers */
    double webhooks_accepted, webhooks_unauthentic, webhooks_malformed, webhooks_put_off;
    const struct histogram *inbox; /* NULL only where there is no inbox */
    double inbox_waiting, inbox_fresh, inbox_applied, inbox_unmatched, inbox_failed, inbox_behind;
    double reply_alerts; /* that nobody has settled, of all accounts; NAN: not known yet */
    double settle_after_s;

    /* the process */
    const struct histogram *turn;
    double turn_max_s, turn_recent_s;
    double cpu_s, resident_bytes, virtual_bytes, fds_open, fds_max, start_time_s;
    double http_connections, http_answers[FIGURES_CLASSES], http_late, http_evicted, http_bodies_bytes;

    struct provider_figures providers[FIGURES_PROVIDERS_MAX];
    size_t provider_count;
};

#endif
