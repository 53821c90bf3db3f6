/* record, settle_by_policy. */
#include <stdlib.h>

#include "pg_internal.h"

static const struct db_statement record_statement = {
    "record_results",
    "SELECT account_id, message_id, accepted, next_account_id, next_message_id, next_due_at "
    "FROM followup.record_results($1::uuid, $2::int4[], $3::int8[], $4::int8[], $5::int8[], $6::int4[], $7::int4[], "
    "$8::int8[], $9::text[]::followup.attempt_outcome[], $10::bool[], $11::int4[], $12::int8[], $13::text[], "
    "$14::text[], $15::timestamptz[], $16::timestamptz[], $17::text[], $18::text[], $19::text[], $20::text[])"
};

static const struct db_statement settle_statement = {
    "settle_by_policy", "SELECT account_id, message_id, due_at "
                        "FROM followup.settle_by_policy($1::uuid, $2::int4[], $3::int8[], $4::int8, $5::int4)"
};

/* One array a member; the parameters are columns, our results are rows. */
#define COLUMN(p, type, results, count, add)                                                                           \
    do {                                                                                                               \
        db_array((p), (type), (count));                                                                                \
        for (size_t i = 0; i < (count); i++) {                                                                         \
            const struct send_result *r = &(results)[i];                                                               \
            add;                                                                                                       \
        }                                                                                                              \
    } while (0)

static void add_results(struct db_params *p, const struct send_result *results, size_t count)
{
    COLUMN(p, DB_INT8, results, count, db_element_i64(p, r->ref.account_id));
    COLUMN(p, DB_INT8, results, count, db_element_i64(p, r->ref.message_id));
    COLUMN(p, DB_INT4, results, count, db_element_i32(p, r->attempts));
    COLUMN(p, DB_INT4, results, count, db_element_i32(p, r->posts));
    COLUMN(p, DB_INT8, results, count, db_element_i64(p, r->epoch));
    COLUMN(p, DB_TEXT, results, count, db_element_text(p, outcome_label(r->outcome)));
    COLUMN(p, DB_BOOL, results, count, db_element_bool(p, r->uncounted));
    COLUMN(p, DB_INT4, results, count, r->http_status != 0 ? db_element_i32(p, r->http_status) : db_element_null(p));
    COLUMN(p, DB_INT8, results, count,
           r->retry_after_ms > 0 ? db_element_i64(p, r->retry_after_ms) : db_element_null(p));
    COLUMN(p, DB_TEXT, results, count, db_element_text(p, r->detail));
    COLUMN(p, DB_TEXT, results, count, db_element_text(p, r->provider_message_id));
    COLUMN(p, DB_TIMESTAMPTZ, results, count, db_element_wall(p, r->started_real));
    COLUMN(p, DB_TIMESTAMPTZ, results, count, db_element_wall(p, r->ended_real));
    COLUMN(p, DB_TEXT, results, count, db_element_text(p, r->subject));
    COLUMN(p, DB_TEXT, results, count, db_element_text(p, r->text));
    COLUMN(p, DB_TEXT, results, count, db_element_text(p, r->html));
    COLUMN(p, DB_TEXT, results, count, db_element_text(p, r->rfc_message_id));
}

static enum status read_row(const PGresult *res, int row, void *ret, struct err *e)
{
    (void)e;
    *(struct recorded_row *)ret = (struct recorded_row){
        .ref = { db_i64(res, row, 0), db_i64(res, row, 1) },
        .accepted = db_bool(res, row, 2),
        .has_next = !db_null(res, row, 4),
        .next = { { db_i64(res, row, 3), db_i64(res, row, 4) }, db_wall(res, row, 5) },
    };
    return OK;
}

static void on_record(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    void *rows = NULL;
    size_t count = 0;
    struct err why;
    if (st == OK) {
        st = pg_read_rows(res, "llbllt", sizeof(struct recorded_row), read_row, &rows, &count, &why);
        e = &why;
    }
    caller.cb.record(caller.arg, st, st == OK ? NULL : e, rows, count);
    free(rows);
}

enum status pg_record(struct store *base, struct lease_set leases, const struct send_result *results, size_t count,
                      store_record_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (count > STORE_BATCH_MAX)
        return E_LIMIT;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, leases);
    add_results(&p, results, count);
    return pg_start(s, PG_RESULTS, &record_statement, &p, (struct pg_caller){ { .record = cb }, arg }, on_record);
}

enum status pg_settle_by_policy(struct store *base, struct lease_set leases, int64_t policy_after_ms, size_t count_max,
                                store_due_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (count_max > STORE_BATCH_MAX)
        return E_LIMIT;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, leases);
    db_add_i64(&p, policy_after_ms);
    db_add_i32(&p, (int32_t)count_max);
    return pg_start(s, PG_RESULTS, &settle_statement, &p, (struct pg_caller){ { .due = cb }, arg }, pg_on_due);
}
