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

static enum status read_rows(const PGresult *res, struct recorded_row **ret, size_t *ret_count, struct err *e)
{
    enum status st = db_result_check(res, "llbllt", e);
    if (st != OK)
        return st;
    size_t count = (size_t)PQntuples(res);
    struct recorded_row *rows = calloc(count + 1, sizeof *rows);
    if (rows == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        int n = (int)i;
        rows[i] = (struct recorded_row){ .ref = { db_i64(res, n, 0), db_i64(res, n, 1) },
                                         .accepted = db_bool(res, n, 2),
                                         .has_next = !db_null(res, n, 4),
                                         .next = { { db_i64(res, n, 3), db_i64(res, n, 4) }, db_wall(res, n, 5) } };
    }
    *ret = rows;
    *ret_count = count;
    return OK;
}

static void on_record(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_op *op = container_of(q, struct pg_op, query);
    struct recorded_row *rows = NULL;
    size_t count = 0;
    struct err why;
    if (st == OK) {
        st = read_rows(res, &rows, &count, &why);
        e = &why;
    }
    store_record_cb cb = op->cb.record;
    void *arg = op->arg;
    pg_op_free(op);
    cb(arg, st, st == OK ? NULL : e, rows, count);
    free(rows);
}

enum status pg_record(struct store *base, struct lease_set leases, const struct send_result *results, size_t count,
                      store_record_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (count > STORE_BATCH_MAX)
        return E_LIMIT;
    struct pg_op *op = pg_op_new(s, arg);
    if (op != NULL)
        op->cb.record = cb;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, leases);
    add_results(&p, results, count);
    return pg_start(s, PG_RESULTS, &record_statement, &p, op, on_record);
}

enum status pg_settle_by_policy(struct store *base, struct lease_set leases, int64_t policy_after_ms, size_t count_max,
                                store_due_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (count_max > STORE_BATCH_MAX)
        return E_LIMIT;
    struct pg_op *op = pg_op_new(s, arg);
    if (op != NULL)
        op->cb.due = cb;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, leases);
    db_add_i64(&p, policy_after_ms);
    db_add_i32(&p, (int32_t)count_max);
    return pg_start(s, PG_RESULTS, &settle_statement, &p, op, pg_on_due);
}
