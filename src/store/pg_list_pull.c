/* claim_list_pull, apply_list_page, end_list_pull. They take leads, so they go beside apply_inbox and keep nobody waiting
 * who sends. */
#include "pg_internal.h"

static const struct db_statement claim_statement = {
    "claim_list_pull",
    "SELECT provider, since, asked_at "
    "FROM followup.claim_list_pull($1::uuid, $2::int4[], $3::int8[], $4::text[], $5::text[], $6::text)"
};

static const struct db_statement apply_statement = {
    "apply_list_page", "SELECT followup.apply_list_page($1::text, $2::timestamptz, $3::jsonb)::int8"
};

static const struct db_statement end_statement = {
    "end_list_pull", "SELECT followup.end_list_pull($1::text, $2::timestamptz, $3::text, $4::bool, $5::int8)"
};

static void on_claim(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    struct list_row row;
    struct err why;
    bool any = false;
    if (st == OK) {
        st = db_result_check(res, "stt", &why);
        e = &why;
    }
    if (st == OK && PQntuples(res) > 0 && db_text(res, 0, 0) != NULL) {
        row = (struct list_row){ db_text(res, 0, 0), db_wall(res, 0, 1), db_wall(res, 0, 2) };
        any = true;
    }
    caller.cb.list(caller.arg, st, st == OK ? NULL : e, any ? &row : NULL);
}

enum status pg_claim_list_pull(struct store *base, const struct list_request *r, store_list_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, r->leases);
    pg_add_texts(&p, r->providers, r->provider_count);
    pg_add_texts(&p, r->types, r->provider_count);
    db_add_text(&p, s->config.default_provider);
    return pg_start(s, PG_APPLY, &claim_statement, &p, (struct pg_caller){ { .list = cb }, arg }, on_claim);
}

enum status pg_apply_list_page(struct store *base, const char *provider, struct wall asked, const char *entries,
                               store_number_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, provider);
    db_add_wall(&p, asked);
    db_add_text(&p, entries);
    return pg_start(s, PG_APPLY, &apply_statement, &p, (struct pg_caller){ { .number = cb }, arg }, pg_on_number);
}

enum status pg_end_list_pull(struct store *base, const struct list_end *end, store_done_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, end->provider);
    db_add_wall(&p, end->asked);
    db_add_text(&p, end->why);
    db_add_bool(&p, end->final);
    db_add_i64(&p, end->wait_ms);
    return pg_start(s, PG_APPLY, &end_statement, &p, (struct pg_caller){ { .done = cb }, arg }, pg_on_done);
}
