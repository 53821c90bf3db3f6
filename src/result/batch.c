#include "followupd/result/batch.h"

#include <assert.h>
#include <stdlib.h>

#include "followupd/base/crash_point.h"
#include "followupd/base/log.h"

#define CALLS_MAX    2
#define AGAIN_MS_MAX 1000

struct batch {
    struct store *store;
    struct batch_config config;
    struct batch_hooks hooks;
    uv_timer_t timer;
    struct list waiting; /* struct kept_result, oldest first */
    size_t waiting_count, under_way_count, calls;
    struct mono oldest;     /* since when the first of waiting waits */
    size_t rows_now;        /* rows_max, less after a refusal */
    int64_t again_ms;       /* grows while calls fail */
    struct mono not_before; /* after a failure */
    bool hurry, stopped;
    struct batch_stats stats;
};

struct call {
    struct batch *batch;
    int64_t asked_us;
    size_t count, rows_max;
    bool alone; /* its row was refused when it was the only one */
    struct kept_result *kept[];
};

static void flush(struct batch *b);

struct kept_result *kept_result_new(const struct claim_row *row)
{
    struct kept_result *k = calloc(1, sizeof *k);
    if (k == NULL)
        return NULL;
    list_init(&k->node);
    k->result = (struct send_result){
        .ref = row->ref,
        .attempts = row->attempts,
        .posts = row->posts,
        .epoch = row->epoch,
        .outcome = OUTCOME_IN_DOUBT,
    };
    return k;
}

void kept_result_free(struct kept_result *k)
{
    if (k == NULL)
        return;
    free(k->subject);
    free(k->text);
    free(k->html);
    free(k);
}

static void put_back(struct batch *b, struct kept_result *k, int64_t wait_ms)
{
    k->not_before = mono_add(mono_now(), wait_ms);
    list_append(&b->waiting, &k->node);
    b->waiting_count++;
}

/* --- the answer ------------------------------------------------------------------------------------------------- */

static bool is_same(const struct recorded_row *row, const struct kept_result *k)
{
    return k != NULL && row->ref.message_id == k->result.ref.message_id &&
           row->ref.account_id == k->result.ref.account_id;
}

/* Rows come in the order asked, some missing: so each is found at or after the one before, and only a surprise searches
 * from the start. */
static struct kept_result **find(struct call *c, const struct recorded_row *row, size_t *at)
{
    for (size_t i = 0; i < c->count; i++) {
        size_t n = (*at + i) % c->count;
        if (is_same(row, c->kept[n])) {
            *at = n + 1;
            return &c->kept[n];
        }
    }
    return NULL;
}

static void settle_rows(struct call *c, const struct recorded_row *rows, size_t count)
{
    struct batch *b = c->batch;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        struct kept_result **k = find(c, &rows[i], &at);
        if (k == NULL)
            continue;
        kept_result_free(*k);
        *k = NULL;
        b->stats.recorded++;
        b->hooks.on_recorded(b->hooks.arg, &rows[i]);
    }
    for (size_t i = 0; i < c->count; i++) {
        if (c->kept[i] == NULL)
            continue;
        b->stats.busy++;
        put_back(b, c->kept[i], b->config.again_ms);
    }
    if (c->alone) { /* the database was it, or what was wrong with this one has been mended: so may the others' be */
        list_for_each (node, &b->waiting)
            container_of(node, struct kept_result, node)->alone = false;
    }
    b->again_ms = b->config.again_ms;
    b->rows_now = b->rows_now * 2 < b->config.rows_max ? b->rows_now * 2 : b->config.rows_max;
}

static void keep_rows(struct call *c, enum status st, const struct err *e)
{
    struct batch *b = c->batch;
    bool refused = st == E_DB || st == E_LIMIT;
    b->stats.failures++;
    if (refused) {
        b->stats.refusals++;
        b->rows_now = c->count > 1 ? c->count / 2 : b->config.rows_max;
        c->kept[0]->alone = c->count == 1;
    }
    log_warn("results_not_recorded", kv("status", status_text(st)), kv("rows", c->count),
             kv("reason", e != NULL ? e->text : ""), kv("again_ms", b->again_ms));
    for (size_t i = 0; i < c->count; i++)
        put_back(b, c->kept[i], c->kept[i]->alone ? AGAIN_MS_MAX : b->again_ms);
    if (refused)
        return;
    b->again_ms = b->again_ms * 2 < AGAIN_MS_MAX ? b->again_ms * 2 : AGAIN_MS_MAX;
    b->not_before = mono_add(mono_now(), b->again_ms);
}

static void on_record(void *arg, enum status st, const struct err *e, const struct recorded_row *rows, size_t count)
{
    struct call *c = arg;
    struct batch *b = c->batch;
    b->calls--;
    b->under_way_count -= c->count;
    CRASH_POINT(record_answered);
    if (st == OK) {
        histogram_add(&b->stats.round_trip, mono_now_us() - c->asked_us);
        settle_rows(c, rows, count);
    } else {
        keep_rows(c, st, e);
    }
    free(c);
    if (st != E_CANCELLED)
        flush(b);
}

/* --- the call --------------------------------------------------------------------------------------------------- */

/* Takes what may be asked now, at most rows_max. */
static void collect(struct batch *b, struct call *c, struct mono now)
{
    list_for_each (node, &b->waiting) {
        struct kept_result *k = container_of(node, struct kept_result, node);
        if (c->count == c->rows_max)
            break;
        if (!mono_reached(k->not_before, now) || (k->alone && c->count > 0))
            continue;
        list_remove(node);
        c->kept[c->count++] = k;
        if (k->alone)
            c->rows_max = 1;
        c->alone = k->alone;
    }
    b->waiting_count -= c->count;
    b->under_way_count += c->count;
}

/* False: nothing was started. */
static bool start_call(struct batch *b, struct mono now)
{
    size_t rows_max = b->waiting_count < b->rows_now ? b->waiting_count : b->rows_now;
    struct send_result *results = malloc(rows_max * sizeof *results);
    struct call *c = malloc(sizeof *c + rows_max * sizeof(struct kept_result *));
    enum status st = E_NOMEM;
    if (results == NULL || c == NULL)
        goto out;
    *c = (struct call){ .batch = b, .rows_max = rows_max };
    collect(b, c, now);
    if (c->count == 0)
        goto out;
    for (size_t i = 0; i < c->count; i++)
        results[i] = c->kept[i]->result;
    b->calls++;
    b->stats.calls++;
    c->asked_us = mono_now_us();
    CRASH_POINT(record_wanted);
    st = b->store->ops->record(b->store, b->hooks.held(b->hooks.arg), results, c->count, on_record, c);
    CRASH_POINT(record_asked);
    if (st == OK) {
        c = NULL;
        goto out;
    }
    b->calls--;
    b->under_way_count -= c->count;
    keep_rows(c, st, NULL);
out:
    free(c);
    free(results);
    return st == OK;
}

static void on_timer(uv_timer_t *timer)
{
    flush(timer->data);
}

static void wait(struct batch *b, int64_t wait_ms)
{
    uv_timer_start(&b->timer, on_timer, (uint64_t)(wait_ms > 1 ? wait_ms : 1), 0);
}

static void flush(struct batch *b)
{
    struct mono now = mono_now();
    while (!b->stopped && b->waiting_count > 0 && b->calls < CALLS_MAX) {
        if (!mono_reached(b->not_before, now)) {
            wait(b, b->not_before.ms - now.ms);
            return;
        }
        bool backlog = b->hooks.is_backlog(b->hooks.arg);
        struct mono ripe = mono_add(b->oldest, backlog ? b->config.wait_backlog_ms : b->config.wait_ms);
        if (!b->hurry && b->waiting_count < b->rows_now && !mono_reached(ripe, now)) {
            wait(b, ripe.ms - now.ms);
            return;
        }
        if (!b->store->ops->is_up(b->store) || !start_call(b, now)) {
            wait(b, b->again_ms);
            return;
        }
        b->oldest = now; /* what is left came after those just taken, or waits for its not_before */
    }
}

void batch_add(struct batch *b, struct kept_result *k)
{
    struct mono now = mono_now();
    if (b->waiting_count == 0)
        b->oldest = now;
    list_append(&b->waiting, &k->node);
    b->waiting_count++;
    if (b->waiting_count == 1 || b->waiting_count == b->rows_now || b->hurry)
        flush(b);
}

void batch_hurry(struct batch *b)
{
    b->hurry = true;
    flush(b);
}

void batch_stop(struct batch *b)
{
    b->stopped = true;
    uv_timer_stop(&b->timer);
}

size_t batch_count(const struct batch *b)
{
    return b->waiting_count + b->under_way_count;
}

const struct batch_stats *batch_stats(const struct batch *b)
{
    return &b->stats;
}

enum status batch_new(uv_loop_t *loop, struct store *store, const struct batch_config *config,
                      const struct batch_hooks *hooks, struct batch **ret)
{
    assert(config->rows_max >= 1 && config->rows_max <= STORE_BATCH_MAX);
    struct batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return E_NOMEM;
    *b = (struct batch){
        .store = store, .config = *config, .hooks = *hooks, .rows_now = config->rows_max, .again_ms = config->again_ms
    };
    list_init(&b->waiting);
    uv_timer_init(loop, &b->timer);
    b->timer.data = b;
    *ret = b;
    return OK;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

size_t batch_close(struct batch *b)
{
    assert(b->calls == 0);
    size_t lost = b->waiting_count;
    for (struct list *node; (node = list_take_first(&b->waiting)) != NULL;)
        kept_result_free(container_of(node, struct kept_result, node));
    uv_close((uv_handle_t *)&b->timer, on_closed);
    return lost;
}
