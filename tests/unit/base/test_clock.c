#include <criterion/criterion.h>
#include <string.h>

#include "followupd/base/clock.h"

/* The clock stands still in these: mono_us is far in the future or the span is large against the run of a test. */
static struct business_clock at(double rate)
{
    struct business_clock c;
    int64_t now_us = mono_now_us();
    business_clock_set(&c, (struct wall){ 1000000000000000 }, rate, now_us, now_us);
    return c;
}

Test(clock, the_middle_of_the_question_is_taken)
{
    struct business_clock c;
    business_clock_set(&c, (struct wall){ 77 }, 2.0, 1000, 1500);
    cr_assert_eq(c.mono_us, 1250);
    cr_assert_eq(c.business_us, 77);
    cr_assert_eq(c.rate, 2.0);
    business_clock_set(&c, (struct wall){ 77 }, 1.0, INT64_MAX - 10, INT64_MAX);
    cr_assert_eq(c.mono_us, INT64_MAX - 5);
}

Test(clock, business_time_runs_at_its_rate)
{
    int64_t before_us = mono_now_us();
    struct business_clock c = { .business_us = 5000000, .mono_us = before_us - 1000000, .rate = 3600 };
    struct wall now = business_now(&c);
    int64_t after_us = mono_now_us();
    cr_assert_geq(now.us, 5000000 + 3600 * 1000000ll);
    cr_assert_leq(now.us, 5000000 + 3600 * (1000000 + after_us - before_us));
    c.rate = 1;
    cr_assert_geq(business_now(&c).us, 6000000);
}

Test(clock, a_wait_ends_when_due_and_never_before)
{
    static const double rates[] = { 0.5, 1, 7, 3600 };
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct business_clock c = at(rates[i]);
        for (int64_t ahead_us = 1; ahead_us < 400000000000; ahead_us = ahead_us * 3 + 1) {
            struct wall due = { c.business_us + ahead_us };
            int64_t asked_us = mono_now_us();
            int64_t wait_ms = business_wait_ms(&c, due);
            int64_t answered_us = mono_now_us();
            /* waiting that long from when it answered reaches the due time ... */
            double then = (double)(answered_us + wait_ms * 1000 - c.mono_us) * rates[i];
            cr_assert_geq(then, (double)ahead_us - 1e-3, "rate %g ahead %ld", rates[i], ahead_us);
            /* ... and a millisecond less would not have, from when it was asked */
            double less = (double)(asked_us + (wait_ms - 1) * 1000 - c.mono_us) * rates[i];
            cr_assert(wait_ms == 0 || less < (double)ahead_us + 1e-3, "rate %g ahead %ld", rates[i], ahead_us);
        }
    }
}

Test(clock, a_sure_wait_ends_when_due_though_the_clock_be_ahead_by_all_of_its_error)
{
    int64_t now_us = mono_now_us();
    struct business_clock c;
    business_clock_set(&c, (struct wall){ 1000000 }, 2.0, now_us - 3000, now_us + 3000);
    cr_assert_eq(c.error_us, 3000);
    struct wall due = { business_now(&c).us + 2000000 };
    int64_t wait_us = business_sure_wait_us(&c, due), later_us = mono_now_us() - now_us;
    cr_assert_leq(wait_us, 1003000);
    cr_assert_geq(wait_us, 1003000 - later_us - 1);
    cr_assert_eq(business_sure_wait_us(&c, (struct wall){ 0 }), 0);
    cr_assert_eq(business_sure_wait_us(&c, (struct wall){ INT64_MAX }) > 0, true);
}

Test(clock, what_is_due_needs_no_wait)
{
    struct business_clock c = at(3600);
    cr_assert_eq(business_wait_ms(&c, (struct wall){ c.business_us }), 0);
    cr_assert_eq(business_wait_ms(&c, (struct wall){ c.business_us - 1 }), 0);
    cr_assert_eq(business_wait_ms(&c, (struct wall){ 0 }), 0);
}

Test(clock, far_away_saturates)
{
    struct business_clock c = at(1e-9);
    cr_assert_eq(business_wait_ms(&c, (struct wall){ INT64_MAX }), INT64_MAX);
    cr_assert_eq(business_wait_ms(&c, (struct wall){ INT64_MIN }), 0);
    c.rate = 1e9;
    cr_assert_eq(business_span_us(&c, INT64_MAX), INT64_MAX);
    cr_assert_eq(business_span_us(&c, INT64_MIN), INT64_MIN);
    c.mono_us = -4000000000000000; /* a lifetime of real time at that rate is past every date */
    cr_assert_eq(business_now(&c).us, INT64_MAX);
    cr_assert_eq(business_wait_ms(&c, (struct wall){ 0 }), 0);
    c.rate = 1;
    c.business_us = INT64_MAX - 1;
    cr_assert_eq(business_now(&c).us, INT64_MAX);
    (void)business_late_ms(&c, (struct wall){ INT64_MIN }, (struct wall){ INT64_MAX });
}

Test(clock, spans_and_lateness_follow_the_rate)
{
    struct business_clock c = at(3600);
    cr_assert_eq(business_span_us(&c, 1000), 3600 * 1000000ll);
    cr_assert_eq(business_span_us(&c, -1), -3600000);
    struct wall due = { 5000000 };
    cr_assert_float_eq(business_late_ms(&c, due, (struct wall){ 5000000 + 3600000 }), 1.0, 1e-9);
    cr_assert_float_eq(business_late_ms(&c, due, (struct wall){ 5000000 - 1800000 }), -0.5, 1e-9);
}

Test(clock, deadlines_are_reached_at_their_millisecond)
{
    struct mono t = { 100 };
    cr_assert_eq(mono_add(t, 50).ms, 150);
    cr_assert_not(mono_reached(mono_add(t, 1), t));
    cr_assert(mono_reached(t, t));
    struct mono a = mono_now(), b = mono_now();
    cr_assert_leq(a.ms, b.ms);
}

static void reads(int64_t us, const char *expected)
{
    char text[WALL_TEXT_BYTES];
    wall_text((struct wall){ us }, text, sizeof text);
    cr_assert_str_eq(text, expected);
}

Test(clock, instants_are_written_in_utc_with_microseconds)
{
    reads(0, "1970-01-01T00:00:00.000000Z");
    reads(1, "1970-01-01T00:00:00.000001Z");
    reads(-1, "1969-12-31T23:59:59.999999Z");
    reads(-1000000, "1969-12-31T23:59:59.000000Z");
    reads(1709210096123456, "2024-02-29T12:34:56.123456Z");
    char text[WALL_TEXT_BYTES];
    wall_text((struct wall){ INT64_MAX }, text, sizeof text);
    wall_text((struct wall){ INT64_MIN }, text, sizeof text);
    cr_assert_lt(strlen(text), WALL_TEXT_BYTES);
}
