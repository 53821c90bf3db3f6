#include "dispatcher_priv.h"

void early_count(struct dispatcher *d, struct flight *f)
{
    f->early = true;
    budget_early(&d->lanes[f->lane].budget);
}

void early_over(struct dispatcher *d, struct flight *f)
{
    if (!f->early)
        return;
    f->early = false;
    budget_due(&d->lanes[f->lane].budget);
}

static struct flight *first(const struct dispatcher *d)
{
    return list_empty(&d->early) ? NULL : container_of(d->early.next, struct flight, node);
}

static void to_slot(struct dispatcher *d, struct flight *f)
{
    list_remove(&f->node);
    early_over(d, f);
    handover_wait(d, f);
}

static void arm(struct dispatcher *d);

static void on_due(uv_timer_t *timer)
{
    struct dispatcher *d = timer->data;
    int64_t now_us = mono_now_us();
    struct flight *f;
    bool any = false;
    for (; (f = first(d)) != NULL && f->begin_us <= now_us; any = true)
        to_slot(d, f);
    if (any)
        handover_go_on(d);
    arm(d);
}

static void arm(struct dispatcher *d)
{
    struct flight *f = first(d);
    if (f == NULL) {
        uv_timer_stop(&d->due);
        return;
    }
    int64_t wait_us = f->begin_us - mono_now_us();
    uv_update_time(d->loop);
    uv_timer_start(&d->due, on_due, wait_us > 0 ? (uint64_t)(wait_us + 999) / 1000 : 0, 0);
}

int64_t early_by_us(const struct dispatcher *d, const struct flight *f)
{
    int64_t wait_us = business_sure_wait_us(d->clock, f->due), wait_us_max = STORE_CLAIM_EARLY_MS_MAX * 1000;
    return wait_us < wait_us_max ? wait_us : wait_us_max;
}

void early_hold(struct dispatcher *d, struct flight *f, int64_t wait_us)
{
    if (!f->early)
        early_count(d, f);
    f->phase = FLIGHT_EARLY;
    f->begin_us = mono_now_us() + wait_us;
    struct list *after = d->early.prev; /* most come in their order */
    while (after != &d->early && container_of(after, struct flight, node)->begin_us > f->begin_us)
        after = after->prev;
    list_append(after->next, &f->node);
    if (first(d) == f)
        arm(d);
}

void early_release(struct dispatcher *d)
{
    for (struct flight *f; (f = first(d)) != NULL;)
        to_slot(d, f);
    uv_timer_stop(&d->due);
}
