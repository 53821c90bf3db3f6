#include "followupd/result/batch.h"

#include <criterion/criterion.h>

#include "../fakes.h"
#include "../turn.h"

static uv_loop_t loop;
static struct fake_store store = { .store.ops = &fake_store_ops, .up = true };
static struct batch *batch;
static size_t recorded[64]; /* by message id: how often it was told */

static struct lease_set no_leases(void *arg)
{
    (void)arg;
    return (struct lease_set){ 0 };
}

static bool backlog;

static bool is_backlog(void *arg)
{
    (void)arg;
    return backlog;
}

static void on_recorded(void *arg, const struct recorded_row *row)
{
    (void)arg;
    recorded[row->ref.message_id]++;
}

static void begin(size_t rows_max, int64_t wait_ms)
{
    const struct batch_config config = {
        .rows_max = rows_max, .wait_ms = wait_ms, .wait_backlog_ms = 3600000, .again_ms = 2
    };
    const struct batch_hooks hooks = { .held = no_leases, .on_recorded = on_recorded, .is_backlog = is_backlog };
    uv_loop_init(&loop);
    cr_assert_eq(batch_new(&loop, &store.store, &config, &hooks, &batch), OK);
}

static void end(size_t lost)
{
    batch_stop(batch);
    cr_assert_eq(batch_close(batch), lost);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
}

static void add(int64_t first, int64_t last)
{
    for (int64_t id = first; id <= last; id++) {
        struct claim_row row = fake_row((struct message_ref){ 1, id });
        batch_add(batch, kept_result_new(&row));
    }
}

static void wait_for_call(void)
{
    while (store.records.count == 0)
        turn_once(&loop);
}

Test(batch, results_wait_for_company_and_go_together)
{
    begin(10, 20);
    add(1, 3);
    cr_assert_eq(store.records.count, 0);
    wait_for_call();
    cr_assert_eq(store.records.calls[0]->count, 3);
    fake_answer_record(&store, 0);
    for (int id = 1; id <= 3; id++)
        cr_assert_eq(recorded[id], 1);
    cr_assert_eq(batch_count(batch), 0);
    end(0);
}

Test(batch, in_a_backlog_results_wait_longer_but_a_full_batch_goes_at_once)
{
    backlog = true;
    begin(4, 1);
    add(1, 3);
    for (struct mono until = mono_add(mono_now(), 20); !mono_reached(until, mono_now());)
        turn_once(&loop);
    cr_assert_eq(store.records.count, 0);
    add(4, 4);
    cr_assert_eq(store.records.count, 1);
    fake_answer_record(&store, 0);
    backlog = false;
    add(5, 5);
    wait_for_call();
    fake_answer_record(&store, 0);
    end(0);
}

Test(batch, a_full_batch_goes_at_once_and_two_calls_are_the_most)
{
    begin(4, 3600000);
    add(1, 14);
    cr_assert_eq(store.records.count, 2);
    cr_assert_eq(store.records.calls[0]->count, 4);
    fake_answer_record(&store, 0);
    cr_assert_eq(store.records.count, 2);
    fake_answer_record(&store, 0);
    fake_answer_record(&store, 0);
    cr_assert_eq(store.records.count, 0, "two are left and wait for company");
    cr_assert_eq(batch_count(batch), 2);
    end(2);
}

Test(batch, a_row_missing_in_the_answer_was_busy_and_is_repeated)
{
    begin(3, 100);
    add(1, 3);
    fake_answer_record(&store, 1);
    cr_assert_eq(recorded[1], 0);
    cr_assert_eq(recorded[2] + recorded[3], 2);
    wait_for_call();
    cr_assert_eq(store.records.calls[0]->count, 1);
    cr_assert_eq(store.records.calls[0]->refs[0].message_id, 1);
    fake_answer_record(&store, 0);
    cr_assert_eq(recorded[1], 1);
    end(0);
}

Test(batch, what_a_lost_connection_left_open_is_recorded_again)
{
    begin(3, 100);
    add(1, 3);
    store.up = false;
    fake_fail_record(&store, E_GONE);
    cr_assert_eq(batch_count(batch), 3);
    for (int i = 0; i < 5; i++)
        turn_once(&loop);
    cr_assert_eq(store.records.total, 1, "asked while the database was away");
    store.up = true;
    wait_for_call();
    cr_assert_eq(store.records.calls[0]->count, 3);
    fake_answer_record(&store, 0);
    cr_assert_eq(recorded[1] + recorded[2] + recorded[3], 3);
    end(0);
}

/* Answers what is asked; the database refuses message 5 in whatever company. How many innocent ones were refused with it? */
static size_t answer_all_but_five(void)
{
    size_t innocent = 0;
    while (store.records.count > 0) {
        bool bad = false;
        for (size_t i = 0; i < store.records.calls[0]->count; i++)
            bad = bad || store.records.calls[0]->refs[i].message_id == 5;
        innocent += bad ? store.records.calls[0]->count - 1 : 0;
        if (bad)
            fake_fail_record(&store, E_DB);
        else
            fake_answer_record(&store, 0);
    }
    return innocent;
}

Test(batch, one_bad_row_only_delays_itself)
{
    size_t innocent = 0;
    begin(8, 3);
    add(1, 8);
    while (batch_count(batch) > 1) {
        turn_once(&loop);
        innocent += answer_all_but_five();
    }
    cr_assert_gt(innocent, 0);
    wait_for_call(); /* it is asked for again */
    answer_all_but_five();
    for (int id = 9; id < 64; id++) {
        add(id, id);
        turn_once(&loop);
        cr_assert_eq(answer_all_but_five(), 0, "it is known: nobody else is refused for it");
    }
    while (batch_count(batch) > 1) {
        turn_once(&loop);
        cr_assert_eq(answer_all_but_five(), 0);
    }
    for (int id = 1; id < 64; id++)
        cr_assert_eq(recorded[id], id == 5 ? 0 : 1, "message %d", id);
    cr_assert_eq(batch_count(batch), 1);
    end(1);
}

Test(batch, what_was_refused_alone_goes_with_others_again_when_the_database_takes_one)
{
    begin(2, 100);
    add(1, 4);
    for (size_t alone = 0; alone < 4;) {
        wait_for_call();
        alone += store.records.calls[0]->count == 1;
        fake_fail_record(&store, E_DB);
    }
    uv_sleep(1100); /* so that all may be asked for again */
    wait_for_call();
    cr_assert_eq(store.records.count, 2);
    cr_assert_eq(store.records.calls[0]->count + store.records.calls[1]->count, 2, "each alone");
    fake_answer_record(&store, 0);
    cr_assert_eq(store.records.calls[1]->count, 2);
    fake_answer_record(&store, 0);
    fake_answer_record(&store, 0);
    end(0);
}

Test(batch, rows_that_were_never_asked_change_nothing)
{
    begin(2, 100);
    add(1, 2);
    struct fake_call *c = fake_take(&store.records);
    struct recorded_row strange[2] = { { .ref = { 9, 1 } }, { .ref = { 1, 2 } } };
    c->on_record(c->arg, OK, NULL, strange, 2);
    free(c);
    cr_assert_eq(recorded[1], 0);
    cr_assert_eq(recorded[2], 1);
    cr_assert_eq(batch_count(batch), 1);
    end(1);
}
