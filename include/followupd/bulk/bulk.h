/* bulk: committed bulks go on, a chunk at a time. Asks the store every interval whether one of our shards has a bulk to
 * do; while there is more it asks again at once. What a chunk is and what is done to it, SQL decides (bulk_step); the
 * wheel learns of it by NOTIFY. A chunk takes a third of a second and has a connection of its own, so that nothing waits
 * for it here.
 *
 * Bounds  one chunk is asked for at a time. After a failure RETRY_MS pass; a chunk that failed was rolled back.
 * Time    real milliseconds. Callbacks run from the loop. */
#ifndef FOLLOWUPD_BULK_BULK_H
#define FOLLOWUPD_BULK_BULK_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "followupd/base/status.h"
#include "followupd/store/store.h"

struct bulk;

struct bulk_stats {
    bool working;    /* the last chunk said that there is more */
    uint64_t chunks; /* done */
};

struct bulk_hooks {
    void *arg;
    struct lease_set (*leases)(void *arg); /* those valid now */
};

/* interval_ms: how often to look when there was nothing to do. */
MUST_USE enum status bulk_open(uv_loop_t *loop, struct store *store, int64_t interval_ms,
                               const struct bulk_hooks *hooks, struct bulk **ret, struct err *e);
struct bulk_stats bulk_stats(const struct bulk *b);
/* No further chunk is asked for. One that is under way goes on in the database, also after the store is closed. */
void bulk_drain(struct bulk *b);
/* Close the store first. Frees b, from the loop, later. */
void bulk_close(struct bulk *b);

#endif
