/* bulk: committed bulks go on, a chunk at a time. Asks the store every interval whether one of our shards has a bulk to
 * do; while there is more it asks again at once. What a chunk is and what is done to it, SQL decides (bulk_step); the
 * wheel learns of it by NOTIFY. A chunk takes part of a second and has a connection of its own, so that nothing waits
 * for it here; but it takes a core and the disk from those who send. So it gives way: when messages began late while
 * the last chunk ran, the next one waits as long as that one took, then twice and four times as long; when they were on
 * time again, half of that. A bulk alone on the machine never waits.
 *
 * Bounds  one chunk is asked for at a time. Between two lie at most BULK_REST_MAX times the first one's duration and
 *         BULK_REST_MS_MAX, so that a bulk goes on where messages are late for a reason of their own. After a failure
 *         RETRY_MS pass; a chunk that failed was rolled back.
 * Time    real milliseconds. Callbacks run from the loop. */
#ifndef FOLLOWUPD_BULK_BULK_H
#define FOLLOWUPD_BULK_BULK_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "followupd/base/status.h"
#include "followupd/store/store.h"

#define BULK_REST_MAX    4
#define BULK_REST_MS_MAX 5000

struct bulk;

struct bulk_stats {
    bool working;    /* the last chunk said that there is more */
    uint64_t chunks; /* done */
};

struct bulk_hooks {
    void *arg;
    struct lease_set (*leases)(void *arg); /* those valid now */
    bool (*others_late)(void *arg);        /* messages began too late since it was asked last */
};

/* The pause after a chunk that took so long. *rest, 0..BULK_REST_MAX, is how many times its duration that is, and moves
 * with what is said of the others; 0 to begin with. Pure. */
int64_t bulk_rest_ms(int *rest, bool others_late, int64_t took_ms);
/* interval_ms: how often to look when there was nothing to do. */
MUST_USE enum status bulk_open(uv_loop_t *loop, struct store *store, int64_t interval_ms,
                               const struct bulk_hooks *hooks, struct bulk **ret, struct err *e);
struct bulk_stats bulk_stats(const struct bulk *b);
/* No further chunk is asked for. One that is under way goes on in the database, also after the store is closed. */
void bulk_drain(struct bulk *b);
/* Close the store first. Frees b, from the loop, later. */
void bulk_close(struct bulk *b);

#endif
