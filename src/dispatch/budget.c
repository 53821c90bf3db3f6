#include "followupd/dispatch/budget.h"

#include <assert.h>
#include <math.h>

#define WINDOW_FIRST    32
#define SLACK_MS        25
#define REMEMBER_MS     30000
#define STORE_S         0.1
#define WINDOW_SLOW_MIN 4
#define SLOW_FACTOR     4
#define AVERAGE_SHARE   (1.0 / 16)
#define ROUND_MS_MIN    20
#define AHEAD_MS        25
#define AHEAD_MAX       128

static double tokens_max(const struct budget *b)
{
    double store = b->rate_per_s * STORE_S;
    return store > 1 ? store : 1;
}

void budget_init(struct budget *b, double rate_per_s, int concurrency_max, struct mono now)
{
    *b = (struct budget){
        .rate_per_s = rate_per_s,
        .filled_at = now,
        .window_max = concurrency_max,
        .window = concurrency_max < WINDOW_FIRST ? concurrency_max : WINDOW_FIRST,
        .average_ms = -1,
        .quickest_ms = -1,
        .quickest_before_ms = -1,
        .quickest_since = now,
    };
    b->tokens = tokens_max(b);
}

static void fill(struct budget *b, struct mono now)
{
    if (now.ms <= b->filled_at.ms)
        return;
    b->tokens += (double)(now.ms - b->filled_at.ms) / 1000.0 * b->rate_per_s;
    if (b->tokens > tokens_max(b))
        b->tokens = tokens_max(b);
    b->filled_at = now;
}

void budget_limit(struct budget *b, double rate_per_s, int concurrency_max, struct mono now)
{
    fill(b, now);
    b->rate_per_s = rate_per_s;
    if (b->tokens > tokens_max(b))
        b->tokens = tokens_max(b);
    b->window_max = concurrency_max;
    if (b->window > concurrency_max)
        b->window = concurrency_max;
}

size_t budget_ahead(const struct budget *b)
{
    if (b->average_ms < 0)
        return 0;
    return (size_t)fmin(b->window * AHEAD_MS / fmax(b->average_ms, 1), AHEAD_MAX);
}

size_t budget_room(struct budget *b, size_t beside, struct mono now)
{
    size_t all = (size_t)b->window + beside, taken = b->used + b->early;
    size_t slots = taken < all ? all - taken : 0;
    if (b->rate_per_s <= 0)
        return slots;
    fill(b, now);
    return (double)slots < b->tokens ? slots : (size_t)b->tokens;
}

bool budget_is_half_free(struct budget *b, struct mono now)
{
    fill(b, now);
    return (b->used + b->early) * 2 < (size_t)b->window &&
           (b->rate_per_s <= 0 || (b->tokens - 1) * 2 >= tokens_max(b) - 1);
}

static bool take(struct budget *b, struct mono now)
{
    if (b->rate_per_s > 0) {
        fill(b, now);
        if (b->tokens < 1)
            return false;
        b->tokens -= 1;
    }
    b->used++;
    return true;
}

bool budget_take(struct budget *b, struct mono now)
{
    return b->used < (size_t)b->window && take(b, now);
}

bool budget_take_beside(struct budget *b, size_t beside, struct mono now)
{
    return b->used + b->early < (size_t)b->window + beside && take(b, now);
}

void budget_early(struct budget *b)
{
    assert(b->used > 0);
    b->used--;
    b->early++;
}

void budget_due(struct budget *b)
{
    assert(b->early > 0);
    b->early--;
    b->used++;
}

void budget_unused(struct budget *b)
{
    assert(b->used > 0);
    b->used--;
    if (b->rate_per_s > 0)
        b->tokens = fmin(b->tokens + 1, tokens_max(b));
}

/* The quickest answer of the last 30 to 60 s: what the provider takes when nothing queues. */
static int64_t quickest(struct budget *b, int64_t latency_ms, struct mono now)
{
    if (now.ms - b->quickest_since.ms >= REMEMBER_MS) {
        b->quickest_before_ms = b->quickest_ms;
        b->quickest_ms = -1;
        b->quickest_since = now;
    }
    if (b->quickest_ms < 0 || latency_ms < b->quickest_ms)
        b->quickest_ms = latency_ms;
    bool before = b->quickest_before_ms >= 0 && b->quickest_before_ms < b->quickest_ms;
    return before ? b->quickest_before_ms : b->quickest_ms;
}

static void narrow(struct budget *b, double factor, double window_min, int64_t round_ms, struct mono now)
{
    b->has_slowed = true;
    if (!mono_reached(b->narrowed_until, now))
        return;
    if (b->window > window_min)
        b->window = b->window * factor > window_min ? b->window * factor : window_min;
    b->narrowed_until = mono_add(now, round_ms > ROUND_MS_MIN ? round_ms : ROUND_MS_MIN);
}

void budget_end(struct budget *b, int64_t latency_ms, bool overloaded, struct mono now)
{
    assert(b->used > 0);
    bool is_limit = (double)b->used * 2 >= b->window;
    b->used--;
    if (overloaded) {
        narrow(b, 0.5, 1, latency_ms, now);
        return;
    }
    if (latency_ms < 0)
        return;
    int64_t quick_ms = quickest(b, latency_ms, now);
    b->average_ms =
        b->average_ms < 0 ? (double)latency_ms : b->average_ms + ((double)latency_ms - b->average_ms) * AVERAGE_SHARE;
    if (b->average_ms > (double)(SLOW_FACTOR * quick_ms + SLACK_MS)) {
        narrow(b, 0.8, WINDOW_SLOW_MIN, latency_ms, now);
        return;
    }
    if (is_limit)
        b->window += b->has_slowed ? 1 / b->window : 1;
    if (b->window > b->window_max)
        b->window = b->window_max;
}

int64_t budget_wait_ms(struct budget *b, struct mono now)
{
    if (b->rate_per_s <= 0)
        return 0;
    fill(b, now);
    return b->tokens >= 1 ? 0 : (int64_t)ceil((1 - b->tokens) / b->rate_per_s * 1000.0);
}
