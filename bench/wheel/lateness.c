/* How late the wheel fires by the real clock: N ids pending over 72 hours and more to come `rate` times a second, for
 * `seconds`. A 17-minute slot begins in the middle. It sleeps until wheel_next_ms says and has a tick every 250 ms, as the
 * daemon. Prints the lateness of every id, from its due millisecond to the return of the advance that fired it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "followupd/sched/wheel.h"

#define HORIZON_MS   (72 * 3600 * 1000LL)
#define SLOT_MS      (1LL << 20)
#define TICK_MS      250
#define IDLE_IDS     1024
#define BUDGET       512
#define IDS_MAX      256
#define BUCKET_US    10
#define BUCKETS      100000
#define BEFORE_RUN_S 2

static uint64_t state = 1;
static uint64_t below(uint64_t n)
{
    state += 0x9E3779B97F4A7C15ull;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return (uint64_t)(((__uint128_t)(z ^ z >> 31) * n) >> 64);
}

static int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
static void sleep_until_ms(int64_t ms)
{
    struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static uint64_t bucket[BUCKETS], fired;
static int64_t worst_us;
static void note(int64_t late_us)
{
    if (late_us < 0) {
        fprintf(stderr, "EARLY by %lld us\n", (long long)-late_us);
        exit(1);
    }
    bucket[late_us / BUCKET_US < BUCKETS ? late_us / BUCKET_US : BUCKETS - 1]++;
    worst_us = late_us > worst_us ? late_us : worst_us;
    fired++;
}
static double quantile_us(double q)
{
    uint64_t seen = 0, want = (uint64_t)(q * (double)fired);
    for (int i = 0; i < BUCKETS; i++) {
        seen += bucket[i];
        if (seen > want)
            return (double)(i + 1) * BUCKET_US;
    }
    return (double)worst_us;
}

static void set(struct wheel *w, int64_t *due, uint32_t id, int64_t due_ms)
{
    due[id] = due_ms;
    if (wheel_set(w, id, due_ms) != OK)
        abort();
}

int main(int argc, char **argv)
{
    uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1000000;
    uint32_t rate = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 500;
    int64_t run_s = argc > 3 ? strtoll(argv[3], NULL, 0) : 20;
    uint32_t more = rate * (uint32_t)run_s;
    int64_t *due = malloc(((size_t)n + more) * sizeof *due);
    int64_t t0 = now_us() / 1000, start = t0 + BEFORE_RUN_S * 1000 + n / 500; /* time to load */
    struct wheel *w = wheel_new(start + run_s * 500 - SLOT_MS, n + more);
    if (w == NULL || due == NULL)
        return 1;
    for (uint32_t i = 0; i < n; i++)
        set(w, due, i, start + 1 + (int64_t)below(HORIZON_MS));
    for (uint32_t i = 0; i < more; i++)
        set(w, due, n + i, start + 1 + (int64_t)below((uint64_t)run_s * 1000));
    sleep_until_ms(start);

    int64_t tick_ms = start, end_ms = start + run_s * 1000;
    for (;;) {
        int64_t at = now_us(), next = wheel_next_ms(w);
        if (at / 1000 >= end_ms)
            break;
        if (at / 1000 >= tick_ms) {
            wheel_idle(w, IDLE_IDS);
            tick_ms += TICK_MS;
        }
        if (next > at / 1000)
            sleep_until_ms(next < tick_ms ? next : tick_ms);
        uint32_t ids[IDS_MAX];
        size_t count = wheel_advance(w, now_us() / 1000, BUDGET, ids, IDS_MAX);
        at = now_us();
        for (size_t i = 0; i < count; i++)
            note(at - due[ids[i]] * 1000);
    }
    printf("%u pending, %u/s: %llu fired, late by p50 %.0f p99 %.0f p99.9 %.0f max %lld us\n", n, rate,
           (unsigned long long)fired, quantile_us(.5), quantile_us(.99), quantile_us(.999), (long long)worst_us);
    wheel_free(w);
    free(due);
    return 0;
}
