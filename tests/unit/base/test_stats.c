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
