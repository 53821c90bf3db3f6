/* stats: counters are plain uint64_t in their owner's struct; these are the histogram and the peak they stand beside.
 *
 * Fixed memory (4 KiB a histogram), no allocation: values in microseconds fall into buckets of 1/8 of a power of two, so
 * a percentile is right to 12.5 %. One thread. */
#ifndef FOLLOWUPD_BASE_STATS_H
#define FOLLOWUPD_BASE_STATS_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 512

struct histogram {
    uint64_t count, sum_us, max_us;
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, int64_t us); /* negative counts as 0 */
/* The upper edge of the bucket that holds the given share (0..1), in microseconds; 0 when empty. */
uint64_t histogram_percentile(const struct histogram *h, double share);
/* How many values lie in [from_us, below_us). Exact where both are 0, UINT64_MAX, or 8, 9 .. 15 times a power of two;
 * another bound counts as the lower edge of its bucket. */
uint64_t histogram_between(const struct histogram *h, uint64_t from_us, uint64_t below_us);
/* What was added to `now` after it was copied to `before`. The largest value is not known any more: now's stands in. */
void histogram_since(const struct histogram *now, const struct histogram *before, struct histogram *ret);

/* The largest value, of all time and of the last one to two minutes. The caller brings the time. */
#define PEAK_WINDOW_MS 60000
struct peak {
    uint64_t ever, window, window_before;
    int64_t window_since_ms;
};

void peak_add(struct peak *p, uint64_t value, int64_t now_ms);
uint64_t peak_recent(const struct peak *p, int64_t now_ms);

#endif
