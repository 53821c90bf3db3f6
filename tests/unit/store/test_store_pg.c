/* store_pg against a real PostgreSQL with the real schema: tests/support/with_schema.py runs these. Without
 * FOLLOWUPD_TEST_CONNINFO they are skipped. Each test is a process of its own and makes its own account. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/db/once.h"
#include "followupd/store/shard.h"
#include "followupd/store/store_pg.h"

#define WORKER    "11111111-2222-4333-8444-555555555555"
#define ROUND_MAX 1000000 /* turns of the loop: a bound, never a time */
#define TTL_MS    600000

struct fixture {
    uv_loop_t loop;
    struct store *store;
    struct once *once;
    int up, down, refused, closed;
    enum status refused_st, st;
    struct err why;
    char notified[8000];
    int notifies;
    int answers; /* callbacks that ran */
    struct shard_lease leases[STORE_SHARDS];
    size_t lease_count;
    struct claim_row claim;
    char subject[200], email[200], recipient[100], payload[200];
    size_t rows;
    struct due_message due[10];
    struct recorded_row recorded;
    double rate;
    int64_t mark;
};
static struct fixture f;

static void on_up(void *arg)
{
    ((struct fixture *)arg)->up++;
}
static void on_down(void *arg, const struct err *e)
{
    struct fixture *x = arg;
    x->down++;
    x->why = *e;
}
static void on_refused(void *arg, enum status st, const struct err *e)
{
    struct fixture *x = arg;
    x->refused++;
    x->refused_st = st;
    x->why = *e;
}
static void on_notify(void *arg, const char *payload)
{
    struct fixture *x = arg;
    x->notifies++;
    snprintf(x->notified, sizeof x->notified, "%s", payload);
}

static const char *conninfo(void)
{
    const char *text = getenv("FOLLOWUPD_TEST_CONNINFO");
    if (text == NULL)
        cr_skip("FOLLOWUPD_TEST_CONNINFO is not set: no PostgreSQL to speak to (tests/support/with_schema.py)");
    return text;
}

static void sql(const char *text)
{
    struct err e;
    cr_assert_eq(once_script(f.once, text, &e), OK, "%s: %s", text, e.text);
}

static int64_t number(const char *text)
{
    struct err e;
    struct once_rows *rows;
    cr_assert_eq(once_exec(f.once, text, NULL, 0, &rows, &e), OK, "%s: %s", text, e.text);
    int64_t v = once_i64(rows, 0, 0);
    once_rows_free(rows);
    return v;
}

static void run_until(const int *counter, int value)
{
    for (int i = 0; i < ROUND_MAX && *counter < value; i++)
        uv_run(&f.loop, UV_RUN_ONCE);
    cr_assert_geq(*counter, value, "the loop had nothing more to say");
}

static void open_store(int version, int64_t statement_timeout_ms)
{
    struct err e;
    uv_loop_init(&f.loop);
    cr_assert_eq(once_open(conninfo(), "test", &f.once, &e), OK, "%s", e.text);
    struct store_pg_config config = { .conninfo = conninfo(),
                                      .worker = WORKER,
                                      .host = "test",
                                      .default_provider = "generic",
                                      .schema_version = version,
                                      .listen = true,
                                      .statement_timeout_ms = statement_timeout_ms };
    struct store_events events = { &f, on_up, on_down, on_refused, on_notify };
    cr_assert_eq(store_pg_open(&f.loop, &config, &events, &f.store, &e), OK, "%s", e.text);
}

static void on_closed(void *arg)
{
    ((struct fixture *)arg)->closed++;
}

static void close_store(void)
{
    f.store->ops->close(f.store, on_closed, &f);
    run_until(&f.closed, 1);
    once_close(f.once);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&f.loop), 0, "a handle was left open");
}

static int schema_version(void)
{
    struct err e;
    cr_assert_eq(once_open(conninfo(), "test", &f.once, &e), OK, "%s", e.text);
    int version = (int)number("SELECT max(version) FROM followup.migration");
    once_close(f.once);
    return version;
}

static void start(void)
{
    open_store(schema_version(), 0);
    run_until(&f.up, 1);
}

/* --- callbacks that keep what they were told -------------------------------------------------------------------- */

static void note(enum status st, const struct err *e)
{
    f.answers++;
    f.st = st;
    if (st != OK)
        f.why = *e;
}
static void on_leases(void *arg, enum status st, const struct err *e, const struct shard_lease *leases, size_t count)
{
    (void)arg;
    note(st, e);
    f.lease_count = count;
    if (count > 0)
        memcpy(f.leases, leases, count * sizeof *leases);
}
static void on_due(void *arg, enum status st, const struct err *e, const struct due_message *rows, size_t count)
{
    (void)arg;
    note(st, e);
    f.rows = count;
    if (count > 0)
        memcpy(f.due, rows, (count < 10 ? count : 10) * sizeof *rows);
}
static void on_look_ups(void *arg, enum status st, const struct err *e, const struct look_up_row *rows, size_t count)
{
    (void)arg;
    note(st, e);
    f.rows = count;
    if (count > 0) {
        f.due[0].ref = rows[0].ref;
        f.claim.attempts = rows[0].attempts;
    }
}
static void on_load_rows(void *arg, enum status st, const struct err *e, const struct due_message *rows, size_t count)
{
    (void)arg;
    (void)st;
    (void)e;
    if (f.rows < 10)
        memcpy(f.due, rows, (count < 10 ? count : 10) * sizeof *rows);
    f.rows += count;
}
static void on_done(void *arg, enum status st, const struct err *e)
{
    (void)arg;
    note(st, e);
}
static void on_claim(void *arg, enum status st, const struct err *e, const struct claim_row *rows, size_t count)
{
    (void)arg;
    note(st, e);
    f.rows = count;
    if (count == 0)
        return;
    f.claim = rows[0];
    snprintf(f.subject, sizeof f.subject, "%s", rows[0].subject ? rows[0].subject : "");
    snprintf(f.email, sizeof f.email, "%s", rows[0].tags[4] ? rows[0].tags[4] : "");
    snprintf(f.recipient, sizeof f.recipient, "%s", rows[0].recipient ? rows[0].recipient : "");
    snprintf(f.payload, sizeof f.payload, "%s", rows[0].payload ? rows[0].payload : "");
}
static void on_record(void *arg, enum status st, const struct err *e, const struct recorded_row *rows, size_t count)
{
    (void)arg;
    note(st, e);
    f.rows = count;
    if (count > 0)
        f.recorded = rows[0];
}
static void on_mark(void *arg, enum status st, const struct err *e, int64_t mark)
{
    (void)arg;
    note(st, e);
    f.mark = mark;
}
static void on_clock(void *arg, enum status st, const struct err *e, struct wall business, double rate,
                     int64_t asked_us, int64_t answered_us)
{
    (void)arg;
    note(st, e);
    f.due[0].due = business;
    f.rate = rate;
    cr_assert_leq(asked_us, answered_us);
}

#define ASK(call)                                                                                                      \
    do {                                                                                                               \
        int before_ = f.answers;                                                                                       \
        cr_assert_eq((call), OK);                                                                                      \
        cr_assert_eq(f.answers, before_, "a callback ran inside the call");                                            \
        run_until(&f.answers, before_ + 1);                                                                            \
        cr_assert_eq(f.st, OK, "%s", f.why.text);                                                                      \
    } while (0)

static struct lease_set all_leases(void)
{
    sql("UPDATE followup.lease SET owner = NULL, expires_at = '-infinity'");
    ASK(f.store->ops->lease_acquire(f.store, NULL, TTL_MS, on_leases, NULL));
    cr_assert_eq(f.lease_count, STORE_SHARDS);
    return (struct lease_set){ f.leases, f.lease_count };
}

/* An account with an alert, which needs no lead; due to the microsecond. Answers the account. */
static int64_t account_with_alert(const char *due)
{
    int64_t account = number("INSERT INTO followup.account (name) VALUES ('test ' || clock_timestamp()) RETURNING id");
    char text[400];
    snprintf(text, sizeof text,
             "INSERT INTO followup.message (account_id, recipient, kind, due_at, payload) "
             "VALUES (%lld, 'a@b.test', 'alert', '%s', '{\"say\": \"it''s {\\\"due\\\"}\"}')",
             (long long)account, due);
    sql(text);
    return account;
}

/* --- the tests -------------------------------------------------------------------------------------------------- */

Test(store_pg, another_schema_version_is_refused_and_both_are_named)
{
    int version = schema_version();
    open_store(version + 7, 0);
    run_until(&f.refused, 1);
    char found[20], needed[20];
    snprintf(found, sizeof found, "version %d", version);
    snprintf(needed, sizeof needed, "needs %d", version + 7);
    cr_assert_eq(f.refused_st, E_SCHEMA);
    cr_assert(strstr(f.why.text, found) != NULL && strstr(f.why.text, needed) != NULL, "%s", f.why.text);
    cr_assert_eq(f.up, 0);
    close_store();
}

Test(store_pg, an_operation_before_up_is_not_started)
{
    open_store(1, 0);
    cr_assert_eq(f.store->ops->clock(f.store, on_clock, NULL), E_GONE);
    close_store();
    cr_assert_eq(f.answers, 0);
}

Test(store_pg, a_due_time_is_the_same_to_the_microsecond_on_every_way)
{
    start();
    struct lease_set leases = all_leases();
    int64_t account = account_with_alert("2031-05-06 07:08:09.123457Z");
    int64_t due_us = number("SELECT (extract(epoch FROM timestamptz '2031-05-06 07:08:09.123457Z') * 1000000)::bigint");
    int shard = shard_of(account);
    struct load_request load = { .shards = &shard, .shard_count = 1, .account_id = account, .until = { due_us } };
    f.rows = 0;
    ASK(f.store->ops->load(f.store, &load, on_load_rows, on_done, NULL));
    cr_assert_eq(f.rows, 0, "until is not part of the interval");
    load.until.us++;
    ASK(f.store->ops->load(f.store, &load, on_load_rows, on_done, NULL));
    cr_assert_eq(f.rows, 1);
    cr_assert_eq(f.due[0].due.us, due_us);
    cr_assert_eq(f.due[0].ref.account_id, account);
    struct message_ref ref = f.due[0].ref;
    struct sweep_request sweep = { .leases = leases, .from = { due_us }, .until = { due_us + 1 }, .count_max = 100 };
    ASK(f.store->ops->sweep_due(f.store, &sweep, on_due, NULL));
    cr_assert_eq(f.rows, 1);
    cr_assert_eq(f.due[0].due.us, due_us);
    sweep.after = f.due[0];
    ASK(f.store->ops->sweep_due(f.store, &sweep, on_due, NULL));
    cr_assert_eq(f.rows, 0, "the page after the last row");
    ASK(f.store->ops->claim(f.store, leases, &ref, 1, on_claim, NULL));
    cr_assert_eq(f.claim.verdict, CLAIM_MOVED);
    cr_assert_eq(f.claim.due.us, due_us);
    close_store();
}

Test(store_pg, a_message_is_claimed_recorded_and_swept)
{
    start();
    struct lease_set leases = all_leases();
    int64_t account = account_with_alert("2020-01-01Z");
    char text[300];
    snprintf(text, sizeof text, "SELECT id FROM followup.message WHERE account_id = %lld", (long long)account);
    struct message_ref ref = { account, number(text) };
    ASK(f.store->ops->claim(f.store, leases, &ref, 1, on_claim, NULL));
    cr_assert_eq(f.rows, 1);
    cr_assert_eq(f.claim.verdict, CLAIM_CLAIMED);
    cr_assert_eq(f.claim.attempts, 1);
    cr_assert_eq(f.claim.posts, 1);
    cr_assert_str_eq(f.recipient, "a@b.test");
    cr_assert_str_eq(f.payload, "{\"say\": \"it's {\\\"due\\\"}\"}");
    struct claim_row claimed = f.claim;
    /* Somebody works on it: not lost, and not either when the list is older than the claim. */
    ASK(f.store->ops->claim_mark(f.store, on_mark, NULL));
    struct sending_request sending = { .in_flight = &ref, .in_flight_count = 1, .mark = f.mark };
    ASK(f.store->ops->sweep_sending(f.store, leases, &sending, on_due, NULL));
    cr_assert_eq(f.rows, 0);
    sending = (struct sending_request){ .mark = f.mark - 1 };
    ASK(f.store->ops->sweep_sending(f.store, leases, &sending, on_due, NULL));
    cr_assert_eq(f.rows, 0);
    struct send_result r = { .ref = ref,
                             .attempts = claimed.attempts,
                             .posts = claimed.posts,
                             .epoch = claimed.epoch,
                             .outcome = OUTCOME_SENT,
                             .http_status = 200,
                             .detail = "it's \"fine\", {NULL}, \\ and \xc3\xa4",
                             .provider_message_id = "p-1",
                             .started_real = { 1700000000000001 },
                             .ended_real = { 1700000000123457 },
                             .subject = "s",
                             .text = "t" };
    ASK(f.store->ops->record(f.store, leases, &r, 1, on_record, NULL));
    cr_assert_eq(f.rows, 1);
    cr_assert(f.recorded.accepted);
    cr_assert(!f.recorded.has_next);
    snprintf(
        text, sizeof text,
        "SELECT count(*) FROM followup.attempt WHERE account_id = %lld AND outcome = 'sent' AND http_status = 200 "
        "AND extract(epoch FROM started_at) = 1700000000.000001 AND extract(epoch FROM ended_at) = 1700000000.123457 "
        "AND detail = E'it''s \"fine\", {NULL}, \\\\ and \\u00e4'",
        (long long)account);
    cr_assert_eq(number(text), 1);
    ASK(f.store->ops->claim(f.store, leases, &ref, 1, on_claim, NULL));
    cr_assert_eq(f.claim.verdict, CLAIM_GONE);
    close_store();
}

Test(store_pg, what_was_claimed_can_be_given_back_unused)
{
    start();
    struct lease_set leases = all_leases();
    int64_t account = account_with_alert("2020-01-01Z");
    char text[200];
    snprintf(text, sizeof text, "SELECT id FROM followup.message WHERE account_id = %lld", (long long)account);
    struct message_ref ref = { account, number(text) };
    ASK(f.store->ops->claim(f.store, leases, &ref, 1, on_claim, NULL));
    struct send_result back = { .ref = ref, .epoch = f.claim.epoch, .attempts = 1, .posts = 1 };
    ASK(f.store->ops->unclaim(f.store, &back, 1, on_due, NULL));
    cr_assert_eq(f.rows, 1);
    cr_assert_eq(f.due[0].ref.message_id, ref.message_id);
    ASK(f.store->ops->claim(f.store, leases, &ref, 1, on_claim, NULL));
    cr_assert_eq(f.claim.attempts, 1, "the key was never used");
    close_store();
}

Test(store_pg, what_is_in_doubt_is_asked_about_and_found)
{
    start();
    struct lease_set leases = all_leases();
    int64_t account = account_with_alert("2020-01-01Z");
    char text[200];
    snprintf(text, sizeof text, "SELECT id FROM followup.message WHERE account_id = %lld", (long long)account);
    struct message_ref ref = { account, number(text) };
    ASK(f.store->ops->claim(f.store, leases, &ref, 1, on_claim, NULL));
    struct send_result doubt = { .ref = ref,
                                 .epoch = f.claim.epoch,
                                 .attempts = 1,
                                 .posts = 1,
                                 .outcome = OUTCOME_IN_DOUBT,
                                 .started_real = wall_now(),
                                 .ended_real = wall_now() };
    ASK(f.store->ops->record(f.store, leases, &doubt, 1, on_record, NULL));
    const char *providers[] = { "generic" };
    const struct look_up_request asked = { leases, providers, 1, 0, 100 };
    ASK(f.store->ops->claim_look_ups(f.store, &asked, on_look_ups, NULL));
    cr_assert_eq(f.rows, 1);
    cr_assert_eq(f.due[0].ref.message_id, ref.message_id);
    cr_assert_eq(f.claim.attempts, 1);
    const struct looked_up found = {
        .ref = ref, .attempts = 1, .posts = 1, .found = true, .provider_message_id = "u-1"
    };
    ASK(f.store->ops->settle_looked_up(f.store, leases, &found, 1, on_due, NULL));
    snprintf(text, sizeof text,
             "SELECT count(*) FROM followup.message WHERE account_id = %lld AND state = 'sent' AND "
             "provider_message_id = 'u-1'",
             (long long)account);
    cr_assert_eq(number(text), 1);
    close_store();
}

Test(store_pg, the_rest_of_the_operations_answer)
{
    start();
    struct lease_set leases = all_leases();
    ASK(f.store->ops->beat(f.store, false, on_done, NULL));
    cr_assert_eq(number("SELECT count(*) FROM followup.worker WHERE id = '" WORKER "' AND host = 'test'"), 1);
    ASK(f.store->ops->clock(f.store, on_clock, NULL));
    cr_assert_gt(f.rate, 0);
    cr_assert_gt(f.due[0].due.us, INT64_C(1700000000000000));
    ASK(f.store->ops->settle_by_policy(f.store, leases, 86400000, 100, on_due, NULL));
    const char *providers[] = { "generic" };
    int64_t windows[] = { 3600000 };
    const int places[] = { 100 };
    struct in_doubt_request doubt = { leases, providers, windows, places, 1, 0 };
    ASK(f.store->ops->claim_in_doubt(f.store, &doubt, on_claim, NULL));
    struct lease_set two = { f.leases, 2 };
    struct shard_lease kept[2] = { f.leases[0], f.leases[1] };
    kept[1].epoch--;
    two.leases = kept;
    ASK(f.store->ops->lease_renew(f.store, two, TTL_MS, on_leases, NULL));
    cr_assert_eq(f.lease_count, 1, "the one with another epoch is lost");
    ASK(f.store->ops->lease_release(f.store, (struct lease_set){ kept, 1 }, on_done, NULL));
    ASK(f.store->ops->lease_acquire(f.store, NULL, TTL_MS, on_leases, NULL));
    cr_assert_eq(f.lease_count, 1);
    cr_assert_gt(f.leases[0].epoch, kept[0].epoch);
    close_store();
}

Test(store_pg, a_change_typed_in_psql_is_notified)
{
    start();
    int64_t account = account_with_alert("2020-01-01Z");
    run_until(&f.notifies, 1);
    char beginning[60];
    snprintf(beginning, sizeof beginning, "m %lld ", (long long)account);
    cr_assert_eq(strncmp(f.notified, beginning, strlen(beginning)), 0, "%s", f.notified);
    close_store();
}

Test(store_pg, a_broken_connection_is_told_and_comes_back)
{
    start();
    cr_assert_eq(f.store->ops->clock(f.store, on_clock, NULL), OK);
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'followupd claims'");
    run_until(&f.answers, 1);
    run_until(&f.down, 1);
    cr_assert(!f.store->ops->is_up(f.store));
    cr_assert_eq(f.store->ops->clock(f.store, on_clock, NULL), E_GONE);
    run_until(&f.up, 2);
    ASK(f.store->ops->clock(f.store, on_clock, NULL));
    close_store();
}

Test(store_pg, what_is_under_way_when_the_store_closes_is_cancelled)
{
    start();
    cr_assert_eq(f.store->ops->clock(f.store, on_clock, NULL), OK);
    cr_assert_eq(f.store->ops->beat(f.store, false, on_done, NULL), OK);
    close_store();
    cr_assert_eq(f.answers, 2);
    cr_assert_eq(f.st, E_CANCELLED);
}

Test(store_pg, a_statement_that_waits_too_long_ends_and_the_connection_stays)
{
    open_store(schema_version(), 300);
    run_until(&f.up, 1);
    sql("BEGIN; LOCK TABLE followup.worker IN ACCESS EXCLUSIVE MODE");
    cr_assert_eq(f.store->ops->beat(f.store, false, on_done, NULL), OK);
    run_until(&f.answers, 1);
    cr_assert_eq(f.st, E_TIMEOUT, "%s", f.why.text);
    sql("ROLLBACK");
    ASK(f.store->ops->beat(f.store, false, on_done, NULL));
    cr_assert_eq(f.down, 0);
    close_store();
}

Test(store_pg, many_operations_travel_in_one_pipeline)
{
    start();
    int started = 0;
    while (started < 40)
        started += f.store->ops->clock(f.store, on_clock, NULL) == OK ? 1 : 1000;
    cr_assert_eq(started, 40);
    run_until(&f.answers, 40);
    cr_assert_eq(f.st, OK);
    close_store();
}

Test(store_pg, a_load_streams_more_rows_than_a_batch)
{
    start();
    all_leases();
    int64_t account = number("INSERT INTO followup.account (name) VALUES ('load') RETURNING id");
    char text[300];
    snprintf(text, sizeof text,
             "INSERT INTO followup.message (account_id, recipient, kind, due_at, payload) "
             "SELECT %lld, 'a@b.test', 'alert', '2031-01-01Z', '{}' FROM generate_series(1, 25000)",
             (long long)account);
    sql(text);
    int shard = shard_of(account);
    struct load_request load = { .shards = &shard, .shard_count = 1, .account_id = account, .until = { INT64_MAX } };
    f.rows = 0;
    int before = f.answers;
    cr_assert_eq(f.store->ops->load(f.store, &load, on_load_rows, on_done, NULL), OK);
    cr_assert_eq(f.store->ops->load(f.store, &load, on_load_rows, on_done, NULL), E_BUSY);
    run_until(&f.answers, before + 1);
    cr_assert_eq(f.st, OK, "%s", f.why.text);
    cr_assert_eq(f.rows, 25000);
    close_store();
}

Test(store_pg, shards_are_those_of_the_database)
{
    open_store(1, 0);
    struct err e;
    struct once_rows *rows;
    cr_assert_eq(once_exec(f.once,
                           "SELECT n, followup.shard_of(n) FROM (SELECT generate_series(-500, 500)::bigint AS n UNION "
                           "ALL SELECT (2::numeric ^ k)::bigint - 7 FROM generate_series(20, 62) AS k UNION ALL "
                           "SELECT -(2::numeric ^ k)::bigint FROM generate_series(20, 62) AS k) AS s",
                           NULL, 0, &rows, &e),
                 OK, "%s", e.text);
    for (size_t i = 0; i < once_rows_count(rows); i++)
        cr_assert_eq(shard_of(once_i64(rows, i, 0)), once_i64(rows, i, 1), "account %lld",
                     (long long)once_i64(rows, i, 0));
    once_rows_free(rows);
    close_store();
}
