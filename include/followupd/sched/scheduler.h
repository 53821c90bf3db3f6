/* scheduler: what is due soon -> when. Owns the agenda (wheel, index, ready queue), keeps it like the database (loader,
 * wake, sweep), reads the database's clock, and hands what has come due to the one consumer.
 *
 * Order      scheduler_open, scheduler_leases and scheduler_up in any order; nothing is handed over before the store is
 *            up and the clock was read; the agenda is loaded once there are leases, what is due about now first. After
 *            scheduler_down nothing is handed over until the next up, which loads everything anew.
 * Consumer   on_due runs from the loop only, never inside a call of ours. It is shown what is due within the next 25 ms
 *            (real): a claim takes its time, and what is due shortly after it goes into the same one. It takes the first n of what it is shown and
 *            answers n; fewer than shown means it is full, and it is asked again after scheduler_pull. What it took is
 *            its own: forgotten here until it is set again (not from inside on_due). A message that in_flight says
 *            yes to is never set by load, sweep or NOTIFY; the consumer itself may (scheduler_set).
 * Hints      the wheel is a memory: what it hands over may be gone, moved or not ours; the claim says so.
 * Time       due times are business time, rounded up to ms. Periods are real ms; the intervals that sweeps look at are
 *            real ms too, turned into business time by the clock's rate. The horizon is business time.
 * Cost       one uv_timer for the wheel, one idle handle while there is more to do, one timer for the periods; a loop
 *            turn looks at advance_budget messages at most. */
#ifndef FOLLOWUPD_SCHED_SCHEDULER_H
#define FOLLOWUPD_SCHED_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "followupd/base/clock.h"
#include "followupd/base/status.h"
#include "followupd/sched/loader.h"
#include "followupd/sched/wheel.h"
#include "followupd/store/store.h"

struct scheduler;

struct scheduler_consumer {
    void *arg;
    size_t (*on_due)(void *arg, const struct due_message *due, size_t count);
    bool (*in_flight)(void *arg, struct message_ref ref);
    /* The database says that it must not be sent any more; it may be anybody's. */
    void (*cancel)(void *arg, struct message_ref ref);
    /* All that is being claimed, posted or recorded; borrowed until the next turn of the loop. */
    const struct message_ref *(*in_flight_list)(void *arg, size_t *ret_count);
    /* Everything, or an account, was loaded anew: what was put off may be due again at once. From the loop. */
    void (*reloaded)(void *arg);
};

/* 0: the default in brackets. */
struct scheduler_config {
    int64_t horizon_ms;       /* [72 h] business */
    int64_t sweep_ms;         /* [5000] what is due from sweep_back_ms ago to sweep_ahead_ms ahead; lost claims */
    int64_t sweep_back_ms;    /* [300000] */
    int64_t sweep_ahead_ms;   /* [10000] */
    int64_t sweep_older_ms;   /* [60000] everything older */
    int64_t sending_grace_ms; /* [15000] a claim that nobody works on is lost after that long */
    int64_t clock_ms;         /* [5000] the database's clock is read again */
    size_t ready_max;         /* [1024] messages that wait for the consumer */
    size_t batch_max;         /* [256] handed over at once */
    size_t advance_budget;    /* [256] messages looked at in a turn */
    size_t replay_max;        /* [262144] changes while a load runs */
    size_t rows_max;          /* [10000000] messages in the wheel; more shorten the horizon */
};

struct scheduler_counts {
    size_t live;          /* in the wheel or ready */
    size_t ready;         /* due and waiting for the consumer */
    uint64_t due_total;   /* handed over so far */
    uint64_t swept_total; /* set because a sweep found them: a NOTIFY was lost, or off */
    bool complete;        /* the agenda is loaded */
    struct wheel_stats wheel;
    uint64_t pause_max_us, pause_recent_us; /* longest look at the wheel: since the start, of the last minute or two */
    uint64_t notified_total;
    int64_t notify_age_ms; /* real, since the last one; -1: none yet */
    int64_t horizon_ms;    /* in use, business */
    struct loader_stats load;
};

MUST_USE enum status scheduler_open(uv_loop_t *loop, struct store *store, const struct scheduler_config *config,
                                    const struct scheduler_consumer *consumer, struct scheduler **ret, struct err *e);
/* Close the store first: its callbacks come here. on_closed runs once, from the loop, last. */
void scheduler_close(struct scheduler *s, void (*on_closed)(void *arg), void *arg);

/* From the store's events. */
void scheduler_up(struct scheduler *s);
void scheduler_down(struct scheduler *s);
void scheduler_notify(struct scheduler *s, const char *payload);
/* The shards that are ours, whenever they change; other shards than before load everything anew. */
void scheduler_leases(struct scheduler *s, struct lease_set leases);

/* From the consumer. Due past the horizon is left to the loader. */
void scheduler_set(struct scheduler *s, struct message_ref ref, struct wall due);
/* The same of what is due already and has no place yet: until then sweeps leave it alone. They leave alone whatever is
 * due and known to be set no later than the latest of these, so that a due time that was brought forward, and whose NOTIFY
 * was lost, may wait for that long. */
void scheduler_put_off(struct scheduler *s, struct message_ref ref, struct wall until);
bool scheduler_known(const struct scheduler *s, struct message_ref ref);
void scheduler_pull(struct scheduler *s);                       /* it has room again */
void scheduler_reload(struct scheduler *s, int64_t account_id); /* 0: everything */

bool scheduler_clock(const struct scheduler *s, struct business_clock *ret); /* false: not read yet */
void scheduler_count(const struct scheduler *s, struct scheduler_counts *ret);

#endif
