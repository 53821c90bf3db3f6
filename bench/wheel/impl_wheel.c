/* followupd's own wheel (src/sched) behind wb.h. The wheel gives ids back in an array, the harness wants a callback;
 * `idle` is what the scheduler does at each of its ticks. */
#include <stdlib.h>

#include "followupd/sched/wheel.h"
#include "wb.h"

#define IDS_MAX  1024
#define IDLE_IDS 64

static void *create(uint32_t max_ids, uint64_t now)
{
    return wheel_new((int64_t)now, max_ids);
}

static void destroy(void *w)
{
    wheel_free(w);
}

static void set(void *w, uint32_t id, uint64_t due)
{
    if (wheel_set(w, id, (int64_t)due) != OK)
        abort();
}

static void cancel(void *w, uint32_t id)
{
    wheel_cancel(w, id);
}

static uint64_t next_due(void *w)
{
    int64_t next = wheel_next_ms(w);
    return next == INT64_MAX ? WB_NONE : (uint64_t)next;
}

/* limit 0: everything that is due. */
static size_t advance(void *w, uint64_t now, size_t limit, wb_fire_fn fire, void *arg)
{
    uint32_t ids[IDS_MAX];
    size_t max = limit == 0 || limit > IDS_MAX ? IDS_MAX : limit, fired = 0;
    do {
        size_t n = wheel_advance(w, (int64_t)now, max, ids, max);
        for (size_t i = 0; i < n; i++)
            fire(arg, ids[i]);
        fired += n;
    } while (limit == 0 && next_due(w) <= now);
    return fired;
}

static void idle(void *w)
{
    wheel_idle(w, IDLE_IDS);
}

static size_t memory(void *w)
{
    struct wheel_stats stats;
    wheel_stats(w, &stats);
    return stats.bytes;
}

const struct wb_ops wb_impl = { "followupd", create, destroy, set, cancel, set, next_due, advance, memory, idle };
