/* Webhooks gather while a call is under way, each learns of its own verdict, and one that cannot be stored stops no other. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "followupd/base/clock.h"
#include "followupd/inbox/inbox.h"

#define ENTRIES_MAX 3000

static struct {
    struct store base;
    bool up;
    store_inbox_cb cb;
    store_applied_cb applied_cb;
    void *arg, *applied_arg;
    size_t count, calls, applies;
    char first[32];
    size_t bytes;
} db;

static uv_loop_t loop;
static struct inbox *inbox;
static struct inbox_entry entries[ENTRIES_MAX];
static enum status told[ENTRIES_MAX];
static enum webhook_stored verdicts[ENTRIES_MAX];
static size_t told_count;

static enum status receive(struct store *s, const struct stored_webhook *webhooks, size_t count, store_inbox_cb cb,
                           void *arg)
{
    (void)s;
    if (!db.up)
        return E_GONE;
    cr_assert_null(db.cb, "one call at a time");
    db.cb = cb;
    db.arg = arg;
    db.count = count;
    db.calls++;
    db.bytes = 0;
    for (size_t i = 0; i < count; i++)
        db.bytes += strlen(webhooks[i].events);
    snprintf(db.first, sizeof db.first, "%s", webhooks[0].token != NULL ? webhooks[0].token : "");
    return OK;
}

static enum status apply(struct store *s, int count_max, store_applied_cb cb, void *arg)
{
    (void)s;
    cr_assert_eq(count_max, INBOX_APPLY_MAX);
    cr_assert_null(db.applied_cb, "one at a time");
    if (!db.up)
        return E_GONE;
    db.applied_cb = cb;
    db.applied_arg = arg;
    db.applies++;
    return OK;
}

static bool is_up(const struct store *s)
{
    (void)s;
    return db.up;
}

static const struct store_ops ops = { .receive_webhooks = receive, .apply_inbox = apply, .is_up = is_up };

static void on_told(struct inbox_entry *entry, enum status st, enum webhook_stored verdict)
{
    told[entry - entries] = st;
    verdicts[entry - entries] = verdict;
    told_count++;
}

/* The database's answer: every webhook alike. */
static void answer(enum status st, enum webhook_stored verdict)
{
    static enum webhook_stored all[STORE_BATCH_MAX];
    store_inbox_cb cb = db.cb;
    struct err e = { "refused" };
    for (size_t i = 0; i < db.count; i++)
        all[i] = verdict;
    db.cb = NULL;
    cb(db.arg, st, st == OK ? NULL : &e, all, st == OK ? db.count : 0);
}

static void answer_applied(struct inbox_applied applied)
{
    store_applied_cb cb = db.applied_cb;
    db.applied_cb = NULL;
    cb(db.applied_arg, OK, NULL, &applied);
}

static void turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
}

static enum status put(size_t i, const char *events, const char *token)
{
    return inbox_put(inbox, &entries[i],
                     &(struct stored_webhook){ .account_id = 1, .source = "s", .events = events, .token = token },
                     on_told);
}

static void put_many(size_t from, size_t count)
{
    for (size_t i = from; i < from + count; i++)
        cr_assert_eq(put(i, "[]", NULL), OK);
}

static void start(void)
{
    struct err e;
    memset(&db, 0, sizeof db);
    db.base.ops = &ops;
    db.up = true;
    told_count = 0;
    uv_loop_init(&loop);
    cr_assert_eq(inbox_open(&loop, &db.base, 1000, &inbox, &e), OK);
}

static void stop(void)
{
    inbox_close(inbox);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
}

TestSuite(inbox, .init = start, .fini = stop);

Test(inbox, what_comes_in_one_turn_goes_in_one_call_and_what_comes_meanwhile_in_the_next)
{
    put_many(0, 5);
    cr_expect_eq(db.calls, 0, "not inside inbox_put");
    turn();
    cr_expect(db.calls == 1 && db.count == 5);
    put_many(5, 7);
    turn();
    cr_expect_eq(db.calls, 1);
    cr_expect_eq(told_count, 0, "nobody is told before the commit");
    answer(OK, WEBHOOK_STORED);
    cr_expect_eq(told_count, 5);
    cr_expect(db.calls == 2 && db.count == 7);
    answer(OK, WEBHOOK_TOKEN_REUSED);
    cr_expect(told[0] == OK && verdicts[0] == WEBHOOK_STORED);
    cr_expect(told[11] == OK && verdicts[11] == WEBHOOK_TOKEN_REUSED);
}

Test(inbox, a_call_that_is_refused_is_repeated_one_by_one_in_order)
{
    cr_assert_eq(put(0, "[]", "a"), OK);
    cr_assert_eq(put(1, "[]", "b"), OK);
    cr_assert_eq(put(2, "[]", "c"), OK);
    turn();
    cr_assert_eq(put(3, "[]", "d"), OK);
    answer(E_DB, WEBHOOK_REFUSED);
    cr_expect_eq(told_count, 0);
    cr_expect(db.count == 1 && strcmp(db.first, "a") == 0, "%zu %s", db.count, db.first);
    answer(OK, WEBHOOK_STORED);
    cr_expect_str_eq(db.first, "b");
    answer(E_DB, WEBHOOK_REFUSED);
    cr_expect_str_eq(db.first, "c");
    answer(OK, WEBHOOK_STORED);
    cr_expect_str_eq(db.first, "d");
    answer(OK, WEBHOOK_STORED);
    cr_expect(told[0] == OK && told[1] == E_DB && told[2] == OK && told[3] == OK);
}

Test(inbox, without_a_database_everybody_is_told_at_once)
{
    put_many(0, 3);
    turn();
    put_many(3, 3);
    db.up = false;
    answer(E_GONE, WEBHOOK_REFUSED);
    turn();
    cr_expect_eq(told_count, 6);
    cr_expect(told[0] == E_GONE && told[5] == E_GONE);
    cr_expect_eq(put(6, "[]", NULL), E_GONE);
    cr_expect_eq(inbox_stats(inbox)->waiting, 0);
}

Test(inbox, rows_and_bytes_of_a_call_are_bounded)
{
    static char large[1024 * 1024 + 1];
    memset(large, ' ', sizeof large - 1);
    put_many(0, 1500);
    turn();
    cr_expect_eq(db.count, STORE_BATCH_MAX);
    answer(OK, WEBHOOK_STORED);
    cr_expect_eq(db.count, 500);
    for (size_t i = 1500; i < 1510; i++)
        cr_assert_eq(put(i, large, NULL), OK);
    answer(OK, WEBHOOK_STORED);
    cr_expect_eq(db.bytes, INBOX_CALL_BYTES_MAX);
    answer(OK, WEBHOOK_STORED);
    answer(OK, WEBHOOK_STORED);
    cr_expect_eq(db.count, 2);
    answer(OK, WEBHOOK_STORED);
    cr_expect(told_count == 1510 && inbox_stats(inbox)->waiting_bytes == 0);
}

Test(inbox, when_too_many_bytes_wait_the_next_is_refused)
{
    static char large[1024 * 1024 + 1];
    size_t i = 0;
    memset(large, ' ', sizeof large - 1);
    put_many(0, 1);
    turn();
    while (put(++i, large, NULL) == OK)
        cr_assert_lt(i, 100);
    cr_expect_eq(i, INBOX_WAITING_BYTES_MAX / (sizeof large - 1) + 1);
    answer(E_GONE, WEBHOOK_REFUSED);
    while (db.cb != NULL)
        answer(OK, WEBHOOK_STORED);
}

/* More wait then than may be taken. */
Test(inbox, what_a_refused_call_gives_back_makes_no_room_for_others)
{
    static char large[1024 * 1024 + 1];
    size_t i = 0;
    memset(large, ' ', sizeof large - 1);
    for (; i < 3; i++)
        cr_assert_eq(put(i, large, NULL), OK);
    turn();
    while (put(i, large, NULL) == OK)
        i++;
    answer(E_DB, WEBHOOK_REFUSED);
    cr_assert_gt(inbox_stats(inbox)->waiting_bytes, INBOX_WAITING_BYTES_MAX);
    cr_expect_eq(put(i, large, NULL), E_LIMIT);
    cr_expect_eq(put(i, "[]", NULL), E_LIMIT);
    while (db.cb != NULL)
        answer(OK, WEBHOOK_STORED);
    cr_expect_eq(told_count, i);
}

Test(inbox, what_was_stored_is_applied_at_once_and_until_nothing_is_left)
{
    put_many(0, 1);
    turn();
    answer(E_GONE, WEBHOOK_REFUSED);
    cr_expect_eq(db.applies, 0, "nothing was stored");
    put_many(1, 1);
    turn();
    answer(OK, WEBHOOK_STORED);
    cr_expect_eq(db.applies, 1);
    put_many(2, 1);
    turn();
    answer(OK, WEBHOOK_STORED);
    answer_applied((struct inbox_applied){ .applied = 2, .fresh = 3 });
    cr_expect_eq(db.applies, 2, "what came meanwhile");
    answer_applied((struct inbox_applied){ .applied = 1, .more = true });
    cr_expect_eq(db.applies, 3);
    cr_expect(inbox_stats(inbox)->behind);
    answer_applied((struct inbox_applied){ .unmatched = 1 });
    cr_expect_eq(db.applies, 3);
    cr_expect(inbox_stats(inbox)->applied == 3 && inbox_stats(inbox)->unmatched == 1 && inbox_stats(inbox)->fresh == 3);
}
