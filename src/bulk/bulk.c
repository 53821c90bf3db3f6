#include "followupd/bulk/bulk.h"

#include <stdlib.h>

#include "followupd/base/clock.h"
#include "followupd/base/list.h"
#include "followupd/base/log.h"

#define RETRY_MS 5000

struct bulk {
    struct store *store; /* borrowed */
    struct bulk_hooks hooks;
    int64_t interval_ms;
    uv_timer_t timer;
    struct mono asked_at; /* for the chunk that is under way */
    int rest;             /* see bulk_rest_ms */
    bool draining;
    struct bulk_stats stats;
};

static void look_again(struct bulk *b, int64_t after_ms);

/* What others wait for is not known, only that they wait: so it gives way quickly, and comes back by trying. */
int64_t bulk_rest_ms(int *rest, bool others_late, int64_t took_ms)
{
    if (others_late)
        *rest = *rest == 0 ? 1 : *rest * 2 > BULK_REST_MAX ? BULK_REST_MAX : *rest * 2;
    else
        *rest /= 2;
    return took_ms < BULK_REST_MS_MAX / BULK_REST_MAX ? took_ms * *rest : *rest > 0 ? BULK_REST_MS_MAX : 0;
}

static void on_step(void *arg, enum status st, const struct err *e, const struct bulk_progress *progress)
{
    struct bulk *b = arg;
    b->stats.working = st == OK && progress != NULL && progress->more;
    if (st == OK && progress != NULL)
        b->stats.chunks++;
    if (st == E_CANCELLED)
        return;
    if (st != OK) {
        if (st != E_GONE)
            log_warn("bulk_failed", kv("error", e->text), kv("retry_in_ms", RETRY_MS));
        look_again(b, RETRY_MS);
        return;
    }
    if (progress == NULL) {
        look_again(b, b->interval_ms);
        return;
    }
    int64_t took_ms = mono_now().ms - b->asked_at.ms, rest_ms = 0;
    if (progress->more) {
        rest_ms = bulk_rest_ms(&b->rest, b->hooks.others_late(b->hooks.arg), took_ms);
        log_info("bulk_chunk_done", kv("account", progress->account_id), kv("bulk", progress->bulk_id),
                 kv("took_ms", took_ms), kv("rest_ms", rest_ms));
    } else {
        log_info("bulk_ended", kv("account", progress->account_id), kv("bulk", progress->bulk_id));
    }
    look_again(b, rest_ms);
}

static void on_timer(uv_timer_t *timer)
{
    struct bulk *b = container_of(timer, struct bulk, timer);
    b->asked_at = mono_now();
    struct lease_set leases = b->hooks.leases(b->hooks.arg);
    if (leases.count == 0 || b->store->ops->bulk_step(b->store, leases, on_step, b) != OK)
        look_again(b, b->interval_ms);
}

static void look_again(struct bulk *b, int64_t after_ms)
{
    if (b->draining)
        return;
    uv_update_time(b->timer.loop); /* a rest counts from now, not from when the turn began */
    uv_timer_start(&b->timer, on_timer, (uint64_t)after_ms, 0);
}

enum status bulk_open(uv_loop_t *loop, struct store *store, int64_t interval_ms, const struct bulk_hooks *hooks,
                      struct bulk **ret, struct err *e)
{
    struct bulk *b = calloc(1, sizeof *b);
    if (b == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    *b = (struct bulk){ .store = store, .hooks = *hooks, .interval_ms = interval_ms };
    uv_timer_init(loop, &b->timer);
    look_again(b, interval_ms);
    *ret = b;
    return OK;
}

struct bulk_stats bulk_stats(const struct bulk *b)
{
    return b->stats;
}

void bulk_drain(struct bulk *b)
{
    b->draining = true;
    uv_timer_stop(&b->timer);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(container_of((uv_timer_t *)handle, struct bulk, timer));
}

void bulk_close(struct bulk *b)
{
    bulk_drain(b);
    uv_close((uv_handle_t *)&b->timer, on_timer_closed);
}
