/* The bulk's pace over a store that answers when the test wishes. */
#include <criterion/criterion.h>

#include "../turn.h"
#include "followupd/base/clock.h"
#include "followupd/bulk/bulk.h"

#define TURNS_MAX 3000

static uv_loop_t loop;
static struct bulk *bulk;
static store_bulk_cb asked; /* NULL: no chunk is under way */
static void *asked_arg;
static int steps, lease_count = 1;
static bool late;

static enum status step(struct store *s, struct lease_set leases, store_bulk_cb cb, void *arg)
{
    (void)s;
    cr_assert_eq(leases.count, 1);
    cr_assert_null(asked, "one at a time");
    steps++;
    asked = cb;
    asked_arg = arg;
    return OK;
}
static const struct store_ops ops = { .bulk_step = step };
static struct store store = { .ops = &ops };

static struct lease_set leases(void *arg)
{
    static struct shard_lease lease = { 3, 1 };
    (void)arg;
    return (struct lease_set){ &lease, (size_t)lease_count };
}
static bool others_late(void *arg)
{
    (void)arg;
    return late;
}

static void start(void)
{
    struct bulk_hooks hooks = { NULL, leases, others_late };
    struct err e;
    uv_loop_init(&loop);
    cr_assert_eq(bulk_open(&loop, &store, 1, &hooks, &bulk, &e), OK);
}
static void finish(void)
{
    bulk_close(bulk);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
}
static void until_asked(void)
{
    for (int i = 0; i < TURNS_MAX && asked == NULL; i++)
        turn_once(&loop);
    cr_assert_not_null(asked);
}
static void answer(enum status st, const struct bulk_progress *progress)
{
    static const struct err e = { "as the test wishes" };
    store_bulk_cb cb = asked;
    asked = NULL;
    cb(asked_arg, st, st == OK ? NULL : &e, progress);
}
static const struct bulk_progress more = { 1, 7, true }, ended = { 1, 7, false };

Test(bulk, rests_not_at_all_while_others_are_on_time)
{
    int rest = 0;
    for (int64_t took_ms = 0; took_ms < 100000; took_ms = took_ms * 2 + 1)
        cr_assert_eq(bulk_rest_ms(&rest, false, took_ms), 0);
}

Test(bulk, rests_longer_the_longer_others_are_late_and_shorter_once_they_are_not)
{
    int rest = 0;
    cr_assert_eq(bulk_rest_ms(&rest, true, 300), 300);
    cr_assert_eq(bulk_rest_ms(&rest, true, 300), 600);
    cr_assert_eq(bulk_rest_ms(&rest, true, 300), 1200);
    cr_assert_eq(bulk_rest_ms(&rest, true, 300), 300 * BULK_REST_MAX);
    cr_assert_eq(bulk_rest_ms(&rest, false, 300), 600);
    cr_assert_eq(bulk_rest_ms(&rest, true, 300), 1200);
    cr_assert_eq(bulk_rest_ms(&rest, false, 300), 600);
    cr_assert_eq(bulk_rest_ms(&rest, false, 300), 300);
    cr_assert_eq(bulk_rest_ms(&rest, false, 300), 0);
    cr_assert_eq(bulk_rest_ms(&rest, false, 300), 0);
}

Test(bulk, no_rest_is_longer_than_its_bounds)
{
    int rest = 0;
    for (int64_t took_ms = 1; took_ms < INT64_MAX / 4; took_ms *= 3) {
        int64_t ms = bulk_rest_ms(&rest, true, took_ms);
        cr_assert(ms > 0 && ms <= BULK_REST_MS_MAX, "%lld", (long long)ms);
        cr_assert_leq(rest, BULK_REST_MAX);
    }
}

Test(bulk, the_next_chunk_waits_as_long_as_the_last_took_when_others_were_late)
{
    start();
    until_asked();
    late = true;
    uv_sleep(20);
    answer(OK, &more);
    int64_t answered_ms = mono_now().ms;
    until_asked();
    cr_assert_geq(mono_now().ms - answered_ms, 19); /* the loop's clock and ours are cut to milliseconds apart */
    cr_assert_eq(bulk_stats(bulk).chunks, 1);
    cr_assert(bulk_stats(bulk).working);
    finish();
}

Test(bulk, the_next_chunk_follows_at_once_when_nobody_was_late)
{
    start();
    until_asked();
    answer(OK, &more);
    for (int i = 0; i < 2 && asked == NULL; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    cr_assert_not_null(asked);
    answer(OK, &ended);
    cr_assert_not(bulk_stats(bulk).working);
    until_asked(); /* there may be another bulk */
    answer(OK, NULL);
    until_asked(); /* the interval has passed */
    finish();
}

Test(bulk, without_a_lease_nothing_is_asked)
{
    lease_count = 0;
    start();
    for (int i = 0; i < 5; i++)
        turn_once(&loop);
    cr_assert_eq(steps, 0);
    lease_count = 1;
    until_asked();
    finish();
}

Test(bulk, a_drained_one_asks_no_more)
{
    start();
    until_asked();
    bulk_drain(bulk);
    answer(OK, &more);
    uv_run(&loop, UV_RUN_DEFAULT); /* returns: no timer is left */
    cr_assert_eq(steps, 1);
    finish();
}

Test(bulk, a_chunk_that_was_cancelled_or_failed_is_not_asked_for_at_once)
{
    start();
    until_asked();
    answer(E_CANCELLED, NULL);
    for (int i = 0; i < 3; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    cr_assert_eq(steps, 1);
    cr_assert_eq(bulk_stats(bulk).chunks, 0);
    finish();
}
