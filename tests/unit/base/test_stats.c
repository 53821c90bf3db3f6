#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/stats.h"

static uint64_t state;
static uint64_t below(uint64_t n)
{
    state += 0x9E3779B97F4A7C15ull;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return (uint64_t)(((__uint128_t)(z ^ z >> 31) * n) >> 64);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The oracle sorts; the histogram may say up to 12.5 % more, never less. */
static void agrees(unsigned powers, size_t n)
{
    static const double shares[] = { 0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1 };
    struct histogram h = { 0 };
    int64_t *value = malloc(n * sizeof *value);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        value[i] = (int64_t)below(1ull << below(powers));
        sum += (uint64_t)value[i];
        histogram_add(&h, value[i]);
    }
    qsort(value, n, sizeof *value, compare);
    cr_assert_eq(h.count, n);
    cr_assert_eq(h.sum_us, sum);
    cr_assert_eq(h.max_us, (uint64_t)value[n - 1]);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        size_t rank = (size_t)(shares[i] * (double)n);
        uint64_t exact = (uint64_t)value[rank < n ? rank : n - 1];
        uint64_t got = histogram_percentile(&h, shares[i]);
        cr_assert_geq(got, exact, "share %g", shares[i]);
        cr_assert_leq(got, exact + exact / 8 + 1, "share %g: %lu for %lu", shares[i], got, exact);
        cr_assert_leq(got, h.max_us);
    }
    free(value);
}

Test(histogram, percentiles_are_right_to_an_eighth)
{
    for (state = 1; state < 100; state++) {
        agrees(20, 1000);
        agrees(50, 300);
        agrees(5, 7);
        agrees(30, 1);
    }
}

Test(histogram, empty_is_zero)
{
    struct histogram h = { 0 };
    cr_assert_eq(histogram_percentile(&h, 0.5), 0);
}

Test(histogram, negative_counts_as_zero_and_the_largest_has_a_place)
{
    struct histogram h = { 0 };
    histogram_add(&h, -5);
    cr_assert_eq(histogram_percentile(&h, 1), 0);
    histogram_add(&h, INT64_MAX);
    cr_assert_eq(h.max_us, INT64_MAX);
    cr_assert_eq(histogram_percentile(&h, 1), INT64_MAX);
}

/* The oracle counts; every bound that a bucket begins at is exact. */
Test(histogram, counts_between_bounds_are_exact)
{
    struct histogram h = { 0 };
    static uint64_t value[5000];
    for (size_t i = 0; i < 5000; i++) {
        value[i] = below(1ull << below(24));
        histogram_add(&h, (int64_t)value[i]);
    }
    for (unsigned power = 3; power < 24; power++) {
        for (unsigned eighth = 8; eighth < 16; eighth++) {
            uint64_t bound = (uint64_t)eighth << (power - 3), exact = 0;
            for (size_t i = 0; i < 5000; i++)
                exact += value[i] < bound;
            cr_assert_eq(histogram_between(&h, 0, bound), exact, "below %lu", bound);
            cr_assert_eq(histogram_between(&h, bound, UINT64_MAX), 5000 - exact, "from %lu", bound);
        }
    }
}

Test(histogram, since_a_copy_holds_only_what_came_after)
{
    struct histogram h = { 0 }, before, recent;
    for (int i = 0; i < 100; i++)
        histogram_add(&h, 5000000);
    before = h;
    for (int i = 0; i < 10; i++)
        histogram_add(&h, 3);
    histogram_since(&h, &before, &recent);
    cr_assert_eq(recent.count, 10);
    cr_assert_eq(recent.sum_us, 30);
    cr_assert_eq(histogram_percentile(&recent, 0.99), 3);
}

Test(peak, is_remembered_for_one_to_two_minutes_and_for_ever)
{
    struct peak p = { 0 };
    peak_add(&p, 7, 1000000);
    peak_add(&p, 3, 1000001);
    cr_assert_eq(peak_recent(&p, 1000001 + PEAK_WINDOW_MS - 2), 7);
    cr_assert_eq(peak_recent(&p, 1000000 + PEAK_WINDOW_MS), 7, "the window before counts");
    cr_assert_eq(peak_recent(&p, 1000000 + 2 * PEAK_WINDOW_MS), 0);
    cr_assert_eq(p.ever, 7);
    peak_add(&p, 2, 1000000 + 2 * PEAK_WINDOW_MS);
    cr_assert_eq(peak_recent(&p, 1000000 + 9 * PEAK_WINDOW_MS), 0, "nothing for long");
}
