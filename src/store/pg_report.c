/* What the worker says of itself. On the connection of the results, because control waits for nothing. */
#include "pg_internal.h"

static const struct db_statement report_statement = { "worker_report",
                                                      "SELECT followup.worker_report($1::uuid, $2::jsonb)" };

enum status pg_report(struct store *base, const char *figures, store_number_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    db_add_text(&p, figures);
    return pg_start(s, PG_RESULTS, &report_statement, &p, (struct pg_caller){ { .number = cb }, arg }, pg_on_number);
}
