#include "followupd/dispatch/budget.h"

#include <criterion/criterion.h>

static struct mono now;
static struct budget b;

static size_t take_all(void)
{
    size_t n = 0;
    while (n < 100000 && budget_take(&b, now))
        n++;
    return n;
}

Test(budget, tokens_come_at_the_rate_and_no_more_than_a_tenth_of_a_second_is_stored)
{
    budget_init(&b, 50, 1000, now);
    b.window = 1000;
    cr_assert_eq(budget_room(&b, 0, now), 5);
    cr_assert_eq(take_all(), 5);
    cr_assert_eq(budget_room(&b, 0, now), 0);
    cr_assert_eq(budget_wait_ms(&b, now), 20);
    now.ms += 19;
    cr_assert_eq(take_all(), 0);
    now.ms += 1;
    cr_assert_eq(take_all(), 1);
    size_t in_ten_seconds = 0;
    for (int i = 0; i < 1000; i++) {
        now.ms += 10;
        in_ten_seconds += take_all();
    }
    cr_assert_eq(in_ten_seconds, 500);
    now.ms += 3600000;
    cr_assert_eq(take_all(), 5);
}

Test(budget, a_slow_rate_still_sends)
{
    budget_init(&b, 0.1, 10, now);
    cr_assert_eq(take_all(), 1);
    cr_assert_eq(budget_wait_ms(&b, now), 10000);
    now.ms += 10000;
    cr_assert_eq(take_all(), 1);
}

Test(budget, slots_never_exceed_the_window_nor_the_window_its_maximum)
{
    budget_init(&b, 0, 8, now);
    cr_assert_eq(budget_room(&b, 0, now), 8);
    cr_assert_eq(take_all(), 8);
    cr_assert_eq(budget_room(&b, 0, now), 0);
    for (int i = 0; i < 1000; i++) {
        budget_end(&b, 1, false, now);
        now.ms++;
        cr_assert(budget_take(&b, now));
        cr_assert_not(budget_take(&b, now));
    }
}

Test(budget, what_is_early_has_a_place_beside_the_slots_within_the_bound_for_all)
{
    budget_init(&b, 0, 4, now);
    for (int i = 0; i < 3; i++) {
        cr_assert(budget_take_beside(&b, 2, now));
        budget_early(&b);
    }
    cr_assert_eq(budget_room(&b, 2, now), 3);
    cr_assert_eq(take_all(), 4, "all slots are there for what is due");
    cr_assert_not(budget_take_beside(&b, 2, now));
    cr_assert_eq(budget_room(&b, 2, now), 0);
    budget_due(&b);
    cr_assert_not(budget_take(&b, now), "one that has become due is in the way of others");
    budget_unused(&b);
    budget_unused(&b);
    cr_assert(budget_take(&b, now));
    cr_assert_not(budget_take_beside(&b, 2, now), "4 slots and 2 early ones");
}

Test(budget, other_limits_hold_at_once)
{
    budget_init(&b, 1000, 20, now);
    cr_assert_eq(take_all(), 20);
    budget_limit(&b, 10, 4, now);
    for (int i = 0; i < 17; i++)
        budget_end(&b, 1, false, now);
    cr_assert_eq(budget_room(&b, 0, now), 1,
                 "a slot of four, and the tokens that were there, cut to the new store of one");
    cr_assert_eq(take_all(), 1);
    now.ms += 1000;
    cr_assert_eq(take_all(), 0, "four slots are taken");
    budget_limit(&b, 0.5, 1000, now);
    for (int i = 0; i < 4; i++)
        budget_end(&b, 1, false, now);
    cr_assert_eq(take_all(), 1);
    cr_assert_eq(budget_wait_ms(&b, now), 2000);
}

Test(budget, what_was_not_used_comes_back_with_its_token)
{
    budget_init(&b, 10, 10, now);
    cr_assert(budget_take(&b, now));
    cr_assert_not(budget_take(&b, now), "the token is gone");
    budget_unused(&b);
    cr_assert(budget_take(&b, now));
    now.ms += 50;
    cr_assert_not(budget_take(&b, now), "half a token has come in meanwhile");
    budget_unused(&b);
    cr_assert(budget_take(&b, now), "and does not make it worthless");
    cr_assert_not(budget_take(&b, now), "and no more than can be stored");
}

static void rounds(int count, int64_t latency_ms)
{
    for (int r = 0; r < count; r++) {
        take_all();
        now.ms += latency_ms;
        for (size_t used = b.used; used > 0; used--)
            budget_end(&b, latency_ms, false, now);
    }
}

Test(budget, the_window_widens_while_answers_are_quick)
{
    budget_init(&b, 0, 500, now);
    cr_assert_eq(take_all(), 32);
    rounds(20, 2);
    cr_assert_eq((int)b.window, 500);
}

Test(budget, the_window_narrows_when_answers_become_slow_and_recovers_when_they_are_quick_again)
{
    budget_init(&b, 0, 500, now);
    rounds(20, 5);
    rounds(5, 200);
    double narrow = b.window;
    cr_assert_lt(narrow, 250);
    cr_assert_geq(narrow, 1);
    rounds(50, 5);
    cr_assert_gt(b.window, narrow + 20);
}

Test(budget, a_slow_answer_now_and_then_narrows_nothing)
{
    budget_init(&b, 0, 64, now);
    rounds(20, 2);
    take_all();
    for (int i = 0; i < 1000; i++) {
        now.ms++;
        budget_end(&b, i % 20 == 0 ? 60 : 2, false, now);
        cr_assert(budget_take(&b, now));
    }
    cr_assert_eq((int)b.window, 64);
}

Test(budget, slow_answers_alone_leave_some_slots)
{
    budget_init(&b, 0, 64, now);
    rounds(20, 2);
    rounds(40, 500);
    cr_assert_eq((int)b.window, 4);
    rounds(200, 500);
    cr_assert_gt(b.window, 4, "after a minute that is simply how long this provider takes");
}

Test(budget, an_overload_halves_the_window_once_a_round_and_never_closes_it)
{
    budget_init(&b, 0, 100, now);
    take_all();
    budget_end(&b, 100, true, now);
    cr_assert_eq((int)b.window, 16);
    budget_end(&b, 100, true, now);
    cr_assert_eq((int)b.window, 16);
    for (int i = 0; i < 20; i++) {
        now.ms += 1000;
        budget_end(&b, 100, true, now);
    }
    cr_assert_eq((int)b.window, 1);
}
