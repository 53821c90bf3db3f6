/* list_pull: suppression lists of providers whose webhooks were missed for too long. Every every_ms the database is
 * asked whose list is to be pulled; it is read page by page, and each page goes to the database, which decides what an
 * entry does, how long anybody waits for it and when the next try is.
 *
 * Bound      one list at a time; pages_max pages of LIST_PULL_ANSWER_BYTES_MAX bytes each, ms_max in all, each request
 *            the provider's timeout. A list that is longer is told as such, and what was read of it counts.
 * Waits      a provider that names a time is not asked before; the list is then read from its beginning.
 * Time       real milliseconds. */
#ifndef FOLLOWUPD_RESULT_LIST_PULL_H
#define FOLLOWUPD_RESULT_LIST_PULL_H

#include <uv.h>

#include "followupd/provider/registry.h"
#include "followupd/store/store.h"

#define LIST_PULL_PAGES_MAX        1000
#define LIST_PULL_ANSWER_BYTES_MAX ((size_t)1024 * 1024)
#define LIST_PULL_MS_MAX           100000 /* less than what claim_list_pull gives it */

struct list_pull_config {
    int64_t every_ms;
    size_t pages_max; /* LIST_PULL_PAGES_MAX, or fewer */
    int64_t ms_max;   /* LIST_PULL_MS_MAX, or less */
};

struct list_pulls;

/* All are borrowed and outlive it. leases: as in dispatcher_hooks. Without a provider that has a list it does nothing
 * but end pulls that nobody can make. */
MUST_USE enum status list_pulls_open(uv_loop_t *loop, struct store *store, struct transport *transport,
                                     const struct registry *registry, const struct list_pull_config *config,
                                     struct lease_set (*leases)(void *arg), void *arg, struct list_pulls **ret,
                                     struct err *e);
/* No new requests. What was pulled half is pulled again by the next owner. */
void list_pulls_stop(struct list_pulls *l);
/* After transport and store are closed. Freed on the loop. */
void list_pulls_close(struct list_pulls *l);

#endif
