/* inbox: webhooks into the database, many in one commit, and then what they told into the rules.
 *
 * Group commit  while one call is under way the next webhooks gather; what came in one turn of the loop goes together. Each
 *               learns of its own verdict after the commit. A call that the database refuses is repeated webhook by
 *               webhook, so that one that cannot be stored stops no other.
 * Applying      SQL does it (apply_inbox), INBOX_APPLY_MAX events a call, at once after webhooks were stored and every
 *               interval; while more webhooks come, a quarter of the time. Any number of daemons may; it asks for no lease.
 * Bounds        INBOX_WAITING_MAX webhooks and INBOX_WAITING_BYTES_MAX bytes wait, else E_LIMIT; a call takes
 *               STORE_BATCH_MAX of them and INBOX_CALL_BYTES_MAX bytes. How long one waits is bounded by the store's
 *               statement timeout: when a call fails, those that wait are tried, or told when the database is away.
 * Ownership     an entry is the caller's and embedded in his operation; it lives until its callback.
 * Cost          a round trip and a commit a call, whatever it carries. */
#ifndef FOLLOWUPD_INBOX_INBOX_H
#define FOLLOWUPD_INBOX_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "followupd/base/list.h"
#include "followupd/base/stats.h"
#include "followupd/base/status.h"
#include "followupd/store/store.h"

#define INBOX_WAITING_MAX       5000
#define INBOX_WAITING_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define INBOX_CALL_BYTES_MAX    ((size_t)4 * 1024 * 1024)
#define INBOX_APPLY_MAX         200

struct inbox;
struct inbox_entry;

/* verdict: when st is OK, which is after the commit. Once, never inside inbox_put. */
typedef void (*inbox_cb)(struct inbox_entry *entry, enum status st, enum webhook_stored verdict);

struct inbox_entry {
    struct list node;
    struct stored_webhook webhook; /* its texts are borrowed until the callback */
    size_t bytes;
    inbox_cb cb;
};

struct inbox_stats {
    size_t waiting, waiting_bytes; /* not under way yet */
    uint64_t stored, fresh;        /* webhooks; events out of them that were not known before */
    uint64_t calls, failures;
    uint64_t applied, unmatched, failed; /* events */
    bool behind;                         /* the last call that applied left some */
    struct histogram round_trip;         /* of a call that stores */
};

MUST_USE enum status inbox_open(uv_loop_t *loop, struct store *store, int64_t interval_ms, struct inbox **ret,
                                struct err *e);
/* E_GONE: the database is away. E_LIMIT: full. Then the callback never runs. */
MUST_USE enum status inbox_put(struct inbox *b, struct inbox_entry *entry, const struct stored_webhook *webhook,
                               inbox_cb cb);
const struct inbox_stats *inbox_stats(const struct inbox *b);
/* Applies nothing further. */
void inbox_drain(struct inbox *b);
/* Close the store first. What waits is told E_CANCELLED, inside this call. Frees b, from the loop, later. */
void inbox_close(struct inbox *b);

#endif
