/* loader: fills the agenda from the database. At most one load runs and one waits; what waits is everything, or some
 * accounts (LOADER_ACCOUNTS_MAX; more become everything), or the stretch by which the horizon moved.
 *
 *   everything   into a new book, swapped in when it is complete: the start, a reconnect, other leases
 *   an account   dropped a slice a turn, then loaded in place: a NOTIFY said "reload"
 *   a stretch    added in place: [loaded until, new horizon)
 *
 * What changed while a load ran is replayed a slice a turn, so that no number of messages holds the loop.
 * A large account rests after its reload, LOADER_REST times as long as that took: while a bulk or an import writes an
 * account every NOTIFY asks for all of it, and reading it each time would take a core. What is due meanwhile the sweep finds.
 * A load whose replay log overflowed starts again. One that failed waits for loader_poke. Rows over rows_max, in whatever
 * load, halve the horizon, down to a minute, and load everything anew; it grows back when there is room, and not over the
 * end of a load that was too much before that has passed. What is due within the minute is loaded however much it is.
 * Time  business time. */
#ifndef FOLLOWUPD_SCHED_LOADER_H
#define FOLLOWUPD_SCHED_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/sched/agenda.h"
#include "followupd/store/store.h"

#define LOADER_ACCOUNTS_MAX 32
#define LOADER_HORIZON_PART 24   /* the horizon is moved when that part of it has passed */
#define LOADER_REST         9    /* times a reload's own time until accounts are reloaded again */
#define LOADER_REST_MS_MIN  20   /* a reload that took less needs no rest */
#define LOADER_SLICE        1024 /* messages replayed, or looked at to be dropped, in one loader_work */

struct loader_config {
    int64_t horizon_ms; /* business */
    size_t rows_max;    /* messages known at once; 0: no limit */
};

struct loader_stats {
    uint64_t loads, failures; /* completed; begun and not completed */
    size_t last_rows;         /* of the last one completed */
    int64_t last_us;
};

struct loader {
    struct loader_config config;
    struct store *store;
    struct agenda *agenda;
    void *arg;
    bool (*in_flight)(void *arg, struct message_ref ref); /* such a row is not set */
    void (*on_work)(void *arg);                           /* call loader_work soon, from a turn of the loop */
    void (*on_reloaded)(void *arg); /* everything or an account is there, as the database has it */

    int shards[STORE_SHARDS];
    size_t shard_count;
    int64_t horizon_ms; /* in use; less than configured when there are too many rows */
    struct wall loaded_until;
    struct wall crowded_until; /* the end of the last load that was too much */

    bool running, whole, account, over_rows; /* account: of one that was dropped */
    bool replaying;                          /* the rows of the load that runs are there; loader_work ends it */
    bool stale;                              /* everything was asked for while it ran: its rows are of before */
    bool failed;                             /* a row could not be set */
    struct wall until;                       /* of the load that runs */
    bool wants_all, wants_stretch;
    int64_t accounts[LOADER_ACCOUNTS_MAX];
    size_t account_count;
    int64_t dropping; /* account that loader_work drops and then loads; 0: none */
    uint32_t drop_from;
    int64_t drop_began_us;
    struct mono accounts_at; /* real time: none is reloaded before; it rests */
    int64_t began_us;
    struct loader_stats stats;
};

void loader_init(struct loader *l, const struct loader_config *config, struct store *store, struct agenda *agenda);
/* Shards to load from now on. The caller asks for everything when they changed. */
void loader_shards(struct loader *l, const int *shards, size_t count);
void loader_all(struct loader *l, struct wall now);
void loader_account(struct loader *l, int64_t account_id, struct wall now);
/* Goes on with what on_work was called for. True: there is more, call it in the next turn. */
bool loader_work(struct loader *l, struct wall now);
/* Every second or so: moves the horizon when its time has come, and tries again what failed. */
void loader_poke(struct loader *l, struct wall now);
/* Accounts wait, and have rested: loader_poke would go on with them. */
bool loader_rested(const struct loader *l);
/* The store is down: what runs ends with E_GONE; everything is wanted when it is up again. */
void loader_down(struct loader *l);
/* Due before this is kept in the agenda; what is due later comes with the horizon. */
struct wall loader_keeps_until(const struct loader *l);
bool loader_complete(const struct loader *l); /* the first load is done and none is wanted */

#endif
