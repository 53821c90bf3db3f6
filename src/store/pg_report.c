/* What the worker says of itself. On the connection of the results, because control waits for nothing. */
#include "pg_internal.h"

static const struct db_statement report_statement = { "worker_report",
                                                      "SELECT followup.worker_report($1::uuid, $2::jsonb)" };

static void on_reported(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    struct err why;
    if (st == OK) {
        st = db_result_check(res, "l", &why);
        e = &why;
    }
    if (st == OK && PQntuples(res) != 1)
        st = err_set(&why, E_DB, "worker_report answered %d rows", PQntuples(res));
    caller.cb.report(caller.arg, st, st == OK ? NULL : e, st == OK ? db_i64(res, 0, 0) : 0);
}

enum status pg_report(struct store *base, const char *figures, store_report_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    db_add_text(&p, figures);
    return pg_start(s, PG_RESULTS, &report_statement, &p, (struct pg_caller){ { .report = cb }, arg }, on_reported);
}
