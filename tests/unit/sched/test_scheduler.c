/* The scheduler over a fake store and a clock moved by hand: its rate is so small that business time stands still
 * between two moves. No test waits for real time to pass, but for turns of the loop. */
#include <criterion/criterion.h>

#include "../../support/fake_store.h"
#include "../turn.h"
#include "followupd/sched/loader.h"
#include "followupd/sched/scheduler.h"
#include "followupd/store/shard.h"

#define T0        INT64_C(1800000000000000) /* us */
#define S(s)      (T0 + (s)*INT64_C(1000000))
#define STILL     1e-9
#define TURNS_MAX 3000
#define A         1 /* the account */

static uv_loop_t loop;
static struct fake_store store;
static struct scheduler *scheduler;
static struct message_ref got[FAKE_ROWS_MAX], flying[FAKE_ROWS_MAX];
static size_t got_count, flying_count, room, cancels, reloads;
static int closed;

static size_t on_due(void *arg, const struct due_message *due, size_t count)
{
    (void)arg;
    size_t n = count < room ? count : room;
    for (size_t i = 0; i < n; i++)
        got[got_count++] = flying[flying_count++] = due[i].ref;
    room -= n;
    return n;
}
static bool in_flight(void *arg, struct message_ref ref)
{
    (void)arg;
    for (size_t i = 0; i < flying_count; i++) {
        if (flying[i].message_id == ref.message_id)
            return true;
    }
    return false;
}
static void on_cancel(void *arg, struct message_ref ref)
{
    (void)arg;
    (void)ref;
    cancels++;
}
static const struct message_ref *in_flight_list(void *arg, size_t *ret_count)
{
    (void)arg;
    *ret_count = flying_count;
    return flying;
}
static void on_reloaded(void *arg)
{
    (void)arg;
    reloads++;
}

static void turns(int count)
{
    for (int i = 0; i < count; i++) {
        turn_once(&loop);
        fake_answer(&store);
    }
}
#define UNTIL(condition)                                                                                               \
    do {                                                                                                               \
        for (int i_ = 0; i_ < TURNS_MAX && !(condition); i_++)                                                         \
            turns(1);                                                                                                  \
        cr_assert(condition);                                                                                          \
    } while (0)

static void at(int64_t second)
{
    store.business.us = S(second);
    int clocks = store.clocks;
    UNTIL(store.clocks >= clocks + 2); /* one may have been asked before */
    turns(3);
}

static struct shard_lease leases[STORE_SHARDS];

static void open_with(struct scheduler_config config)
{
    struct scheduler_consumer consumer = { NULL, on_due, in_flight, on_cancel, in_flight_list, on_reloaded };
    struct err e;
    uv_loop_init(&loop);
    fake_init(&store);
    store.business.us = S(0);
    store.rate = STILL;
    room = FAKE_ROWS_MAX;
    got_count = flying_count = 0;
    for (int i = 0; i < STORE_SHARDS; i++)
        leases[i] = (struct shard_lease){ i, 1 };
    config.clock_ms = config.clock_ms == 0 ? 10 : config.clock_ms;
    cr_assert_eq(scheduler_open(&loop, &store.base, &config, &consumer, &scheduler, &e), OK);
    scheduler_leases(scheduler, (struct lease_set){ leases, STORE_SHARDS });
}
static void up(void)
{
    store.up = true;
    scheduler_up(scheduler);
}
static bool complete(void)
{
    struct scheduler_counts counts;
    scheduler_count(scheduler, &counts);
    return counts.complete;
}
static void start(void)
{
    open_with((struct scheduler_config){ .sweep_ms = 1000000, .sweep_older_ms = 1000000 });
    up();
    UNTIL(complete() && store.sweeps >= 2); /* those of the start are over, too */
}
static void on_closed(void *arg)
{
    (void)arg;
    closed++;
}
static void finish(void)
{
    fake_break(&store);
    scheduler_close(scheduler, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(closed, 1);
    cr_assert_eq(uv_loop_close(&loop), 0);
}
static struct message_ref m(int64_t id)
{
    return (struct message_ref){ A, id };
}

Test(scheduler, a_loaded_message_is_handed_over_once_when_its_time_has_come)
{
    open_with((struct scheduler_config){ .sweep_ms = 1000000, .sweep_older_ms = 1000000 });
    fake_row(&store, A, 7, S(48 * 3600));
    up();
    UNTIL(complete());
    at(48 * 3600 - 1);
    cr_assert_eq(got_count, 0);
    at(48 * 3600);
    UNTIL(got_count == 1);
    cr_assert_eq(got[0].message_id, 7);
    at(50 * 3600);
    cr_assert_eq(got_count, 1);
    cr_assert_not(scheduler_known(scheduler, m(7)));
    finish();
}

Test(scheduler, nothing_is_handed_over_before_the_clock_is_read_and_while_the_store_is_down)
{
    start();
    scheduler_set(scheduler, m(1), (struct wall){ S(10) });
    fake_break(&store);
    scheduler_down(scheduler);
    store.business.us = S(20);
    turns(20);
    cr_assert_eq(got_count, 0);
    fake_row(&store, A, 1, S(10));
    int loads = store.loads;
    up();
    UNTIL(got_count == 1);
    cr_assert_gt(store.loads, loads);
    turns(20);
    cr_assert_eq(got_count, 1);
    finish();
}

Test(scheduler, what_the_consumer_did_not_take_waits_in_order_for_the_pull)
{
    start();
    room = 2;
    for (int i = 1; i <= 5; i++)
        scheduler_set(scheduler, m(i), (struct wall){ S(i) });
    at(10);
    UNTIL(got_count == 2);
    turns(20);
    cr_assert_eq(got_count, 2);
    room = 100;
    scheduler_pull(scheduler);
    cr_assert_eq(got_count, 2, "not inside the call");
    UNTIL(got_count == 5);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(got[i].message_id, i + 1);
    finish();
}

Test(scheduler, a_notify_sets_moves_and_cancels)
{
    start();
    scheduler_notify(scheduler, "m 1 1 1800000010000000,1 2 1800000020000000,1 3 1800000030000000");
    scheduler_notify(scheduler, "m 1 1 -,1 3 1800000005000000");
    scheduler_notify(scheduler, "nonsense");
    cr_assert_eq(cancels, 1, "the consumer may have it already");
    at(40);
    UNTIL(got_count == 2);
    cr_assert_eq(got[0].message_id, 3);
    cr_assert_eq(got[1].message_id, 2);
    finish();
}

Test(scheduler, a_notify_of_another_workers_shard_is_passed_over)
{
    start();
    size_t count = 0;
    for (int i = 0; i < STORE_SHARDS; i++) {
        if (i != shard_of(A))
            leases[count++] = (struct shard_lease){ i, 1 };
    }
    int loads = store.loads;
    scheduler_leases(scheduler, (struct lease_set){ leases, count });
    UNTIL(store.loads > loads && complete());
    cr_assert_eq(store.load.shard_count, STORE_SHARDS - 1, "other shards load everything anew");
    scheduler_notify(scheduler, "m 1 1 1800000010000000,1 2 -");
    cr_assert_not(scheduler_known(scheduler, m(1)));
    cr_assert_eq(cancels, 0);
    finish();
}

Test(scheduler, a_change_during_a_load_is_not_undone_by_it)
{
    start();
    scheduler_set(scheduler, m(1), (struct wall){ S(10) });
    fake_row(&store, A, 1, S(10));
    fake_row(&store, A, 2, S(20));
    store.hold_load = true;
    scheduler_reload(scheduler, 0);
    fake_answer_load_rows(&store); /* the database read before what follows was committed */
    scheduler_notify(scheduler, "m 1 1 -,1 2 1800000005000000,1 3 1800000006000000");
    fake_answer_load_done(&store, OK);
    store.hold_load = false;
    at(30);
    UNTIL(got_count == 2);
    cr_assert_eq(got[0].message_id, 2);
    cr_assert_eq(got[1].message_id, 3);
    turns(10);
    cr_assert_eq(got_count, 2);
    finish();
}

Test(scheduler, a_load_whose_log_overflowed_starts_again)
{
    open_with((struct scheduler_config){ .sweep_ms = 1000000, .sweep_older_ms = 1000000, .replay_max = 5 });
    up();
    UNTIL(complete());
    store.hold_load = true;
    scheduler_reload(scheduler, 0);
    int loads = store.loads;
    for (int i = 1; i <= 20; i++) {
        scheduler_set(scheduler, m(i), (struct wall){ S(i) });
        fake_row(&store, A, i, S(i));
    }
    fake_answer_load_done(&store, OK);
    store.hold_load = false;
    cr_assert_not(complete());
    UNTIL(complete());
    cr_assert_gt(store.loads, loads);
    at(30);
    UNTIL(got_count == 20);
    finish();
}

Test(scheduler, a_reload_of_an_account_drops_what_it_no_longer_has)
{
    start();
    scheduler_set(scheduler, m(1), (struct wall){ S(10) });
    scheduler_set(scheduler, (struct message_ref){ 2, 5 }, (struct wall){ S(10) });
    fake_row(&store, A, 2, S(20));
    scheduler_notify(scheduler, "r 1");
    UNTIL(scheduler_known(scheduler, m(2)));
    cr_assert_eq(store.load.account_id, A);
    cr_assert_not(scheduler_known(scheduler, m(1)));
    cr_assert(scheduler_known(scheduler, (struct message_ref){ 2, 5 }));
    finish();
}

Test(scheduler, a_large_account_is_dropped_a_slice_a_turn)
{
    start();
    for (int i = 1; i <= 3 * LOADER_SLICE; i++)
        scheduler_set(scheduler, m(i), (struct wall){ S(1000 + i % 100) });
    fake_row(&store, A, 1, S(10));
    int loads = store.loads;
    scheduler_notify(scheduler, "r 1");
    turns(1);
    cr_assert_eq(store.loads, loads, "not loaded before all are dropped");
    cr_assert(scheduler_known(scheduler, m(3 * LOADER_SLICE)));
    UNTIL(store.loads > loads);
    cr_assert_not(scheduler_known(scheduler, m(3 * LOADER_SLICE)));
    UNTIL(scheduler_known(scheduler, m(1)));
    at(2000);
    UNTIL(got_count == 1);
    turns(10);
    cr_assert_eq(got_count, 1);
    finish();
}

/* A load that took 30 ms of real time. */
static void reload_slowly(void)
{
    store.hold_load = true;
    int loads = store.loads;
    scheduler_notify(scheduler, "r 1");
    UNTIL(store.loads > loads);
    uv_sleep(30);
    store.hold_load = false;
    UNTIL(store.load_cb == NULL);
    turns(3);
}

Test(scheduler, an_account_that_took_long_to_reload_rests_before_the_next_one_and_only_then)
{
    start();
    int64_t began_ms = mono_now().ms;
    reload_slowly();
    int loads = store.loads;
    fake_row(&store, A, 2, S(20));
    scheduler_notify(scheduler, "r 1");
    scheduler_notify(scheduler, "r 1");
    UNTIL(store.loads > loads);
    cr_assert_geq(mono_now().ms - began_ms, 30 + LOADER_REST * 30);
    UNTIL(scheduler_known(scheduler, m(2)));
    turns(20);
    cr_assert_eq(store.loads, loads + 1, "asked for twice while it rested, loaded once");
    finish();
}

Test(scheduler, everything_is_loaded_whoever_rests_and_what_waited_is_in_it)
{
    start();
    reload_slowly();
    fake_row(&store, A, 2, S(20));
    scheduler_notify(scheduler, "r 1");
    int loads = store.loads;
    scheduler_reload(scheduler, 0);
    UNTIL(complete());
    cr_assert(scheduler_known(scheduler, m(2)));
    cr_assert_eq(store.load.account_id, 0);
    cr_assert_eq(store.loads, loads + 1);
    finish();
}

static void change_very_many_during_a_load(void)
{
    store.hold_load = true;
    scheduler_reload(scheduler, 0);
    fake_row(&store, A, 1, S(10));
    fake_answer_load_rows(&store);
    for (int i = 1; i <= 3 * LOADER_SLICE; i++)
        scheduler_set(scheduler, m(i), (struct wall){ S(20) });
    fake_answer_load_done(&store, OK);
    store.hold_load = false;
    cr_assert_not(complete(), "the log is still to be replayed");
}

Test(scheduler, very_many_changes_during_a_load_are_replayed_a_slice_a_turn)
{
    start();
    change_very_many_during_a_load();
    turns(1);
    cr_assert_not(complete());
    UNTIL(complete());
    struct scheduler_counts counts;
    scheduler_count(scheduler, &counts);
    cr_assert_eq(counts.live, 3 * LOADER_SLICE);
    finish();
}

Test(scheduler, a_store_that_breaks_while_the_log_is_replayed_loads_everything_anew)
{
    start();
    change_very_many_during_a_load();
    turns(1);
    fake_break(&store);
    scheduler_down(scheduler);
    int loads = store.loads;
    up();
    UNTIL(complete());
    cr_assert_eq(store.loads, loads + 1);
    struct scheduler_counts counts;
    scheduler_count(scheduler, &counts);
    cr_assert_eq(counts.live, 1, "as the database has it");
    finish();
}

Test(scheduler, the_sweep_finds_what_notify_lost_page_by_page)
{
    open_with((struct scheduler_config){ .sweep_ms = 20, .sweep_older_ms = 20 });
    up();
    UNTIL(complete());
    for (int i = 1; i <= 2500; i++)
        fake_row(&store, A, i, S(-1000000) + i);
    UNTIL(got_count == 2500);
    struct scheduler_counts counts;
    scheduler_count(scheduler, &counts);
    cr_assert_eq(counts.swept_total, 2500);
    finish();
}

Test(scheduler, what_is_due_now_does_not_wait_until_all_is_loaded)
{
    open_with((struct scheduler_config){
        .sweep_ms = 1000000, .sweep_older_ms = 1000000, .sweep_back_ms = 2e12 }); /* 2 s of this clock */
    fake_row(&store, A, 1, S(-1));
    store.hold_load = true;
    up();
    UNTIL(got_count == 1);
    cr_assert_not(complete());
    fake_answer_load_rows(&store);
    fake_answer_load_done(&store, OK);
    store.hold_load = false;
    UNTIL(complete());
    turns(20);
    cr_assert_eq(got_count, 1);
    struct scheduler_counts counts;
    scheduler_count(scheduler, &counts);
    cr_assert_eq(counts.swept_total, 0, "no NOTIFY was lost");
    finish();
}

Test(scheduler, the_sweep_corrects_a_wrong_time)
{
    open_with((struct scheduler_config){ .sweep_ms = 20, .sweep_older_ms = 20 });
    up();
    UNTIL(complete());
    scheduler_set(scheduler, m(1), (struct wall){ S(5000) });
    fake_row(&store, A, 1, S(-10));
    UNTIL(got_count == 1);
    finish();
}

Test(scheduler, the_sweep_leaves_alone_what_was_put_off_and_corrects_what_is_set_later_than_that)
{
    open_with((struct scheduler_config){ .sweep_ms = 20, .sweep_older_ms = 20 });
    up();
    UNTIL(complete());
    scheduler_put_off(scheduler, m(1), (struct wall){ S(30) });
    scheduler_set(scheduler, m(2), (struct wall){ S(31) });
    fake_row(&store, A, 1, S(-1));
    fake_row(&store, A, 2, S(-1));
    UNTIL(got_count == 1);
    cr_assert_eq(got[0].message_id, 2);
    int sweeps = store.sweeps;
    UNTIL(store.sweeps > sweeps + 4);
    cr_assert_eq(got_count, 1);
    at(30);
    UNTIL(got_count == 2);
    scheduler_set(scheduler, m(3), (struct wall){ S(60) });
    fake_row(&store, A, 3, S(29));
    UNTIL(got_count == 3);
    finish();
}

Test(scheduler, whoever_puts_off_is_told_when_what_is_due_was_loaded_anew_and_not_of_a_stretch)
{
    open_with((struct scheduler_config){ .horizon_ms = 3600000, .sweep_ms = 1000000, .sweep_older_ms = 1000000 });
    up();
    UNTIL(complete());
    cr_assert_eq(reloads, 1);
    scheduler_reload(scheduler, A);
    UNTIL(reloads == 2);
    int loads = store.loads;
    at(600);
    UNTIL(store.loads > loads);
    turns(30);
    cr_assert_eq(store.load.account_id, 0);
    cr_assert_eq(reloads, 2);
    finish();
}

Test(scheduler, a_message_in_flight_is_not_set_again_by_anybody_else)
{
    open_with((struct scheduler_config){ .sweep_ms = 20, .sweep_older_ms = 20 });
    flying[0] = m(1);
    flying_count = 1;
    fake_row(&store, A, 1, S(-10));
    up();
    UNTIL(complete() && store.sweeps > 4 && store.sendings > 2);
    cr_assert_eq(store.sending.in_flight_count, 1);
    scheduler_notify(scheduler, "m 1 1 1799999999000000");
    turns(20);
    cr_assert_eq(got_count, 0);
    flying_count = 0;
    UNTIL(got_count == 1);
    finish();
}

Test(scheduler, a_lost_claim_comes_back)
{
    open_with((struct scheduler_config){ .sweep_ms = 20, .sweep_older_ms = 1000000 });
    up();
    UNTIL(complete());
    store.lost[0] = (struct due_message){ m(9), { S(-1) } };
    store.lost_count = 1;
    UNTIL(got_count == 1);
    cr_assert_eq(got[0].message_id, 9);
    finish();
}

Test(scheduler, what_is_in_flight_is_listed_after_the_mark_is_known)
{
    open_with((struct scheduler_config){ .sweep_ms = 20, .sweep_older_ms = 1000000 });
    store.hold_mark = true;
    up();
    UNTIL(complete() && store.marks == 1);
    store.mark = 7;
    int sendings = store.sendings;
    turns(10);
    cr_assert_eq(store.sendings, sendings, "nobody knows yet what could be lost");
    flying[0] = m(1);
    flying_count = 1; /* claimed while the mark was on its way: it may be below it */
    store.hold_mark = false;
    UNTIL(store.sendings == sendings + 1);
    cr_assert_eq(store.sending.mark, 7);
    cr_assert_eq(store.sending.in_flight_count, 1);
    finish();
}

Test(scheduler, due_past_the_horizon_is_left_to_the_loader_which_loads_the_stretch_only)
{
    open_with((struct scheduler_config){ .horizon_ms = 3600000, .sweep_ms = 1000000, .sweep_older_ms = 1000000 });
    up();
    UNTIL(complete());
    cr_assert_eq(store.load.from.us, 0);
    int64_t until_us = store.load.until.us;
    scheduler_set(scheduler, m(1), (struct wall){ S(3601) });
    cr_assert_not(scheduler_known(scheduler, m(1)));
    fake_row(&store, A, 1, S(3601));
    int loads = store.loads;
    at(600);
    UNTIL(store.loads > loads);
    cr_assert_eq(store.load.from.us, until_us);
    UNTIL(scheduler_known(scheduler, m(1)));
    finish();
}

Test(scheduler, more_rows_than_fit_shorten_the_horizon)
{
    open_with((struct scheduler_config){
        .horizon_ms = 3600000, .sweep_ms = 1000000, .sweep_older_ms = 1000000, .rows_max = 10 });
    for (int i = 1; i <= 30; i++)
        fake_row(&store, A, i, S(i * 120));
    up();
    UNTIL(complete());
    struct scheduler_counts counts;
    scheduler_count(scheduler, &counts);
    cr_assert_leq(counts.live, 10);
    cr_assert(scheduler_known(scheduler, m(1)), "the nearest are there");
    for (int s = 600; s <= 3600; s += 600) {
        at(s);
        UNTIL(got_count == (size_t)s / 120);
    }
    finish();
}

Test(scheduler, many_at_one_instant_are_not_loaded_by_a_horizon_that_grows_or_moves_over_them)
{
    struct scheduler_counts counts;
    open_with((struct scheduler_config){
        .horizon_ms = 480000, .sweep_ms = 1000000, .sweep_older_ms = 1000000, .rows_max = 10 });
    for (int i = 1; i <= 30; i++)
        fake_row(&store, A, i, S(300));
    up();
    UNTIL(complete());
    at(100);
    UNTIL((scheduler_count(scheduler, &counts), counts.load.failures == 2 && counts.complete));
    cr_assert_eq(counts.horizon_ms, 120000);
    cr_assert_eq(counts.live, 0);
    at(301);
    UNTIL(got_count == 30);
    at(421);
    UNTIL((scheduler_count(scheduler, &counts), counts.horizon_ms > 60000));
    finish();
}

/* A clock that is read as the same instant every 10 ms never comes as far as 24 ms. */
Test(scheduler, what_is_due_soon_is_handed_over_to_be_claimed_before_it_is_due)
{
    start();
    store.rate = 1;
    turns(30);
    scheduler_set(scheduler, m(1), (struct wall){ S(0) + 24000 });
    scheduler_set(scheduler, m(2), (struct wall){ S(60) });
    UNTIL(got_count == 1);
    cr_assert_eq(got[0].message_id, 1);
    turns(30);
    cr_assert_eq(got_count, 1);
    finish();
}

Test(scheduler, a_reading_that_took_long_is_not_believed_for_a_better_one_unless_the_clock_was_set)
{
    struct business_clock clock;
    open_with((struct scheduler_config){ .sweep_ms = 1000000, .sweep_older_ms = 1000000, .clock_ms = 500 });
    store.rate = 1;
    up();
    UNTIL(complete());
    store.clock_took_us = 2000000;
    at(0);
    cr_assert(scheduler_clock(scheduler, &clock));
    cr_assert_eq(clock.error_us, 0);
    at(100);
    cr_assert(scheduler_clock(scheduler, &clock));
    cr_assert_eq(clock.error_us, 1000000);
    cr_assert_eq(clock.business_us, S(100));
    finish();
}

Test(scheduler, after_the_clock_was_set_back_nothing_is_early)
{
    start();
    at(7200);
    int loads = store.loads;
    at(0);
    UNTIL(store.loads > loads && complete());
    scheduler_set(scheduler, m(1), (struct wall){ S(10) });
    at(9);
    turns(20);
    cr_assert_eq(got_count, 0);
    at(10);
    UNTIL(got_count == 1);
    finish();
}
