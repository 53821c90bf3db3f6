#include <stdlib.h>

#include "dispatcher_priv.h"
#include "followupd/base/crash_point.h"
#include "followupd/base/log.h"

#define FAILED_AGAIN_MS       1000
#define FAILED_ALONE_AGAIN_MS 5000

struct claim {
    struct dispatcher *dispatcher; /* borrowed, outlives us */
    int64_t asked_us;
    size_t asked; /* the answer holds a row for each */
    struct flight *flights[];
};

/* Messages nobody posts: the slot is free again, and the wheel gets them back when asking later makes sense. */
static void end_unsent(struct dispatcher *d, struct flight *f, int64_t set_again_ms)
{
    early_over(d, f);
    lane_unused(&d->lanes[f->lane], f->pass);
    d->slots--;
    dispatcher_end_flight(d, f, set_again_ms);
}

/* A bulk that locks ten thousand conversations must not be asked about all of them every 50 ms: the wait grows with the
 * number of busy answers in the last second, so that there are at most some thousand asks a second. */
static int64_t busy_wait_ms(struct dispatcher *d)
{
    struct mono now = mono_now();
    double passed_s = (double)(now.ms - d->busy_at.ms) / 1000.0;
    d->busy_recent = passed_s >= 1 ? 0 : d->busy_recent * (1 - passed_s);
    d->busy_at = now;
    d->busy_recent += 1;
    return d->config.busy_again_ms + (int64_t)(d->busy_recent / 4);
}

/* Moved to a time that is over by our clock: then the database's is behind what we read of it (it was set back), and to set
 * the message for that time would be to ask again at once. */
static void moved(struct dispatcher *d, struct flight *f, const struct claim_row *row)
{
    bool is_over = row->due.us <= f->due.us;
    end_unsent(d, f, is_over ? d->config.busy_again_ms : -1);
    if (!is_over)
        d->hooks.set(d->hooks.arg, (struct due_message){ row->ref, row->due });
}

static void on_row(struct claim *c, const struct claim_row *row, struct giveback **gives_back)
{
    struct dispatcher *d = c->dispatcher;
    struct flight *f = flights_find(&d->flights, row->ref);
    if (f == NULL || f->claim != c)
        return; /* not asked for, or answered already */
    f->claim = NULL;
    d->stats.verdicts[row->verdict]++;
    switch (row->verdict) {
    case CLAIM_CLAIMED:
        handover_begin(d, f, row, c->asked_us, gives_back);
        break;
    case CLAIM_MOVED:
        moved(d, f, row);
        break;
    case CLAIM_BUSY:
        end_unsent(d, f, busy_wait_ms(d));
        break;
    case CLAIM_GONE:
    case CLAIM_NOT_OURS:
        end_unsent(d, f, -1);
        break;
    }
}

/* The database may have refused all that was asked for because of one message: they come back apart, so that after some
 * rounds that one is asked for alone. */
static int64_t failed_again_ms(const struct claim *c, enum status st, size_t i)
{
    if (st != E_DB)
        return FAILED_AGAIN_MS;
    return c->asked > 1 ? FAILED_AGAIN_MS + (int64_t)(i * FAILED_AGAIN_MS / c->asked) : FAILED_ALONE_AGAIN_MS;
}

/* Logs, frees: the only place a claim ends. Whatever is still claiming got no answer: whether the statement committed
 * is unknown. Asking again is harmless, and rows that are `sending` without us are found by sweep_sending. */
static void claim_finish(struct claim *c, enum status st, const struct err *e)
{
    struct dispatcher *d = c->dispatcher;
    if (st != OK) {
        struct message_ref first = c->flights[0]->ref;
        d->stats.claim_failures++;
        log_warn("claim_failed", kv("status", status_text(st)), kv("messages", c->asked),
                 kv("account", first.account_id), kv("message", first.message_id),
                 kv("reason", e != NULL ? e->text : ""));
    }
    for (size_t i = 0; i < c->asked; i++) {
        if (c->flights[i] != NULL)
            end_unsent(d, c->flights[i], failed_again_ms(c, st, i));
    }
    free(c);
    dispatcher_wake(d);
}

static void on_claim(void *arg, enum status st, const struct err *e, const struct claim_row *rows, size_t count)
{
    struct claim *c = arg;
    struct dispatcher *d = c->dispatcher;
    struct giveback *gives_back = NULL;
    d->claims--;
    CRASH_POINT(claim_answered);
    if (st == OK)
        histogram_add(&d->stats.claim, mono_now_us() - c->asked_us);
    for (size_t i = 0; st == OK && i < count; i++)
        on_row(c, &rows[i], &gives_back);
    for (size_t i = 0; st == OK && i < c->asked; i++) {
        if (c->flights[i]->claim != c)
            c->flights[i] = NULL; /* had its row */
    }
    handover_give_back(gives_back);
    claim_finish(c, st, e);
}

void claim_start(struct dispatcher *d, struct flight **flights, size_t count)
{
    struct message_ref refs[STORE_BATCH_MAX];
    struct claim *c = calloc(1, sizeof *c + count * sizeof(struct flight *));
    if (c == NULL) {
        for (size_t i = 0; i < count; i++)
            end_unsent(d, flights[i], FAILED_AGAIN_MS);
        return;
    }
    c->dispatcher = d;
    c->asked = count;
    c->asked_us = mono_now_us();
    for (size_t i = 0; i < count; i++) {
        c->flights[i] = flights[i];
        flights[i]->claim = c;
        refs[i] = flights[i]->ref;
    }
    d->claims++;
    d->stats.claims++;
    CRASH_POINT(claim_wanted);
    enum status st = d->store->ops->claim(d->store, d->hooks.leases(d->hooks.arg), refs, count, on_claim, c);
    CRASH_POINT(claim_asked);
    if (st != OK) {
        d->claims--;
        claim_finish(c, st, NULL);
    }
}
