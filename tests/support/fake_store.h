/* fake_store: the store's seam without a database, for tests of those who stand on it. It keeps what it was asked;
 * fake_answer() runs the callbacks, so that the test decides when an answer comes. */
#ifndef TESTS_SUPPORT_FAKE_STORE_H
#define TESTS_SUPPORT_FAKE_STORE_H

#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/store/store.h"

#define FAKE_ROWS_MAX 3000

struct fake_store {
    struct store base;
    bool up, hold_load, hold_mark, hold_leases;
    struct wall business;
    double rate;
    int64_t clock_took_us; /* to be answered */
    /* what is scheduled in the "database" */
    struct due_message rows[FAKE_ROWS_MAX];
    size_t row_count;
    struct due_message lost[10]; /* sweep_sending answers these once */
    size_t lost_count;
    struct shard_lease grant[STORE_SHARDS]; /* acquire and renew answer these */
    size_t grant_count;
    /* what was asked */
    int clocks, loads, sweeps, marks, sendings, acquires, renews, beats, releases;
    struct load_request load;
    char former[64];
    bool draining;
    int64_t mark; /* what claim_mark answers */
    struct sending_request sending;
    /* what is under way; NULL: nothing */
    store_clock_cb clock_cb;
    store_due_cb load_rows_cb, sweep_cb, sending_cb;
    store_number_cb mark_cb;
    store_done_cb load_cb, beat_cb, release_cb;
    store_lease_cb acquire_cb, renew_cb;
    void *clock_arg, *load_arg, *sweep_arg, *mark_arg, *sending_arg, *acquire_arg, *renew_arg, *beat_arg, *release_arg;
    struct sweep_request sweep;
};

#define FAKE(s) container_of((s), struct fake_store, base)
#define FAKE_START(f, slot, callback, argument)                                                                        \
    do {                                                                                                               \
        if (!(f)->up)                                                                                                  \
            return E_GONE;                                                                                             \
        if ((f)->slot##_cb != NULL)                                                                                    \
            return E_BUSY;                                                                                             \
        (f)->slot##_cb = (callback);                                                                                   \
        (f)->slot##_arg = (argument);                                                                                  \
    } while (0)

static enum status fake_clock(struct store *s, store_clock_cb cb, void *arg)
{
    FAKE_START(FAKE(s), clock, cb, arg);
    FAKE(s)->clocks++;
    return OK;
}
static enum status fake_load(struct store *s, const struct load_request *r, store_due_cb on_rows, store_done_cb on_done,
                             void *arg)
{
    FAKE_START(FAKE(s), load, on_done, arg);
    FAKE(s)->load_rows_cb = on_rows;
    FAKE(s)->load = *r;
    FAKE(s)->loads++;
    return OK;
}
static enum status fake_sweep_due(struct store *s, const struct sweep_request *r, store_due_cb cb, void *arg)
{
    FAKE_START(FAKE(s), sweep, cb, arg);
    FAKE(s)->sweep = *r;
    FAKE(s)->sweeps++;
    return OK;
}
static enum status fake_claim_mark(struct store *s, store_number_cb cb, void *arg)
{
    FAKE_START(FAKE(s), mark, cb, arg);
    FAKE(s)->marks++;
    return OK;
}
static enum status fake_sweep_sending(struct store *s, struct lease_set leases, const struct sending_request *r,
                                      store_due_cb cb, void *arg)
{
    (void)leases;
    FAKE_START(FAKE(s), sending, cb, arg);
    FAKE(s)->sending = *r;
    FAKE(s)->sendings++;
    return OK;
}
static enum status fake_acquire(struct store *s, const char *former, int64_t ttl_ms, store_lease_cb cb, void *arg)
{
    (void)ttl_ms;
    FAKE_START(FAKE(s), acquire, cb, arg);
    strncpy(FAKE(s)->former, former != NULL ? former : "", sizeof FAKE(s)->former - 1);
    FAKE(s)->acquires++;
    return OK;
}
static enum status fake_renew(struct store *s, struct lease_set leases, int64_t ttl_ms, store_lease_cb cb, void *arg)
{
    (void)leases;
    (void)ttl_ms;
    FAKE_START(FAKE(s), renew, cb, arg);
    FAKE(s)->renews++;
    return OK;
}
static enum status fake_release(struct store *s, struct lease_set leases, store_done_cb cb, void *arg)
{
    (void)leases;
    FAKE_START(FAKE(s), release, cb, arg);
    FAKE(s)->releases++;
    return OK;
}
static enum status fake_beat(struct store *s, bool draining, store_done_cb cb, void *arg)
{
    FAKE_START(FAKE(s), beat, cb, arg);
    FAKE(s)->draining = draining;
    FAKE(s)->beats++;
    return OK;
}

static const struct store_ops fake_ops = { .clock = fake_clock,
                                           .load = fake_load,
                                           .sweep_due = fake_sweep_due,
                                           .claim_mark = fake_claim_mark,
                                           .sweep_sending = fake_sweep_sending,
                                           .lease_acquire = fake_acquire,
                                           .lease_renew = fake_renew,
                                           .lease_release = fake_release,
                                           .beat = fake_beat };

static inline void fake_init(struct fake_store *f)
{
    memset(f, 0, sizeof *f);
    f->base.ops = &fake_ops;
    f->rate = 1;
}

static inline void fake_row(struct fake_store *f, int64_t account_id, int64_t message_id, int64_t due_us)
{
    f->rows[f->row_count++] = (struct due_message){ { account_id, message_id }, { due_us } };
}

/* Takes the callback out of its slot, so that it may ask again. */
#define FAKE_TAKE(f, slot, cb, arg)                                                                                    \
    __auto_type cb = (f)->slot##_cb;                                                                                   \
    void *arg = (f)->slot##_arg;                                                                                       \
    (f)->slot##_cb = NULL

static inline void fake_answer_load_rows(struct fake_store *f)
{
    for (size_t i = 0; i < f->row_count; i++) {
        const struct due_message *r = &f->rows[i];
        if (r->due.us < f->load.until.us && r->due.us >= f->load.from.us &&
            (f->load.account_id == 0 || f->load.account_id == r->ref.account_id))
            f->load_rows_cb(f->load_arg, OK, NULL, r, 1);
    }
}
static inline void fake_answer_load_done(struct fake_store *f, enum status st)
{
    static const struct err e = { "as the test wishes" };
    FAKE_TAKE(f, load, cb, arg);
    cb(arg, st, st == OK ? NULL : &e);
}
static inline void fake_answer_sweep(struct fake_store *f)
{
    struct due_message page[STORE_BATCH_MAX];
    size_t count = 0;
    for (size_t i = 0; i < f->row_count && count < f->sweep.count_max; i++) {
        const struct due_message *r = &f->rows[i]; /* the test adds them in order of due */
        bool past = f->sweep.after.ref.account_id == 0 || r->due.us > f->sweep.after.due.us ||
                    (r->due.us == f->sweep.after.due.us && r->ref.message_id > f->sweep.after.ref.message_id);
        if (past && r->due.us >= f->sweep.from.us && r->due.us < f->sweep.until.us)
            page[count++] = *r;
    }
    FAKE_TAKE(f, sweep, cb, arg);
    cb(arg, OK, NULL, page, count);
}

/* Everything that is under way and not held. */
static inline void fake_answer(struct fake_store *f)
{
    static const struct err e = { "as the test wishes" };
    (void)e;
    if (f->clock_cb != NULL) {
        FAKE_TAKE(f, clock, cb, arg);
        int64_t now_us = mono_now_us();
        cb(arg, OK, NULL, f->business, f->rate, now_us - f->clock_took_us, now_us);
    }
    if (f->load_cb != NULL && !f->hold_load) {
        fake_answer_load_rows(f);
        fake_answer_load_done(f, OK);
    }
    if (f->sweep_cb != NULL)
        fake_answer_sweep(f);
    if (f->mark_cb != NULL && !f->hold_mark) {
        FAKE_TAKE(f, mark, cb, arg);
        cb(arg, OK, NULL, f->mark);
    }
    if (f->sending_cb != NULL) {
        FAKE_TAKE(f, sending, cb, arg);
        size_t count = f->lost_count;
        f->lost_count = 0;
        cb(arg, OK, NULL, f->lost, count);
    }
    if (f->renew_cb != NULL && !f->hold_leases) {
        FAKE_TAKE(f, renew, cb, arg);
        cb(arg, OK, NULL, f->grant, f->grant_count);
    }
    if (f->acquire_cb != NULL && !f->hold_leases) {
        FAKE_TAKE(f, acquire, cb, arg);
        cb(arg, OK, NULL, f->grant, f->grant_count);
    }
    if (f->beat_cb != NULL) {
        FAKE_TAKE(f, beat, cb, arg);
        cb(arg, OK, NULL);
    }
    if (f->release_cb != NULL) {
        FAKE_TAKE(f, release, cb, arg);
        cb(arg, OK, NULL);
    }
}

/* The connection breaks: whatever was asked is answered with E_GONE. */
static inline void fake_break(struct fake_store *f)
{
    static const struct err e = { "gone" };
    f->up = false;
    if (f->clock_cb != NULL) {
        FAKE_TAKE(f, clock, cb, arg);
        cb(arg, E_GONE, &e, (struct wall){ 0 }, 0, 0, 0);
    }
    if (f->load_cb != NULL)
        fake_answer_load_done(f, E_GONE);
    if (f->sweep_cb != NULL) {
        FAKE_TAKE(f, sweep, cb, arg);
        cb(arg, E_GONE, &e, NULL, 0);
    }
    if (f->mark_cb != NULL) {
        FAKE_TAKE(f, mark, cb, arg);
        cb(arg, E_GONE, &e, 0);
    }
    if (f->sending_cb != NULL) {
        FAKE_TAKE(f, sending, cb, arg);
        cb(arg, E_GONE, &e, NULL, 0);
    }
    if (f->renew_cb != NULL) {
        FAKE_TAKE(f, renew, cb, arg);
        cb(arg, E_GONE, &e, NULL, 0);
    }
    if (f->acquire_cb != NULL) {
        FAKE_TAKE(f, acquire, cb, arg);
        cb(arg, E_GONE, &e, NULL, 0);
    }
    if (f->beat_cb != NULL) {
        FAKE_TAKE(f, beat, cb, arg);
        cb(arg, E_GONE, &e);
    }
    if (f->release_cb != NULL) {
        FAKE_TAKE(f, release, cb, arg);
        cb(arg, E_GONE, &e);
    }
}

#endif
