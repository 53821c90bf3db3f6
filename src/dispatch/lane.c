#include "lane.h"

#include "followupd/base/log.h"

#define QUEUE_MS_MIN 50
#define QUEUE_MS_MAX 60000

void lane_init(struct lane *l, const struct provider *p, int failures_max, int64_t open_ms, int64_t open_ms_max,
               struct mono now)
{
    *l = (struct lane){ .provider = p };
    list_init(&l->ahead);
    budget_init(&l->budget, p->config.rate_per_s, p->config.concurrency_max, now);
    breaker_init(&l->breaker, failures_max, open_ms, open_ms_max);
}

/* The breaker's pass is kept only with a place. */
static bool keep(struct lane *l, bool placed, struct breaker_pass pass)
{
    if (!placed)
        breaker_unused(&l->breaker, pass);
    return placed;
}

bool lane_take(struct lane *l, struct mono now, struct breaker_pass *ret)
{
    return breaker_take(&l->breaker, now, ret) && keep(l, budget_take(&l->budget, now), *ret);
}

static size_t ahead(const struct lane *l, struct mono now)
{
    bool may = l->breaker.state == BREAKER_CLOSED && mono_reached(l->ahead_from, now);
    return may ? budget_ahead(&l->budget) : 0;
}

bool lane_take_ahead(struct lane *l, struct mono now, struct breaker_pass *ret)
{
    return breaker_take(&l->breaker, now, ret) && keep(l, budget_take_beside(&l->budget, ahead(l, now), now), *ret);
}

bool lane_take_spare(struct lane *l, struct mono now, struct breaker_pass *ret)
{
    return l->breaker.state == BREAKER_CLOSED && budget_is_half_free(&l->budget, now) && lane_take_ahead(l, now, ret);
}

size_t lane_places(const struct lane *l, struct mono now)
{
    return (size_t)l->budget.window + ahead(l, now);
}

size_t lane_room(struct lane *l, struct mono now)
{
    if (breaker_wait_ms(&l->breaker, now) > 0)
        return 0;
    size_t room = budget_room(&l->budget, ahead(l, now), now);
    return l->breaker.state == BREAKER_CLOSED || room == 0 ? room : 1; /* else: the probe */
}

bool lane_may_begin(const struct lane *l)
{
    return l->begun < (size_t)l->budget.window;
}

bool lane_pass_holds(const struct lane *l, struct breaker_pass pass, struct mono now)
{
    return pass.generation == l->breaker.generation && mono_reached(l->breaker.paused_until, now);
}

void lane_unused(struct lane *l, struct breaker_pass pass)
{
    budget_unused(&l->budget);
    breaker_unused(&l->breaker, pass);
}

void lane_end(struct lane *l, struct breaker_pass pass, const struct judgement *j, int64_t latency_ms, struct mono now)
{
    l->begun--;
    enum breaker_sign sign = j->refused_us ? BREAKER_REFUSES : j->unreachable ? BREAKER_FAILS : BREAKER_WORKS;
    budget_end(&l->budget, latency_ms, j->overloaded, now);
    if (j->retry_after_ms > 0)
        breaker_pause(&l->breaker, j->retry_after_ms, now);
    if (!breaker_end(&l->breaker, pass, sign, now))
        return;
    log_at(l->breaker.state == BREAKER_CLOSED ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "provider_breaker",
           kv("provider", l->provider->config.name), kv("state", breaker_state_label(l->breaker.state)),
           kv("wait_ms", breaker_wait_ms(&l->breaker, now)), kv("reason", (const char *)j->detail));
}

int64_t lane_wait_ms(struct lane *l, struct mono now)
{
    int64_t tokens_ms = budget_wait_ms(&l->budget, now), breaker_ms = breaker_wait_ms(&l->breaker, now);
    int64_t wait_ms = tokens_ms > breaker_ms ? tokens_ms : breaker_ms;
    return wait_ms;
}

int64_t lane_queue_ms(struct lane *l, struct mono now)
{
    double rate = l->budget.rate_per_s, earliest_ms = (double)(now.ms + lane_wait_ms(l, now));
    if (l->next_free_ms < earliest_ms)
        l->next_free_ms = earliest_ms;
    if (l->next_free_ms > (double)(now.ms + QUEUE_MS_MAX))
        return QUEUE_MS_MAX;
    int64_t wait_ms = (int64_t)l->next_free_ms - now.ms;
    l->next_free_ms += rate > 0 ? 1000.0 / rate : 1;
    return wait_ms > QUEUE_MS_MIN ? wait_ms : QUEUE_MS_MIN;
}
