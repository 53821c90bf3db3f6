#include "followupd/base/stats.h"

#define STEPS 8 /* buckets a power of two */

/* 0..7 each have a bucket of their own; from 8 on: eight buckets a power of two. */
static unsigned bucket_of(uint64_t us)
{
    if (us < STEPS)
        return (unsigned)us;
    unsigned power = 63 - (unsigned)__builtin_clzll(us);
    unsigned b = (power - 2) * STEPS + (unsigned)(us >> (power - 3) & (STEPS - 1));
    return b < HISTOGRAM_BUCKETS ? b : HISTOGRAM_BUCKETS - 1;
}

static uint64_t upper_edge(unsigned bucket)
{
    if (bucket < STEPS)
        return bucket;
    unsigned power = bucket / STEPS + 2;
    uint64_t step = 1ull << (power - 3);
    return (STEPS + bucket % STEPS + 1) * step - 1;
}

void histogram_add(struct histogram *h, int64_t us)
{
    uint64_t v = us < 0 ? 0 : (uint64_t)us;
    h->count++;
    h->sum_us += v;
    if (v > h->max_us)
        h->max_us = v;
    h->bucket[bucket_of(v)]++;
}

uint64_t histogram_percentile(const struct histogram *h, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)h->count), seen = 0;
    if (h->count == 0)
        return 0;
    for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++) {
        seen += h->bucket[b];
        if (seen > wanted)
            return upper_edge(b) < h->max_us ? upper_edge(b) : h->max_us;
    }
    return h->max_us;
}

uint64_t histogram_between(const struct histogram *h, uint64_t from_us, uint64_t below_us)
{
    unsigned end = below_us == UINT64_MAX ? HISTOGRAM_BUCKETS : bucket_of(below_us);
    uint64_t count = 0;
    for (unsigned b = bucket_of(from_us); b < end; b++)
        count += h->bucket[b];
    return count;
}

void histogram_since(const struct histogram *now, const struct histogram *before, struct histogram *ret)
{
    ret->count = now->count - before->count;
    ret->sum_us = now->sum_us - before->sum_us;
    ret->max_us = now->max_us;
    for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++)
        ret->bucket[b] = now->bucket[b] - before->bucket[b];
}

void peak_add(struct peak *p, uint64_t value, int64_t now_ms)
{
    int64_t passed_ms = now_ms - p->window_since_ms;
    if (passed_ms >= PEAK_WINDOW_MS) {
        p->window_before = passed_ms < 2 * PEAK_WINDOW_MS ? p->window : 0;
        p->window = 0;
        p->window_since_ms = now_ms;
    }
    if (value > p->window)
        p->window = value;
    if (value > p->ever)
        p->ever = value;
}

uint64_t peak_recent(const struct peak *p, int64_t now_ms)
{
    int64_t passed_ms = now_ms - p->window_since_ms;
    if (passed_ms >= 2 * PEAK_WINDOW_MS)
        return 0;
    return passed_ms >= PEAK_WINDOW_MS || p->window > p->window_before ? p->window : p->window_before;
}
