/* batch: outcomes on their way into the database. Collects results and records them together: when rows_max wait, or
 * wait_ms after the first; at most two record calls are under way. While there is a backlog, wait_backlog_ms after the
 * first: a call costs the same start and commit however few it holds, and what is late already is not helped by a
 * result that is written a little sooner.
 *
 * Nothing is lost   a result leaves the batch only when the database has answered for it. A call that fails (the
 *                   database is away, a time limit) puts its results back, to be repeated: recording twice is
 *                   harmless. A result that is missing in the answer was busy and goes into a later call. When the
 *                   database refuses a call, the next ones are half as long, down to single rows; one that is refused
 *                   alone is asked for alone from then on, every second, so that one bad row only delays itself.
 * Bound             the batch has none of its own: it holds at most what its user allows to be on its way.
 * Ownership         kept results are taken. on_recorded's row is borrowed until it returns. */
#ifndef FOLLOWUPD_RESULT_BATCH_H
#define FOLLOWUPD_RESULT_BATCH_H

#include <stddef.h>
#include <uv.h>

#include "followupd/base/clock.h"
#include "followupd/base/list.h"
#include "followupd/base/stats.h"
#include "followupd/provider/provider.h"
#include "followupd/store/store.h"

/* One result with the memory behind its texts. result.detail and result.provider_message_id point into it. */
struct kept_result {
    struct list node;
    struct send_result result;
    char *subject, *text, *html; /* owned */
    char detail[PROVIDER_DETAIL_BYTES];
    char provider_message_id[PROVIDER_ID_BYTES], rfc_message_id[PROVIDER_ID_BYTES];
    struct mono not_before; /* asked again no sooner ... */
    bool alone;             /* ... and in a call of its own */
};

/* The row's identity, no outcome yet. NULL: out of memory. */
struct kept_result *kept_result_new(const struct claim_row *row);
void kept_result_free(struct kept_result *k);

struct batch_config {
    size_t rows_max; /* in one call, 1..STORE_BATCH_MAX */
    int64_t wait_ms, wait_backlog_ms;
    int64_t again_ms; /* before a busy row, or the first repeat after a failure (then twice as long up to 1 s) */
};
struct batch_hooks {
    void *arg;
    struct lease_set (*held)(void *arg); /* those of the dispatcher's hooks: not only what is valid */
    void (*on_recorded)(void *arg, const struct recorded_row *row);
    bool (*is_backlog)(void *arg); /* more is due than can be sent at once */
};
struct batch_stats {
    uint64_t calls, recorded, busy, failures, refusals;
    struct histogram round_trip; /* of calls that were answered */
};

struct batch;

MUST_USE enum status batch_new(uv_loop_t *loop, struct store *store, const struct batch_config *config,
                               const struct batch_hooks *hooks, struct batch **ret);
void batch_add(struct batch *b, struct kept_result *k);
/* Does not wait for company any more: what is there and what comes is recorded as soon as a call is free. */
void batch_hurry(struct batch *b);
size_t batch_count(const struct batch *b); /* not yet recorded, those under way included */
const struct batch_stats *batch_stats(const struct batch *b);
/* Starts no more calls. */
void batch_stop(struct batch *b);
/* Only when no call is under way (the store is closed, or never answered for one). Unrecorded results are freed;
 * returns how many. b is freed on the loop. */
size_t batch_close(struct batch *b);

#endif
