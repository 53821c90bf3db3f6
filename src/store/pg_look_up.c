/* claim_look_ups, settle_looked_up. */
#include <stdlib.h>

#include "pg_internal.h"

static const struct db_statement claim_statement = {
    "claim_look_ups", "SELECT account_id, message_id, attempts, posts, provider, rfc_message_id, first_post_at "
                      "FROM followup.claim_look_ups($1::uuid, $2::int4[], $3::int8[], $4::text[], $5::int8, $6::text, "
                      "$7::int4)"
};

static const struct db_statement settle_statement = {
    "settle_looked_up", "SELECT account_id, message_id, due_at "
                        "FROM followup.settle_looked_up($1::uuid, $2::int4[], $3::int8[], $4::int8[], $5::int8[], "
                        "$6::int4[], $7::int4[], $8::bool[], $9::int8[], $10::text[])"
};

static enum status read_rows(const PGresult *res, struct look_up_row **ret, size_t *ret_count, struct err *e)
{
    enum status st = db_result_check(res, "lliisst", e);
    if (st != OK)
        return st;
    size_t count = (size_t)PQntuples(res);
    struct look_up_row *rows = calloc(count + 1, sizeof *rows);
    if (rows == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        int n = (int)i;
        rows[i] = (struct look_up_row){ .ref = { db_i64(res, n, 0), db_i64(res, n, 1) },
                                        .attempts = db_i32(res, n, 2),
                                        .posts = db_i32(res, n, 3),
                                        .provider = db_text(res, n, 4),
                                        .rfc_message_id = db_text(res, n, 5),
                                        .first_post_real = db_wall(res, n, 6) };
    }
    *ret = rows;
    *ret_count = count;
    return OK;
}

static void on_claim(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_op *op = container_of(q, struct pg_op, query);
    struct look_up_row *rows = NULL;
    size_t count = 0;
    struct err why;
    if (st == OK) {
        st = read_rows(res, &rows, &count, &why);
        e = &why;
    }
    store_look_up_cb cb = op->cb.look_up;
    void *arg = op->arg;
    pg_op_free(op);
    cb(arg, st, st == OK ? NULL : e, rows, count);
    free(rows);
}

enum status pg_claim_look_ups(struct store *base, const struct look_up_request *r, store_look_up_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (r->count_max > STORE_BATCH_MAX)
        return E_LIMIT;
    struct pg_op *op = pg_op_new(s, arg);
    if (op != NULL)
        op->cb.look_up = cb;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, r->leases);
    db_array(&p, DB_TEXT, r->provider_count);
    for (size_t i = 0; i < r->provider_count; i++)
        db_element_text(&p, r->providers[i]);
    db_add_i64(&p, r->settle_after_ms);
    db_add_text(&p, s->config.default_provider);
    db_add_i32(&p, (int32_t)r->count_max);
    return pg_start(s, PG_CLAIMS, &claim_statement, &p, op, on_claim);
}

enum status pg_settle_looked_up(struct store *base, struct lease_set leases, const struct looked_up *answers,
                                size_t count, store_due_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (count > STORE_BATCH_MAX)
        return E_LIMIT;
    struct pg_op *op = pg_op_new(s, arg);
    if (op != NULL)
        op->cb.due = cb;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, leases);
    db_array(&p, DB_INT8, count);
    for (size_t i = 0; i < count; i++)
        db_element_i64(&p, answers[i].ref.account_id);
    db_array(&p, DB_INT8, count);
    for (size_t i = 0; i < count; i++)
        db_element_i64(&p, answers[i].ref.message_id);
    db_array(&p, DB_INT4, count);
    for (size_t i = 0; i < count; i++)
        db_element_i32(&p, answers[i].attempts);
    db_array(&p, DB_INT4, count);
    for (size_t i = 0; i < count; i++)
        db_element_i32(&p, answers[i].posts);
    db_array(&p, DB_BOOL, count);
    for (size_t i = 0; i < count; i++)
        db_element_bool(&p, answers[i].found);
    db_array(&p, DB_INT8, count);
    for (size_t i = 0; i < count; i++)
        db_element_i64(&p, answers[i].proof_ms);
    db_array(&p, DB_TEXT, count);
    for (size_t i = 0; i < count; i++)
        db_element_text(&p, answers[i].provider_message_id);
    return pg_start(s, PG_RESULTS, &settle_statement, &p, op, pg_on_due);
}
