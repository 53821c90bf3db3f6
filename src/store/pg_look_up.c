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

static enum status read_row(const PGresult *res, int row, void *ret, struct err *e)
{
    (void)e;
    *(struct look_up_row *)ret = (struct look_up_row){ .ref = { db_i64(res, row, 0), db_i64(res, row, 1) },
                                                       .attempts = db_i32(res, row, 2),
                                                       .posts = db_i32(res, row, 3),
                                                       .provider = db_text(res, row, 4),
                                                       .rfc_message_id = db_text(res, row, 5),
                                                       .first_post_real = db_wall(res, row, 6) };
    return OK;
}

static void on_claim(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    void *rows = NULL;
    size_t count = 0;
    struct err why;
    if (st == OK) {
        st = pg_read_rows(res, "lliisst", sizeof(struct look_up_row), read_row, &rows, &count, &why);
        e = &why;
    }
    caller.cb.look_up(caller.arg, st, st == OK ? NULL : e, rows, count);
    free(rows);
}

enum status pg_claim_look_ups(struct store *base, const struct look_up_request *r, store_look_up_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (r->count_max > STORE_BATCH_MAX)
        return E_LIMIT;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, r->leases);
    pg_add_texts(&p, r->providers, r->provider_count);
    db_add_i64(&p, r->settle_after_ms);
    db_add_text(&p, s->config.default_provider);
    db_add_i32(&p, (int32_t)r->count_max);
    return pg_start(s, PG_CLAIMS, &claim_statement, &p, (struct pg_caller){ { .look_up = cb }, arg }, on_claim);
}

enum status pg_settle_looked_up(struct store *base, struct lease_set leases, const struct looked_up *answers,
                                size_t count, store_due_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (count > STORE_BATCH_MAX)
        return E_LIMIT;
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
    return pg_start(s, PG_RESULTS, &settle_statement, &p, (struct pg_caller){ { .due = cb }, arg }, pg_on_due);
}
