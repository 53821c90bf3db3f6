/* sweep: what makes a lost NOTIFY, a lost result and a dead worker harmless. Asks the database, page by page, for what
 * is scheduled in an interval and hands each row on; asks it for `sending` rows nobody works on.
 *
 * Bounds  pages of STORE_BATCH_MAX rows, SWEEP_PAGES_MAX a run; a run that stopped there goes on where it was the next
 *         time it is due. One run of each kind at a time. */
#ifndef FOLLOWUPD_SCHED_SWEEP_H
#define FOLLOWUPD_SCHED_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/clock.h"
#include "followupd/store/store.h"

#define SWEEP_PAGES_MAX           20
#define SWEEP_SENDING_REST        50 /* times its last duration: what it costs grows with the backlog */
#define SWEEP_SENDING_REST_MS_MAX 60000

struct sweep_run {
    struct wall from, until;
    struct due_message after; /* where the last page ended; all zero: at the beginning */
};

struct sweep {
    struct store *store;
    void *arg;
    void (*on_row)(void *arg, const struct due_message *row);
    /* All that we are claiming, posting or recording; borrowed until the next turn of the loop. */
    const struct message_ref *(*in_flight_list)(void *arg, size_t *ret_count);
    struct shard_lease leases[STORE_SHARDS];
    size_t lease_count;

    struct sweep_run recent, older;
    struct sweep_run *running; /* NULL: none */
    size_t pages_left;
    bool sending; /* the mark or sweep_sending is asked */
    int64_t grace_ms;
    struct mono sending_asked, sending_at;
};

void sweep_init(struct sweep *s, struct store *store);
void sweep_leases(struct sweep *s, struct lease_set leases);
/* What is due in [from, until). E_BUSY: a run is under way. */
MUST_USE enum status sweep_recent(struct sweep *s, struct wall from, struct wall until);
/* Everything due before until. */
MUST_USE enum status sweep_older(struct sweep *s, struct wall until);
/* First the mark, then what is in flight, then the question: however long the database takes over each, what we claimed
 * meanwhile is not taken for lost. OK without asking while it rests: after an answer, for SWEEP_SENDING_REST times as
 * long as that took, at most SWEEP_SENDING_REST_MS_MAX. */
MUST_USE enum status sweep_sending(struct sweep *s, int64_t grace_ms);

#endif
