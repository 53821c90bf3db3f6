/* Leases, beat and clock: all that the control connection carries. */
#include <stdlib.h>

#include "pg_internal.h"

static const struct db_statement acquire_statement = {
    "acquire_leases", "SELECT shard, epoch, false FROM followup.acquire_leases($1::uuid, $2::uuid, $3::int8)"
};
static const struct db_statement renew_statement = {
    "renew_leases",
    "SELECT shard, epoch, elsewhere FROM followup.renew_leases($1::uuid, $2::int4[], $3::int8[], $4::int8)"
};
static const struct db_statement release_statement = {
    "release_leases", "SELECT followup.release_leases($1::uuid, $2::int4[], $3::int8[])"
};
static const struct db_statement beat_statement = { "worker_beat",
                                                    "SELECT followup.worker_beat($1::uuid, $2::text, $3::bool)" };
static const struct db_statement clock_statement = { "clock", "SELECT business, rate FROM followup.clock()" };

static void on_lease(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    struct shard_lease leases[STORE_SHARDS];
    size_t count = 0;
    struct err why;
    if (st == OK) {
        st = db_result_check(res, "ilb", &why);
        e = &why;
    }
    if (st == OK && PQntuples(res) > STORE_SHARDS)
        st = err_set(&why, E_DB, "the database answered %d leases, there are %d shards", PQntuples(res), STORE_SHARDS);
    if (st == OK) {
        count = (size_t)PQntuples(res);
        for (size_t i = 0; i < count; i++)
            leases[i] = (struct shard_lease){ db_i32(res, (int)i, 0), db_i64(res, (int)i, 1), db_bool(res, (int)i, 2) };
    }
    caller.cb.lease(caller.arg, st, st == OK ? NULL : e, leases, count);
}

enum status pg_lease_acquire(struct store *base, const char *former, int64_t ttl_ms, store_lease_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    db_add_text(&p, former);
    db_add_i64(&p, ttl_ms);
    return pg_start(s, PG_CONTROL, &acquire_statement, &p, (struct pg_caller){ { .lease = cb }, arg }, on_lease);
}

enum status pg_lease_renew(struct store *base, struct lease_set leases, int64_t ttl_ms, store_lease_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, leases);
    db_add_i64(&p, ttl_ms);
    return pg_start(s, PG_CONTROL, &renew_statement, &p, (struct pg_caller){ { .lease = cb }, arg }, on_lease);
}

enum status pg_lease_release(struct store *base, struct lease_set leases, store_done_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, leases);
    return pg_start(s, PG_CONTROL, &release_statement, &p, (struct pg_caller){ { .done = cb }, arg }, pg_on_done);
}

enum status pg_beat(struct store *base, bool draining, store_done_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    db_add_text(&p, s->config.host);
    db_add_bool(&p, draining);
    return pg_start(s, PG_CONTROL, &beat_statement, &p, (struct pg_caller){ { .done = cb }, arg }, pg_on_done);
}

static void on_clock(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    int64_t answered_us = mono_now_us(), asked_us = caller.asked_us;
    struct wall business = { 0 };
    double rate = 0;
    struct err why;
    if (st == OK) {
        st = db_result_check(res, "tf", &why);
        e = &why;
    }
    if (st == OK && PQntuples(res) == 1) {
        business = db_wall(res, 0, 0);
        rate = db_f64(res, 0, 1);
    }
    if (st == OK && !(rate > 0))
        st = err_set(&why, E_DB, "followup.clock() answered no rate above 0");
    caller.cb.clock(caller.arg, st, st == OK ? NULL : e, business, rate, asked_us, answered_us);
}

enum status pg_clock(struct store *base, store_clock_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    return pg_start(s, PG_CONTROL, &clock_statement, &p, (struct pg_caller){ { .clock = cb }, arg }, on_clock);
}
