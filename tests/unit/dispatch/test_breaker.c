#include "followupd/dispatch/breaker.h"

#include <criterion/criterion.h>

static struct mono now = { 1000000 };
static struct breaker b;
static struct breaker_pass pass;

static void begin(void)
{
    breaker_init(&b, 3, 1000, 8000);
}
static void one(enum breaker_sign sign)
{
    cr_assert(breaker_take(&b, now, &pass));
    breaker_end(&b, pass, sign, now);
}

Test(breaker, failures_in_a_row_open_it_and_a_success_between_starts_anew, .init = begin)
{
    one(BREAKER_FAILS);
    one(BREAKER_FAILS);
    one(BREAKER_WORKS);
    one(BREAKER_FAILS);
    one(BREAKER_FAILS);
    cr_assert_eq(b.state, BREAKER_CLOSED);
    one(BREAKER_FAILS);
    cr_assert_eq(b.state, BREAKER_OPEN);
    cr_assert_not(breaker_take(&b, now, &pass));
    cr_assert_eq(breaker_wait_ms(&b, now), 1000);
}

Test(breaker, a_refusal_opens_it_at_once, .init = begin)
{
    one(BREAKER_REFUSES);
    cr_assert_eq(b.state, BREAKER_OPEN);
}

Test(breaker, half_open_lets_one_probe_through_and_its_success_closes, .init = begin)
{
    one(BREAKER_REFUSES);
    now.ms += 999;
    cr_assert_not(breaker_take(&b, now, &pass));
    now.ms += 1;
    cr_assert(breaker_take(&b, now, &pass));
    cr_assert(pass.probe);
    struct breaker_pass other;
    cr_assert_not(breaker_take(&b, now, &other), "a second probe");
    cr_assert(breaker_end(&b, pass, BREAKER_WORKS, now));
    cr_assert_eq(b.state, BREAKER_CLOSED);
    cr_assert(breaker_take(&b, now, &other));
}

Test(breaker, each_failed_probe_doubles_the_wait_up_to_its_bound, .init = begin)
{
    static const int64_t waits[] = { 1000, 2000, 4000, 8000, 8000, 8000 };
    one(BREAKER_REFUSES);
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        cr_assert_eq(breaker_wait_ms(&b, now), waits[i], "wait %zu", i);
        now.ms += waits[i];
        one(BREAKER_FAILS);
    }
    now.ms += 8000;
    one(BREAKER_WORKS);
    one(BREAKER_REFUSES);
    cr_assert_eq(breaker_wait_ms(&b, now), 1000, "after a success the first wait again");
}

Test(breaker, what_began_before_it_opened_no_longer_counts, .init = begin)
{
    struct breaker_pass early, early_too;
    cr_assert(breaker_take(&b, now, &early));
    cr_assert(breaker_take(&b, now, &early_too));
    one(BREAKER_REFUSES);
    cr_assert_not(breaker_end(&b, early, BREAKER_WORKS, now));
    cr_assert_eq(b.state, BREAKER_OPEN);
    now.ms += 1000;
    cr_assert(breaker_take(&b, now, &pass));
    breaker_end(&b, early_too, BREAKER_FAILS, now);
    cr_assert_eq(b.state, BREAKER_HALF_OPEN);
}

Test(breaker, a_probe_that_was_never_posted_is_given_to_the_next, .init = begin)
{
    one(BREAKER_REFUSES);
    now.ms += 1000;
    cr_assert(breaker_take(&b, now, &pass));
    breaker_unused(&b, pass);
    cr_assert(breaker_take(&b, now, &pass));
    cr_assert(pass.probe);
}

Test(breaker, a_pause_holds_everything_and_the_longer_one_counts, .init = begin)
{
    breaker_pause(&b, 5000, now);
    breaker_pause(&b, 100, now);
    now.ms += 4999;
    cr_assert_not(breaker_take(&b, now, &pass));
    cr_assert_eq(breaker_wait_ms(&b, now), 1);
    now.ms += 1;
    cr_assert(breaker_take(&b, now, &pass));
}
