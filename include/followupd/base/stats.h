/* stats: counters are plain uint64_t in their owner's struct; this is the histogram they stand beside.
 *
 * Fixed memory (4 KiB), no allocation: values in microseconds fall into buckets of 1/8 of a power of two, so a
 * percentile is right to 12.5 %. One thread. */
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

#endif
