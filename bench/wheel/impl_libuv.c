/* libuv's own timers behind wb.h: what a program on libuv has for nothing, one uv_timer_t a message. The heap, the stop and
 * the start are libuv's; the time is the harness's, so the loop is not run: advance() does what uv_run does with timers. */
#include <stdlib.h>
#include <uv.h>

#include "wb.h"

struct w {
    uv_loop_t loop;
    uv_timer_t *timers; /* by id */
    uint32_t max;
    wb_fire_fn fire;
    void *arg;
};

static void on_timer(uv_timer_t *t)
{
    struct w *w = t->data;
    w->fire(w->arg, (uint32_t)(t - w->timers));
}

static void *create(uint32_t max, uint64_t now)
{
    struct w *w = calloc(1, sizeof *w);
    uv_loop_init(&w->loop);
    w->loop.time = now;
    w->timers = wb_alloc((size_t)max * sizeof *w->timers);
    w->max = max;
    for (uint32_t i = 0; i < max; i++) {
        uv_timer_init(&w->loop, &w->timers[i]);
        w->timers[i].data = w;
    }
    return w;
}

static void destroy(void *p)
{
    struct w *w = p;
    wb_free(w->timers, (size_t)w->max * sizeof *w->timers);
    free(w);
}

static void set(void *p, uint32_t id, uint64_t due)
{
    struct w *w = p;
    uv_timer_start(&w->timers[id], on_timer, due > w->loop.time ? due - w->loop.time : 0, 0);
}

static void cancel(void *p, uint32_t id)
{
    struct w *w = p;
    uv_timer_stop(&w->timers[id]);
}

static uv_timer_t *first(struct w *w)
{
    char *node = w->loop.timer_heap.min;
    return node == NULL ? NULL : (uv_timer_t *)(node - offsetof(uv_timer_t, heap_node));
}

static uint64_t next_due(void *p)
{
    uv_timer_t *t = first(p);
    return t == NULL ? WB_NONE : t->timeout;
}

/* Like uv_run, it cannot stop at a limit. */
static size_t advance(void *p, uint64_t now, size_t limit, wb_fire_fn fire, void *arg)
{
    (void)limit;
    struct w *w = p;
    w->loop.time = now;
    w->fire = fire;
    w->arg = arg;
    size_t fired = 0;
    for (uv_timer_t *t; (t = first(w)) != NULL && t->timeout <= now; fired++) {
        uv_timer_stop(t);
        on_timer(t);
    }
    return fired;
}

static size_t memory(void *p)
{
    struct w *w = p;
    return (size_t)w->max * sizeof *w->timers;
}

const struct wb_ops wb_impl = { "libuv", create, destroy, set, cancel, set, next_due, advance, memory };
