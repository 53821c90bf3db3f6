/* owner: which shards are ours, until when. Takes leases, looking for free ones every ttl/20; renews them every ttl/3,
 * gives up those for which another worker is preferred, a few at a time, and knows for each until when we may send: ttl after the moment *before* the renewal was asked, on a clock that counts through a suspend, less a margin.
 * So a worker that was stopped, suspended or cut off finds its deadline passed before it sends another byte.
 *
 * held       the database said it is ours and nobody has said otherwise: what was sent is recorded
 * valid      held, its deadline has not passed, and it is not leaving: may be claimed under
 * leaving    another worker is preferred for it: nothing new is claimed, and when nothing of it is in flight it is
 *            given back. At most OWNER_LEAVING_MAX at once, so that most shards go on while workers come and go.
 * lost       a renewal came back without it: another worker has it, under a higher epoch
 * A deadline that passes (the database is away) makes a shard invalid, not lost: if its renewal then succeeds under
 * the same epoch, nobody had it in between, and it goes on.
 *
 * Former     the lock file names the workers of this host that are dead; their leases are taken without waiting. They are
 *            asked for in every look until all shards are ours, or a lease's time has passed.
 * Time       CLOCK_BOOTTIME, ms. Callbacks run from the loop. */
#ifndef FOLLOWUPD_OWNER_OWNER_H
#define FOLLOWUPD_OWNER_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "followupd/base/clock.h"
#include "followupd/base/status.h"
#include "followupd/store/store.h"

struct owner;

struct owner_config {
    const char *state_dir; /* borrowed until owner_open returns; NULL: no lock file, former leases run out first */
    const char *worker;    /* uuid of this process start; copied */
    int64_t ttl_ms;        /* [10000] of a lease */
    int64_t margin_ms;     /* [ttl / 5] before the end of a lease nothing is sent any more */
};

#define OWNER_NOTICE      "l" /* the payload of the NOTIFY that says: leases were given up (release_leases) */
#define OWNER_LEAVING_MAX 8

struct owner_events {
    void *arg;
    /* The set of held shards, or an epoch, changed: gained or lost some. */
    void (*on_change)(void *arg);
    /* These were lost (not those given back): what is in flight there is another worker's doubt now. Before on_change.
     */
    void (*on_lost)(void *arg, const int *shards, size_t count);
    /* Is any message of the shard between its claim and its record? */
    bool (*in_flight)(void *arg, int shard);
};

/* E_BUSY: another daemon runs with this state directory. */
MUST_USE enum status owner_open(uv_loop_t *loop, struct store *store, const struct owner_config *config,
                                const struct owner_events *events, struct owner **ret, struct err *e);
void owner_up(struct owner *o);   /* the store is up: renew what is held, take what is free */
void owner_down(struct owner *o); /* it is down: deadlines run on */
void owner_look(struct owner *o); /* somebody gave leases up: take those that are meant for us */

/* All that is held, for loads, sweeps and records; borrowed until the next callback. */
struct lease_set owner_held(const struct owner *o);
/* Those valid now, for claims; borrowed until the next call. */
struct lease_set owner_valid(struct owner *o, struct mono now);
/* Until the first of those held stops being valid; 0: one has; -1: none is held. */
int64_t owner_valid_ms(const struct owner *o, struct mono now);
/* The last question before the first byte. */
bool owner_may_send(const struct owner *o, int shard, int64_t epoch, struct mono now);

/* From now on nothing new is taken and other workers are told; what is held is renewed still. */
void owner_drain(struct owner *o);
/* Gives all back; on_done once, from the loop, OK or why not (then they run out by themselves). After the drain, when
 * nothing is in flight. */
void owner_release(struct owner *o, void (*on_done)(void *arg, enum status st), void *arg);
/* Close the store first. on_closed once, from the loop, last. */
void owner_close(struct owner *o, void (*on_closed)(void *arg), void *arg);

#endif
