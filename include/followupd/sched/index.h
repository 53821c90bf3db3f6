/* index: which message a dense 32-bit id of the wheel stands for, and back. Pure, in memory.
 *
 * Ids     from 0 up, as few as possible: one that was removed is given out again, so whoever keeps ids across events
 *         must keep (account, message) instead.
 * Keys    account and message ids are those of PostgreSQL: any int64.
 * Errors  index_new and index_add can run out of memory; nothing else fails.
 * Cost    add, find and remove O(1), growing included: it grows an entry at a time, so no call holds the loop. 23.2
 *         bytes an entry, however they came; what entries took is used again and given back by index_free.
 * Threads one. */
#ifndef FOLLOWUPD_SCHED_INDEX_H
#define FOLLOWUPD_SCHED_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"

struct index; /* opaque; defined in index.c */

struct index_key {
    int64_t account_id, message_id;
};

/* entries_hint: how many are expected; more may come. NULL: out of memory. */
struct index *index_new(uint32_t entries_hint);
void index_free(struct index *x);

/* The id of this message, a new one when it was not there. E_LIMIT: 2^31 - 1 entries. */
MUST_USE enum status index_add(struct index *x, int64_t account_id, int64_t message_id, uint32_t *ret_id);
bool index_find(const struct index *x, int64_t account_id, int64_t message_id, uint32_t *ret_id); /* false: not there */
/* This message will be asked for: the first some ten messages ahead, the second some five. A large index is slow because
 * memory is; these fetch what index_add and index_find will look at, and change nothing. */
void index_expect(const struct index *x, int64_t account_id, int64_t message_id);
void index_expect_soon(const struct index *x, int64_t account_id, int64_t message_id);
bool index_get(const struct index *x, uint32_t id, struct index_key *ret); /* false: no such id */
bool index_remove(struct index *x, uint32_t id);                           /* false: no such id */

/* Calls visit for each entry of an account among the next ids_max ids from *from, and moves *from on. True: there are
 * more ids. The callback may remove that entry, and nothing else. */
bool index_visit_account(struct index *x, int64_t account_id, uint32_t *from, uint32_t ids_max,
                         void (*visit)(void *context, uint32_t id, int64_t message_id), void *context);
/* Ids are below this: for loops over all of them with index_get. */
uint32_t index_ids_end(const struct index *x);
size_t index_count(const struct index *x);
size_t index_bytes(const struct index *x);

/* Audits every invariant; O(everything), for tests. */
bool index_check(const struct index *x);

#endif
