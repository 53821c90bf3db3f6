#include <criterion/criterion.h>
#include <stdlib.h>

#include "followupd/sched/agenda.h"

#define T0   INT64_C(1800000000000) /* ms */
#define S(s) ((struct wall){ (T0 + (s)*1000) * 1000 })

static struct agenda *agenda;

static void setup_with(size_t ready_max, size_t replay_max)
{
    struct agenda_config config = { ready_max, replay_max };
    agenda_free(agenda);
    agenda = agenda_new(&config, S(0));
}
static void setup(void)
{
    setup_with(8, 100);
}
static void teardown(void)
{
    agenda_free(agenda);
}
TestSuite(agenda, .init = setup, .fini = teardown);

static struct message_ref m(int64_t id)
{
    return (struct message_ref){ 1, id };
}
static void set(int64_t id, int64_t second)
{
    cr_assert_eq(agenda_set(agenda, m(id), S(second)), OK);
}
static void row(int64_t id, int64_t second)
{
    struct due_message r = { m(id), S(second) };
    cr_assert_eq(agenda_load_row(agenda, &r), OK);
}
static void advance(int64_t second)
{
    for (int i = 0; i < 1000 && agenda_advance(agenda, S(second), 64) && !agenda_full(agenda); i++)
        ;
}
/* The ids that are ready, as one number: 1, 2, 3 -> 123. All are taken. */
static long taken(void)
{
    size_t count;
    long v = 0;
    const struct due_message *ready = agenda_ready(agenda, &count);
    struct due_message copy[100];
    for (size_t i = 0; i < count; i++) {
        copy[i] = ready[i];
        v = v * 10 + ready[i].ref.message_id;
    }
    agenda_take(agenda, copy, count);
    return v;
}

Test(agenda, comes_due_in_order_and_never_before)
{
    set(3, 30);
    set(1, 10);
    set(2, 20);
    advance(9);
    cr_assert_eq(taken(), 0);
    advance(25);
    cr_assert_eq(taken(), 12);
    advance(25);
    cr_assert_eq(taken(), 0, "once");
    advance(30);
    cr_assert_eq(taken(), 3);
    cr_assert_eq(agenda_count(agenda), 0);
}

Test(agenda, a_microsecond_is_rounded_up)
{
    struct wall due = { S(10).us + 1 };
    cr_assert_eq(agenda_set(agenda, m(1), due), OK);
    advance(10);
    cr_assert_eq(taken(), 0);
    agenda_advance(agenda, (struct wall){ S(10).us + 1000 }, 64);
    size_t count;
    const struct due_message *ready = agenda_ready(agenda, &count);
    cr_assert_eq(count, 1);
    cr_assert_eq(ready[0].due.us, S(10).us + 1000);
}

Test(agenda, a_full_ready_queue_stops_the_wheel_and_loses_nothing)
{
    for (int i = 1; i <= 20; i++)
        set(i, i);
    advance(100);
    size_t count;
    agenda_ready(agenda, &count);
    cr_assert_eq(count, 8);
    cr_assert(agenda_full(agenda));
    cr_assert_eq(agenda_count(agenda), 20);
    cr_assert_eq(taken(), 12345678);
    advance(100);
    agenda_ready(agenda, &count);
    cr_assert_eq(count, 8);
}

Test(agenda, what_is_ready_can_still_be_cancelled_and_moved)
{
    set(1, 1);
    set(2, 2);
    set(3, 3);
    advance(5);
    cr_assert(agenda_cancel(agenda, m(2)));
    set(3, 50);
    set(1, 1); /* due already: it keeps its place */
    cr_assert_eq(taken(), 1);
    advance(50);
    cr_assert_eq(taken(), 3);
    cr_assert_not(agenda_cancel(agenda, m(2)));
}

Test(agenda, a_whole_load_forgets_what_the_database_does_not_have)
{
    set(1, 10);
    set(2, 20);
    cr_assert_eq(agenda_load_begin(agenda, true, S(0)), OK);
    row(2, 25);
    cr_assert_eq(agenda_load_finish(agenda), OK);
    advance(20);
    cr_assert_eq(taken(), 0);
    advance(25);
    cr_assert_eq(taken(), 2);
}

Test(agenda, a_change_during_a_load_outlives_the_rows_read_before_it)
{
    for (int whole = 0; whole < 2; whole++) {
        setup();
        set(1, 10);
        set(2, 20);
        cr_assert_eq(agenda_load_begin(agenda, whole, S(0)), OK);
        agenda_cancel(agenda, m(1)); /* stopped */
        set(2, 5);                   /* moved to an earlier time */
        set(3, 7);                   /* new */
        row(1, 10);
        row(2, 20);
        row(4, 8);
        cr_assert_eq(agenda_load_finish(agenda), OK);
        advance(30);
        cr_assert_eq(taken(), 234);
        cr_assert_eq(agenda_count(agenda), 0);
    }
}

Test(agenda, what_was_taken_or_is_ready_during_a_load_does_not_come_twice)
{
    for (int whole = 0; whole < 2; whole++) {
        setup();
        set(1, 1);
        cr_assert_eq(agenda_load_begin(agenda, whole, S(0)), OK);
        advance(1);
        cr_assert_eq(taken(), 1);
        set(2, 2);
        advance(2); /* ready, not taken */
        row(1, 1);
        row(2, 2);
        cr_assert_eq(agenda_load_finish(agenda), OK);
        advance(10);
        cr_assert_eq(taken(), 2);
        cr_assert_eq(agenda_count(agenda), 0);
    }
}

/* A load whose log is replayed an entry at a time, while there are more changes. */
Test(agenda, a_log_replayed_in_slices_ends_as_one_replayed_at_once)
{
    for (int whole = 0; whole < 2; whole++) {
        setup();
        set(1, 5);
        set(2, 6);
        cr_assert_eq(agenda_load_begin(agenda, whole, S(0)), OK);
        set(3, 7);
        set(2, 8);
        agenda_cancel(agenda, m(1));
        row(1, 5);
        row(2, 6);
        row(4, 9);
        cr_assert(agenda_load_replay(agenda, 1));
        agenda_cancel(agenda, m(3)); /* set by the entry just replayed */
        cr_assert(agenda_load_replay(agenda, 1));
        set(1, 4); /* its cancel is still to be replayed */
        set(5, 3);
        while (agenda_load_replay(agenda, 1))
            ;
        cr_assert_eq(agenda_load_finish(agenda), OK);
        advance(20);
        cr_assert_eq(taken(), 5124);
        cr_assert_eq(agenda_count(agenda), 0);
    }
}

Test(agenda, nothing_half_replayed_comes_due)
{
    for (int whole = 0; whole < 2; whole++) {
        setup();
        cr_assert_eq(agenda_load_begin(agenda, whole, S(0)), OK);
        set(1, 5);
        set(2, 50);
        advance(5);
        cr_assert_eq(taken(), 1, "somebody works on it now");
        cr_assert(agenda_load_replay(agenda, 1), "set again, and its end is still to be replayed");
        advance(6);
        cr_assert_eq(taken(), 0);
        cr_assert_eq(agenda_load_finish(agenda), OK);
        advance(60);
        cr_assert_eq(taken(), 2);
    }
}

Test(agenda, an_overflowing_log_fails_the_load_and_keeps_the_old_book)
{
    setup_with(8, 3);
    set(1, 10);
    cr_assert_eq(agenda_load_begin(agenda, true, S(0)), OK);
    for (int i = 2; i < 9; i++)
        set(i, 10 + i);
    cr_assert_eq(agenda_load_finish(agenda), E_LIMIT);
    cr_assert_not(agenda_loading(agenda));
    cr_assert_eq(agenda_count(agenda), 8);
}

Test(agenda, an_account_is_dropped_alone)
{
    set(1, 10);
    set(2, 1);
    cr_assert_eq(agenda_set(agenda, (struct message_ref){ 2, 1 }, S(10)), OK);
    advance(1);
    uint32_t from = 0;
    while (agenda_drop_account(agenda, 1, &from, 1))
        ;
    cr_assert_eq(agenda_count(agenda), 1);
    cr_assert(agenda_known(agenda, (struct message_ref){ 2, 1 }));
}

/* In memory of their very size, so that a look past the last one is seen. */
Test(agenda, rows_of_any_number_are_loaded_with_what_comes_next_in_sight)
{
    for (size_t count = 1; count <= 40; count++) {
        struct due_message *rows = malloc(count * sizeof *rows);
        for (size_t i = 0; i < count; i++)
            rows[i] = (struct due_message){ m((int64_t)i + 1), S(5) };
        cr_assert_eq(agenda_load_begin(agenda, count % 2 == 0, S(0)), OK);
        for (size_t i = 0; i < count; i++) {
            agenda_load_ahead(agenda, rows + i, count - i);
            cr_assert_eq(agenda_load_row(agenda, &rows[i]), OK);
        }
        cr_assert_eq(agenda_load_finish(agenda), OK);
        free(rows);
        cr_assert_eq(agenda_count(agenda), count);
        for (size_t i = 0; i < count; i++)
            cr_assert(agenda_known(agenda, m((int64_t)i + 1)));
    }
}
