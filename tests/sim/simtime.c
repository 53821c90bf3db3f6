#include "simtime.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/clock.h"
#include "followupd/base/list.h"

struct sim_event {
    int64_t at;
    uint64_t no; /* of two at the same time the earlier made happens first */
    struct host *host;
    sim_fn fn;
    void *arg;
    struct sim_event *next; /* while its host is frozen */
};

static struct {
    int64_t now;
    uint64_t random, no;
    struct host *running; /* whose event happens now */
    struct sim_event **heap;
    size_t count, room;
} sim;

/* --- chance: splitmix64 ------------------------------------------------------------------------------------------ */

uint64_t sim_random(void)
{
    uint64_t z = sim.random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

int64_t sim_between(int64_t low, int64_t high)
{
    return low + (int64_t)(sim_random() % (uint64_t)(high - low + 1));
}

bool sim_chance(double p)
{
    return (double)(sim_random() >> 11) * 0x1p-53 < p;
}

/* --- the queue --------------------------------------------------------------------------------------------------- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->no < b->no;
}

static void put(struct sim_event *e)
{
    if (sim.count == sim.room) {
        sim.room = sim.room > 0 ? 2 * sim.room : 1024;
        sim.heap = realloc(sim.heap, sim.room * sizeof *sim.heap);
        assert(sim.heap != NULL);
    }
    size_t i = sim.count++;
    for (; i > 0 && before(e, sim.heap[(i - 1) / 2]); i = (i - 1) / 2)
        sim.heap[i] = sim.heap[(i - 1) / 2];
    sim.heap[i] = e;
}

static struct sim_event *take_first(void)
{
    struct sim_event *first = sim.heap[0], *last = sim.heap[--sim.count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < sim.count && before(sim.heap[child + 1], sim.heap[child]))
            child++;
        if (child >= sim.count || !before(sim.heap[child], last))
            break;
        sim.heap[i] = sim.heap[child];
        i = child;
    }
    if (sim.count > 0)
        sim.heap[i] = last;
    return first;
}

void sim_begin(uint64_t seed)
{
    struct sim_event **heap = sim.heap;
    size_t room = sim.room;
    memset(&sim, 0, sizeof sim);
    sim.heap = heap;
    sim.room = room;
    sim.random = seed;
}

void sim_end(void)
{
    while (sim.count > 0)
        free(sim.heap[--sim.count]);
    free(sim.heap);
    sim.heap = NULL;
    sim.room = 0;
}

int64_t sim_now(void)
{
    return sim.now;
}

void sim_after(struct host *host, int64_t us, sim_fn fn, void *arg)
{
    struct sim_event *e = malloc(sizeof *e);
    assert(e != NULL);
    *e = (struct sim_event){ .at = sim.now + (us > 0 ? us : 0), .no = sim.no++, .host = host, .fn = fn, .arg = arg };
    put(e);
}

static void happen(struct sim_event *e)
{
    if (e->host != NULL && e->host->frozen) {
        e->next = NULL;
        *e->host->held_end = e;
        e->host->held_end = &e->next;
        return;
    }
    sim.running = e->host;
    e->fn(e->arg);
    sim.running = NULL;
    free(e);
}

void sim_run_until(int64_t us)
{
    while (sim.count > 0 && sim.heap[0]->at <= us) {
        struct sim_event *e = take_first();
        if (e->at > sim.now)
            sim.now = e->at;
        happen(e);
    }
    sim.now = us;
}

/* --- hosts ------------------------------------------------------------------------------------------------------- */

void host_init(struct host *h)
{
    memset(h, 0, sizeof *h);
    h->loop.data = h;
    h->held_end = &h->held;
}

void host_freeze(struct host *h)
{
    h->frozen = true;
}

void host_thaw(struct host *h)
{
    h->frozen = false;
    while (h->held != NULL) {
        struct sim_event *e = h->held;
        h->held = e->next;
        e->at = sim.now;
        e->no = sim.no++;
        put(e);
    }
    h->held_end = &h->held;
}

/* --- the clocks of base/clock.h ---------------------------------------------------------------------------------- */

struct mono mono_now(void)
{
    return (struct mono){ (SECOND + sim.now) / MS };
}

int64_t mono_now_us(void)
{
    return SECOND + sim.now;
}

struct wall wall_now(void)
{
    return (struct wall){ SIM_EPOCH_US + sim.now + (sim.running != NULL ? sim.running->wall_offset_us : 0) };
}

/* --- libuv ------------------------------------------------------------------------------------------------------- */

/* One start of a timer or of an idle handle. The handle may be gone before it happens, so it holds the way there. */
struct tick {
    void *handle; /* NULL: stopped */
};

#define TIMER_TICK(t) ((t)->heap_node[0])
#define IDLE_TICK(i)  ((i)->queue[0])
#define IDLE_US       20 /* a turn of a loop that has more to do */

static void tick_stop(void **tick)
{
    if (*tick != NULL)
        ((struct tick *)*tick)->handle = NULL;
    *tick = NULL;
}

static void tick_start(uv_loop_t *loop, void **ret_tick, void *handle, int64_t us, sim_fn fn)
{
    struct tick *tick = malloc(sizeof *tick);
    assert(tick != NULL);
    tick->handle = handle;
    *ret_tick = tick;
    sim_after(loop->data, us, fn, tick);
}

static void on_timer_tick(void *arg)
{
    struct tick *tick = arg;
    uv_timer_t *t = tick->handle;
    free(tick);
    if (t == NULL)
        return;
    TIMER_TICK(t) = NULL;
    if (t->repeat > 0)
        tick_start(t->loop, &TIMER_TICK(t), t, (int64_t)t->repeat * MS, on_timer_tick);
    t->timer_cb(t);
}

int uv_timer_init(uv_loop_t *loop, uv_timer_t *t)
{
    t->loop = loop;
    t->type = UV_TIMER;
    t->flags = 0;
    t->repeat = 0;
    TIMER_TICK(t) = NULL;
    return 0;
}

int uv_timer_start(uv_timer_t *t, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
    assert(t->flags == 0 && "a closing handle is not started");
    tick_stop(&TIMER_TICK(t));
    t->timer_cb = cb;
    t->repeat = repeat;
    tick_start(t->loop, &TIMER_TICK(t), t, timeout < 1000000000 ? (int64_t)timeout * MS : INT64_C(1000000000000),
               on_timer_tick);
    return 0;
}

int uv_timer_stop(uv_timer_t *t)
{
    tick_stop(&TIMER_TICK(t));
    return 0;
}

static void on_idle_tick(void *arg)
{
    struct tick *tick = arg;
    uv_idle_t *i = tick->handle;
    free(tick);
    if (i == NULL)
        return;
    IDLE_TICK(i) = NULL;
    tick_start(i->loop, &IDLE_TICK(i), i, IDLE_US, on_idle_tick);
    i->idle_cb(i);
}

int uv_idle_init(uv_loop_t *loop, uv_idle_t *i)
{
    i->loop = loop;
    i->type = UV_IDLE;
    i->flags = 0;
    IDLE_TICK(i) = NULL;
    return 0;
}

int uv_idle_start(uv_idle_t *i, uv_idle_cb cb)
{
    assert(i->flags == 0 && "a closing handle is not started");
    if (IDLE_TICK(i) != NULL)
        return 0;
    i->idle_cb = cb;
    tick_start(i->loop, &IDLE_TICK(i), i, IDLE_US, on_idle_tick);
    return 0;
}

int uv_idle_stop(uv_idle_t *i)
{
    tick_stop(&IDLE_TICK(i));
    return 0;
}

void uv_update_time(uv_loop_t *loop)
{
    (void)loop;
}

struct closing {
    uv_handle_t *handle;
    uv_close_cb cb;
};

static void on_closing(void *arg)
{
    struct closing c = *(struct closing *)arg;
    free(arg);
    if (c.cb != NULL)
        c.cb(c.handle);
}

void uv_close(uv_handle_t *handle, uv_close_cb cb)
{
    assert(handle->flags == 0 && "closed twice");
    if (handle->type == UV_TIMER)
        uv_timer_stop((uv_timer_t *)handle);
    else
        uv_idle_stop((uv_idle_t *)handle);
    handle->flags = 1;
    struct closing *c = malloc(sizeof *c);
    assert(c != NULL);
    *c = (struct closing){ handle, cb };
    sim_after(NULL, 0, on_closing, c);
}
