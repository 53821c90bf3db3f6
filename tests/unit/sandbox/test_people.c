#include "people.h"

#include "sample.h"

static const struct people_options shares = { .seed = 42,
                                              .reply_rate = 0.3,
                                              .bounce_rate = 0.1,
                                              .unsubscribe_rate = 0.05,
                                              .delay_min_ms = 100,
                                              .delay_max_ms = 200 };

Test(people, the_same_seed_address_and_number_decide_the_same)
{
    int64_t first_ms, again_ms;
    for (int n = 1; n < 200; n++) {
        enum people_act first = people_decide(&shares, "a@b.example", n, &first_ms);
        cr_assert_eq(people_decide(&shares, "a@b.example", n, &again_ms), first);
        cr_assert_eq(first_ms, again_ms);
    }
}

Test(people, another_seed_decides_otherwise)
{
    struct people_options other = shares;
    int64_t ms;
    int differ = 0;
    other.seed = 43;
    for (int n = 1; n < 200; n++)
        differ += people_decide(&shares, "a@b.example", n, &ms) != people_decide(&other, "a@b.example", n, &ms);
    cr_expect_gt(differ, 20);
}

Test(people, shares_are_met_and_delays_stay_inside)
{
    int count[PEOPLE_ACTS] = { 0 };
    int64_t least = 1000, most = 0, ms;
    for (int i = 0; i < 10000; i++) {
        char address[32];
        snprintf(address, sizeof address, "lead%d@b.example", i);
        count[people_decide(&shares, address, 1, &ms)]++;
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    cr_expect(count[PEOPLE_REPLY] > 2800 && count[PEOPLE_REPLY] < 3200, "%d", count[PEOPLE_REPLY]);
    cr_expect(count[PEOPLE_BOUNCE] > 880 && count[PEOPLE_BOUNCE] < 1120, "%d", count[PEOPLE_BOUNCE]);
    cr_expect(count[PEOPLE_UNSUBSCRIBE] > 410 && count[PEOPLE_UNSUBSCRIBE] < 590, "%d", count[PEOPLE_UNSUBSCRIBE]);
    cr_expect_eq(least, 100);
    cr_expect_eq(most, 200);
}

Test(people, a_database_that_is_away_is_counted_and_fatal_to_nobody)
{
    struct people_options all = { .conninfo = "host=/nowhere/at/all dbname=x", .reply_rate = 1 };
    struct people_stats s;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct people *p = people_new(&loop, &all, NULL);
    for (int i = 1; i <= 100; i++) {
        struct message m = sample(i, "b@example.org");
        people_on_accepted(p, &m, 1);
        message_fini(&m);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    people_stats(p, &s);
    cr_expect_eq(s.failed, 100);
    cr_expect_eq(s.waiting, 0);
    people_stop(p);
    people_free(p);
    cr_expect_eq(uv_loop_close(&loop), 0);
}

Test(people, a_stop_drops_those_who_wait)
{
    struct people_options all = {
        .conninfo = "host=/nowhere/at/all", .reply_rate = 1, .delay_min_ms = 3600000, .delay_max_ms = 3600000
    };
    struct people_stats s;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct people *p = people_new(&loop, &all, NULL);
    struct message m = sample(1, "b@example.org");
    people_on_accepted(p, &m, 1);
    message_fini(&m);
    people_stop(p);
    uv_run(&loop, UV_RUN_DEFAULT);
    people_stats(p, &s);
    cr_expect_eq(s.dropped, 1);
    people_free(p);
    cr_expect_eq(uv_loop_close(&loop), 0);
}
