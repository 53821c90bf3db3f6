#include "followupd/sched/loader.h"

#include <string.h>

#include "followupd/base/crash_point.h"
#include "followupd/base/log.h"

#define HORIZON_MS_MIN 60000

void loader_init(struct loader *l, const struct loader_config *config, struct store *store, struct agenda *agenda)
{
    *l = (struct loader){ .config = *config, .store = store, .agenda = agenda, .horizon_ms = config->horizon_ms };
}

void loader_shards(struct loader *l, const int *shards, size_t count)
{
    memcpy(l->shards, shards, count * sizeof *shards);
    l->shard_count = count;
}

struct wall loader_keeps_until(const struct loader *l)
{
    return l->running && l->until.us > l->loaded_until.us ? l->until : l->loaded_until;
}

bool loader_complete(const struct loader *l)
{
    return l->loaded_until.us > 0 && !l->wants_all && !(l->running && l->whole);
}

/* --- one load --------------------------------------------------------------------------------------------------- */

/* Would this page make more than rows_max of the book it goes into? Within the least horizon everything must fit. */
static bool too_many(const struct loader *l, size_t count)
{
    size_t there = l->whole ? agenda_load_count(l->agenda) : agenda_count(l->agenda);
    return l->config.rows_max > 0 && there + count > l->config.rows_max && l->horizon_ms > HORIZON_MS_MIN;
}

static void on_rows(void *arg, enum status st, const struct err *e, const struct due_message *rows, size_t count)
{
    (void)st;
    (void)e;
    struct loader *l = arg;
    if (!agenda_loading(l->agenda) || l->over_rows)
        return;
    if (too_many(l, count)) {
        l->over_rows = true;
        return;
    }
    for (size_t i = 0; i < count && !l->failed; i++) {
        agenda_load_ahead(l->agenda, rows + i, count - i);
        if (!l->in_flight(l->arg, rows[i].ref))
            l->failed = agenda_load_row(l->agenda, &rows[i]) != OK;
    }
}

/* What the end of a load means for the agenda; anything but OK: it did not happen, and everything is wanted. */
static enum status finish(struct loader *l, enum status st, struct err *e)
{
    if (st == OK && l->failed)
        st = err_set(e, E_NOMEM, "out of memory for what is due");
    if (st == OK && l->stale)
        st = err_set(e, E_CANCELLED, "asked for again while it ran");
    if (st == OK && l->over_rows)
        st = err_set(e, E_LIMIT, "more rows than fit; the horizon is halved");
    if (st != OK) {
        agenda_load_abort(l->agenda);
        return st;
    }
    st = agenda_load_finish(l->agenda);
    if (st == E_LIMIT)
        err_set(e, st, "more changes while it ran than the log holds");
    else if (st != OK)
        err_set(e, st, "%s", status_text(st));
    return st;
}

static void rest(struct loader *l)
{
    int64_t took_ms = (mono_now_us() - l->drop_began_us) / 1000;
    if (took_ms >= LOADER_REST_MS_MIN)
        l->accounts_at = mono_add(mono_now(), took_ms * LOADER_REST);
}

static void end(struct loader *l, enum status st, const struct err *e)
{
    struct err why;
    if (st != OK)
        why = *e;
    size_t rows = agenda_load_count(l->agenda);
    l->running = l->replaying = false;
    st = finish(l, st, &why);
    if (l->account)
        rest(l);
    CRASH_POINT(load_finished);
    if (st == OK) {
        if (l->until.us > l->loaded_until.us || l->whole)
            l->loaded_until = l->until;
        l->stats.loads++;
        l->stats.last_rows = rows;
        l->stats.last_us = mono_now_us() - l->began_us;
        log_debug("messages_loaded", kv("rows", rows), kv("whole", l->whole));
        if (l->whole || l->account)
            l->on_reloaded(l->arg);
        return;
    }
    l->stats.failures++;
    if (l->over_rows) {
        l->horizon_ms = l->horizon_ms / 2 < HORIZON_MS_MIN ? HORIZON_MS_MIN : l->horizon_ms / 2;
        l->crowded_until = l->until;
    }
    l->wants_all = true;
    if (st != E_GONE && st != E_CANCELLED)
        log_warn("load_failed", kv("error", why.text), kv("rows", rows));
}

static void on_done(void *arg, enum status st, const struct err *e)
{
    struct loader *l = arg;
    if (st != OK) {
        end(l, st, e);
        return;
    }
    l->replaying = true;
    l->on_work(l->arg);
}

static enum status start(struct loader *l, bool whole, const struct load_request *r, struct wall now)
{
    enum status st = agenda_load_begin(l->agenda, whole, now);
    if (st != OK)
        return st;
    l->whole = whole;
    l->account = r->account_id != 0;
    l->until = r->until;
    l->stale = l->over_rows = l->failed = false;
    l->began_us = mono_now_us();
    st = l->store->ops->load(l->store, r, on_rows, on_done, l);
    if (st == OK)
        l->running = true;
    else
        agenda_load_abort(l->agenda);
    return st;
}

/* --- which one is next ------------------------------------------------------------------------------------------ */

static struct wall horizon(const struct loader *l, struct wall now)
{
    return (struct wall){ now.us + l->horizon_ms * 1000 };
}

static enum status start_all(struct loader *l, struct wall now)
{
    struct load_request r = { .shards = l->shards, .shard_count = l->shard_count, .until = horizon(l, now) };
    enum status st = start(l, true, &r, now);
    if (st == OK) {
        l->wants_all = l->wants_stretch = false;
        l->account_count = 0;
        l->dropping = 0;
    }
    return st;
}

/* Dropped before the log begins, so that only changes made after the load began are replayed over its rows. */
static void drop_account(struct loader *l)
{
    l->dropping = l->accounts[--l->account_count];
    l->drop_from = 0;
    l->drop_began_us = mono_now_us();
    l->on_work(l->arg);
}

static enum status start_dropped(struct loader *l, struct wall now)
{
    struct load_request r = {
        .shards = l->shards, .shard_count = l->shard_count, .account_id = l->dropping, .until = l->loaded_until
    };
    enum status st = start(l, false, &r, now);
    l->wants_all |= st != OK; /* what was dropped must come back */
    l->dropping = 0;
    return st;
}

static enum status start_stretch(struct loader *l, struct wall now)
{
    struct load_request r = {
        .shards = l->shards, .shard_count = l->shard_count, .from = l->loaded_until, .until = horizon(l, now)
    };
    enum status st = start(l, false, &r, now);
    if (st == OK)
        l->wants_stretch = false;
    return st;
}

static void note_start(enum status st)
{
    if (st != OK && st != E_GONE && st != E_BUSY)
        log_warn("load_not_started", kv("error", status_text(st)));
}

static void start_next(struct loader *l, struct wall now)
{
    if (l->running || l->shard_count == 0)
        return;
    if (l->wants_all)
        note_start(start_all(l, now));
    else if (l->dropping != 0)
        return; /* loader_work is at it */
    else if (loader_rested(l))
        drop_account(l);
    else if (l->wants_stretch)
        note_start(start_stretch(l, now));
}

bool loader_rested(const struct loader *l)
{
    return l->account_count > 0 && mono_reached(l->accounts_at, mono_now());
}

bool loader_work(struct loader *l, struct wall now)
{
    if (l->replaying) {
        if (!l->stale && agenda_load_replay(l->agenda, LOADER_SLICE))
            return true;
        bool again = l->stale;
        end(l, OK, NULL);
        if (again)
            start_next(l, now);
    } else if (l->dropping != 0 && !l->running) {
        if (agenda_drop_account(l->agenda, l->dropping, &l->drop_from, LOADER_SLICE))
            return true;
        note_start(start_dropped(l, now));
    }
    return false;
}

void loader_all(struct loader *l, struct wall now)
{
    l->wants_all = true;
    l->stale = l->running; /* for other shards, or from before a gap in what we were told */
    start_next(l, now);
}

void loader_account(struct loader *l, int64_t account_id, struct wall now)
{
    for (size_t i = 0; i < l->account_count; i++) {
        if (l->accounts[i] == account_id)
            return;
    }
    if (l->account_count == LOADER_ACCOUNTS_MAX) {
        l->account_count = 0;
        l->wants_all = true;
    }
    if (!l->wants_all)
        l->accounts[l->account_count++] = account_id;
    start_next(l, now);
}

/* There is room, and twice as far would not reach again what did not fit. */
static bool may_grow(const struct loader *l, struct wall now)
{
    bool crowded = now.us < l->crowded_until.us && now.us + 2 * l->horizon_ms * 1000 >= l->crowded_until.us;
    return l->loaded_until.us > 0 && l->horizon_ms < l->config.horizon_ms &&
           agenda_count(l->agenda) < l->config.rows_max / 4 && !crowded;
}

void loader_poke(struct loader *l, struct wall now)
{
    if (may_grow(l, now))
        l->horizon_ms *= 2;
    int64_t moved_us = horizon(l, now).us - l->loaded_until.us;
    if (l->loaded_until.us > 0 && moved_us > l->horizon_ms * 1000 / LOADER_HORIZON_PART)
        l->wants_stretch = true;
    start_next(l, now);
}

void loader_down(struct loader *l)
{
    l->wants_all = true;
    l->account_count = 0;
    l->wants_stretch = false;
    l->dropping = 0;
    if (l->replaying) { /* the store will not end it any more */
        l->running = l->replaying = false;
        agenda_load_abort(l->agenda);
    }
}
