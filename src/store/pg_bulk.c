/* One chunk of a bulk, on the connection that carries nothing else. */
#include "pg_internal.h"

static const struct db_statement bulk_step_statement = {
    "bulk_step", "SELECT account_id, bulk_id, more FROM followup.bulk_step($1::uuid, $2::int4[], $3::int8[])"
};

static void on_bulk_step(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    struct bulk_progress progress;
    struct err why;
    bool worked = false;
    if (st == OK) {
        st = db_result_check(res, "llb", &why);
        e = &why;
    }
    if (st == OK && PQntuples(res) > 0) {
        worked = true;
        progress = (struct bulk_progress){ db_i64(res, 0, 0), db_i64(res, 0, 1), db_bool(res, 0, 2) };
    }
    caller.cb.bulk(caller.arg, st, st == OK ? NULL : e, worked ? &progress : NULL);
}

enum status pg_bulk_step(struct store *base, struct lease_set leases, store_bulk_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (s->bulk_stepping)
        return E_BUSY;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, leases);
    return pg_start(s, PG_BULK, &bulk_step_statement, &p, (struct pg_caller){ { .bulk = cb }, arg, &s->bulk_stepping },
                    on_bulk_step);
}
