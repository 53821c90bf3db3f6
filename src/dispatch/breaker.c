#include "followupd/dispatch/breaker.h"

void breaker_init(struct breaker *b, int failures_max, int64_t open_ms, int64_t open_ms_max)
{
    *b = (struct breaker){
        .failures_max = failures_max,
        .open_ms = open_ms,
        .open_ms_max = open_ms_max,
        .wait_ms = open_ms,
    };
}

static void enter(struct breaker *b, enum breaker_state state)
{
    b->state = state;
    b->failures = 0;
    b->probe_out = false;
    b->generation++;
}

static void open_for(struct breaker *b, int64_t wait_ms, struct mono now)
{
    enter(b, BREAKER_OPEN);
    b->wait_ms = wait_ms < b->open_ms_max ? wait_ms : b->open_ms_max;
    b->opens_until = mono_add(now, b->wait_ms);
}

bool breaker_take(struct breaker *b, struct mono now, struct breaker_pass *ret)
{
    if (!mono_reached(b->paused_until, now))
        return false;
    if (b->state == BREAKER_OPEN && mono_reached(b->opens_until, now))
        enter(b, BREAKER_HALF_OPEN);
    if (b->state == BREAKER_OPEN || b->probe_out)
        return false;
    b->probe_out = b->state == BREAKER_HALF_OPEN;
    *ret = (struct breaker_pass){ .generation = b->generation, .probe = b->probe_out };
    return true;
}

void breaker_unused(struct breaker *b, struct breaker_pass pass)
{
    if (pass.probe && pass.generation == b->generation)
        b->probe_out = false;
}

bool breaker_end(struct breaker *b, struct breaker_pass pass, enum breaker_sign sign, struct mono now)
{
    if (pass.generation != b->generation)
        return false;
    if (sign == BREAKER_WORKS) {
        b->failures = 0;
        if (b->state == BREAKER_CLOSED)
            return false;
        enter(b, BREAKER_CLOSED);
        b->wait_ms = b->open_ms;
        return true;
    }
    if (b->state == BREAKER_HALF_OPEN) {
        open_for(b, b->wait_ms * 2, now);
        return true;
    }
    b->failures++;
    if (sign == BREAKER_FAILS && b->failures < b->failures_max)
        return false;
    open_for(b, b->open_ms, now);
    return true;
}

void breaker_pause(struct breaker *b, int64_t wait_ms, struct mono now)
{
    struct mono until = mono_add(now, wait_ms);
    if (until.ms > b->paused_until.ms)
        b->paused_until = until;
}

int64_t breaker_wait_ms(const struct breaker *b, struct mono now)
{
    int64_t wait_ms = b->paused_until.ms - now.ms;
    if (b->state == BREAKER_OPEN && b->opens_until.ms - now.ms > wait_ms)
        wait_ms = b->opens_until.ms - now.ms;
    if (b->probe_out && b->open_ms > wait_ms)
        wait_ms = b->open_ms;
    return wait_ms > 0 ? wait_ms : 0;
}

const char *breaker_state_label(enum breaker_state state)
{
    static const char *const labels[] = {
        [BREAKER_CLOSED] = "closed",
        [BREAKER_OPEN] = "open",
        [BREAKER_HALF_OPEN] = "half_open",
    };
    return labels[state];
}
