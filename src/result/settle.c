#include "followupd/result/settle.h"

#include <assert.h>
#include <stdlib.h>

#include "followupd/base/crash_point.h"
#include "followupd/base/log.h"

#define ROWS_FIRST 4

struct settle {
    struct store *store;
    struct settle_config config;
    struct settle_hooks hooks;
    uv_timer_t timer;
    int64_t asked_us;
    size_t rows, places;     /* to be asked for next, and what the claim that is under way has */
    bool claiming, deciding; /* a statement is under way */
    struct settle_stats stats;
};

static void failed(struct settle *s, const char *what, enum status st, const struct err *e)
{
    s->stats.failures++;
    if (st != E_GONE && st != E_CANCELLED)
        log_warn("settle_failed", kv("statement", what), kv("status", status_text(st)),
                 kv("reason", e != NULL ? e->text : ""));
}

/* The only place where the places of a turn are handed on or given back. */
static void on_claimed(void *arg, enum status st, const struct err *e, const struct claim_row *rows, size_t count)
{
    struct settle *s = arg;
    s->claiming = false;
    CRASH_POINT(settle_answered);
    if (st != OK) {
        failed(s, "claim_in_doubt", st, e);
        count = 0;
    }
    /* Mostly nothing is in doubt, and what is due needs the places: many are taken only where few were not enough. */
    s->rows = count < s->places ? ROWS_FIRST : s->config.rows_max;
    s->stats.claimed += count;
    if (count > 0)
        log_info("messages_in_doubt_posted_again", kv("messages", count));
    s->hooks.on_claimed(s->hooks.arg, rows, count, s->asked_us);
}

static void on_decided(void *arg, enum status st, const struct err *e, const struct due_message *rows, size_t count)
{
    struct settle *s = arg;
    s->deciding = false;
    CRASH_POINT(policy_answered);
    if (st != OK) {
        failed(s, "settle_by_policy", st, e);
        count = 0;
    }
    s->stats.by_policy += count;
    for (size_t i = 0; i < count; i++)
        s->hooks.set(s->hooks.arg, rows[i]);
    s->hooks.on_decided(s->hooks.arg);
}

static void claim(struct settle *s, struct lease_set leases)
{
    struct settle_places room = s->hooks.reserve(s->hooks.arg, s->rows);
    if (room.provider_count == 0)
        return;
    s->places = 0;
    for (size_t i = 0; i < room.provider_count; i++)
        s->places += (size_t)room.places[i];
    struct in_doubt_request r = {
        .leases = leases,
        .providers = room.providers,
        .key_window_ms = room.key_window_ms,
        .places = room.places,
        .provider_count = room.provider_count,
        .settle_after_ms = s->config.after_ms,
    };
    s->claiming = true;
    s->asked_us = mono_now_us();
    CRASH_POINT(settle_wanted);
    enum status st = s->store->ops->claim_in_doubt(s->store, &r, on_claimed, s);
    CRASH_POINT(settle_asked);
    if (st != OK)
        on_claimed(s, st, NULL, NULL, 0);
}

static void decide(struct settle *s, struct lease_set leases)
{
    s->deciding = true;
    enum status st =
        s->store->ops->settle_by_policy(s->store, leases, s->config.policy_after_ms, s->config.rows_max, on_decided, s);
    CRASH_POINT(policy_asked);
    if (st != OK)
        on_decided(s, st, NULL, NULL, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct settle *s = timer->data;
    struct lease_set leases = s->hooks.leases(s->hooks.arg);
    if (!s->store->ops->is_up(s->store) || leases.count == 0)
        return;
    if (!s->claiming)
        claim(s, leases);
    if (!s->deciding)
        decide(s, leases);
}

enum status settle_new(uv_loop_t *loop, struct store *store, const struct settle_config *config,
                       const struct settle_hooks *hooks, struct settle **ret)
{
    assert(config->every_ms > 0 && config->rows_max >= ROWS_FIRST && config->rows_max <= STORE_BATCH_MAX);
    struct settle *s = calloc(1, sizeof *s);
    if (s == NULL)
        return E_NOMEM;
    *s = (struct settle){ .store = store, .config = *config, .hooks = *hooks, .rows = ROWS_FIRST };
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    uv_timer_start(&s->timer, on_timer, (uint64_t)config->every_ms, (uint64_t)config->every_ms);
    *ret = s;
    return OK;
}

void settle_stop(struct settle *s)
{
    uv_timer_stop(&s->timer);
}

bool settle_is_busy(const struct settle *s)
{
    return s->claiming || s->deciding;
}

struct settle_stats settle_stats(const struct settle *s)
{
    return s->stats;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void settle_close(struct settle *s)
{
    assert(!settle_is_busy(s));
    uv_close((uv_handle_t *)&s->timer, on_closed);
}
