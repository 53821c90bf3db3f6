#include "followupd/store/store_pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/log.h"
#include "pg_internal.h"

#define CUT_AFTER_MS 2000 /* beyond statement_timeout */

static const char *const role_names[PG_ROLES] = { "followupd control", "followupd claims", "followupd results",
                                                  "followupd load",    "followupd bulk",   "followupd inbox",
                                                  "followupd apply",   "followupd pages" };

/* --- the session ------------------------------------------------------------------------------------------------ */

static int64_t statement_timeout_ms(const struct store_pg *s, enum pg_role role)
{
    return role == PG_BULK ? s->config.bulk_timeout_ms : s->config.statement_timeout_ms;
}

/* plan_cache_mode and the planner's switches are set by the functions that need them (sql/functions), not here. */
static void session_sql(const struct store_pg *s, enum pg_role role, char *ret, size_t bytes)
{
    long long timeout_ms = role == PG_LOAD ? 0 : statement_timeout_ms(s, role);
    snprintf(ret, bytes,
             "SELECT pg_catalog.set_config('role', rolname, false) FROM pg_catalog.pg_roles "
             "WHERE rolname = 'followup_engine' AND pg_catalog.pg_has_role(session_user, oid, 'MEMBER');"
             "SET statement_timeout = %lld; SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = 0;"
             "SET timezone = 'UTC'; SET default_transaction_isolation = 'read committed';"
             "SET default_transaction_read_only = off; SET client_min_messages = error; SET jit = off",
             timeout_ms);
}

/* --- the group of them ------------------------------------------------------------------------------------------ */

static void group_open(struct store_pg *s);
static void group_fall(struct store_pg *s, enum status st, const struct err *e);

static void on_retry(uv_timer_t *timer)
{
    struct store_pg *s = container_of(timer, struct store_pg, retry);
    group_open(s);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct store_pg *s = container_of((uv_timer_t *)handle, struct store_pg, retry);
    void (*on_closed)(void *) = s->on_closed;
    void *arg = s->on_closed_arg;
    free(s);
    if (on_closed != NULL)
        on_closed(arg);
}

static uint32_t chance(void)
{
    uint32_t v;
    if (uv_random(NULL, NULL, &v, sizeof v, 0, NULL) != 0)
        v = (uint32_t)uv_hrtime();
    return v;
}

/* All connections are closed and all callbacks have run. */
static void group_closed(struct store_pg *s)
{
    s->up_count = 0;
    if (s->phase == PG_CLOSING) {
        uv_close((uv_handle_t *)&s->retry, on_timer_closed);
        return;
    }
    bool was_up = s->was_up;
    s->was_up = false;
    if (s->refused) {
        s->phase = PG_REFUSED;
        s->events.on_refused(s->events.arg, s->why_st, &s->why);
        return;
    }
    s->failures += !was_up;
    int64_t wait_ms = backoff_next_ms(&s->backoff, chance());
    s->phase = PG_WAITING;
    uv_update_time(s->loop);
    uv_timer_start(&s->retry, on_retry, (uint64_t)wait_ms, 0);
    if (was_up)
        s->events.on_down(s->events.arg, &s->why);
    else
        log_warn("database_not_reached", kv("error", s->why.text), kv("retry_in_ms", wait_ms));
}

static void on_conn_closed(void *arg)
{
    struct pg_slot *slot = arg;
    struct store_pg *s = slot->store;
    slot->conn = NULL;
    if (--s->open_count == 0)
        group_closed(s);
}

static void close_all(struct store_pg *s, enum status st)
{
    for (int i = 0; i < PG_ROLES; i++) {
        if (s->slots[i].conn != NULL)
            db_conn_close(s->slots[i].conn, st, on_conn_closed, &s->slots[i]);
    }
}

static void group_fall(struct store_pg *s, enum status st, const struct err *e)
{
    if (s->phase != PG_OPENING && s->phase != PG_UP)
        return; /* another of them was first */
    s->phase = PG_FALLING;
    s->why_st = st;
    s->why = *e;
    close_all(s, E_GONE);
}

static void group_refuse(struct store_pg *s, enum status st, const struct err *e)
{
    s->refused = true;
    group_fall(s, st, e);
}

/* --- up when the schema is right -------------------------------------------------------------------------------- */

static const struct db_statement version_statement = {
    "schema_version", "SELECT max(version), pg_catalog.pg_backend_pid() FROM followup.migration"
};

static void on_version(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct store_pg *s = container_of(q, struct store_pg, version_query);
    struct err why;
    if (st == OK)
        st = db_result_check(res, "ii", &why);
    else
        why = *e;
    if (st == E_DB) {
        /* No table, no schema, no right to read it: waiting does not help. */
        char words[ERR_BYTES_MAX];
        snprintf(words, sizeof words, "%s", why.text);
        err_set(&why, E_SCHEMA,
                "the database has no schema followup that we may read (run followupctl migrate, grant "
                "followup_engine): %s",
                words);
        group_refuse(s, E_SCHEMA, &why);
        return;
    }
    if (st != OK) {
        group_fall(s, st, &why);
        return;
    }
    int version = PQntuples(res) == 1 ? db_i32(res, 0, 0) : 0;
    if (version != s->config.schema_version) {
        err_set(&why, E_SCHEMA, "the database has schema version %d, this program needs %d", version,
                s->config.schema_version);
        group_refuse(s, E_SCHEMA, &why);
        return;
    }
    /* What stands between hands its connections to others: LISTEN, settings and prepared statements would be theirs. */
    if (db_i32(res, 0, 1) != db_conn_backend_pid(s->slots[PG_CONTROL].conn)) {
        err_set(&why, E_INVALID,
                "something between us and PostgreSQL shares its connections (a pooler): name the server itself in "
                "conninfo");
        group_refuse(s, E_INVALID, &why);
        return;
    }
    s->phase = PG_UP;
    s->was_up = true;
    s->failures = 0;
    backoff_reset(&s->backoff);
    s->events.on_up(s->events.arg);
}

static void on_conn_up(void *arg)
{
    struct pg_slot *slot = arg;
    struct store_pg *s = slot->store;
    if (s->phase != PG_OPENING)
        return;
    if (++s->up_count < PG_ROLES)
        return;
    enum status st = db_query_start(s->slots[PG_CONTROL].conn, &s->version_query, &version_statement, NULL, on_version);
    if (st != OK) {
        struct err e;
        err_set(&e, st, "asking for the schema's version: %s", status_text(st));
        group_fall(s, st, &e);
    }
}

static void on_conn_down(void *arg, enum status st, const struct err *e)
{
    struct pg_slot *slot = arg;
    group_fall(slot->store, st, e);
}

static void on_conn_notify(void *arg, const char *channel, const char *payload)
{
    (void)channel;
    struct pg_slot *slot = arg;
    if (slot->store->phase == PG_UP)
        slot->store->events.on_notify(slot->store->events.arg, payload);
}

static enum status slot_open(struct store_pg *s, enum pg_role role, struct err *e)
{
    char sql[1024];
    session_sql(s, role, sql, sizeof sql);
    struct db_conn_config config = {
        .conninfo = s->config.conninfo,
        .first_host = s->failures,
        .name = role_names[role],
        .session_sql = sql,
        .channel = role == PG_CONTROL && s->config.listen ? "followup" : NULL,
        .for_copy = role == PG_LOAD,
        .connect_timeout_ms = s->config.connect_timeout_ms,
        .query_timeout_ms = role == PG_LOAD ? s->config.load_silence_ms : statement_timeout_ms(s, role) + CUT_AFTER_MS,
        .tcp_user_timeout_ms = s->config.statement_timeout_ms + CUT_AFTER_MS,
    };
    struct db_conn_events events = { &s->slots[role], on_conn_up, on_conn_down, on_conn_notify };
    enum status st = db_conn_open(s->loop, &config, &events, &s->slots[role].conn, e);
    if (st == OK)
        s->open_count++;
    return st;
}

static void group_open(struct store_pg *s)
{
    s->phase = PG_OPENING;
    s->up_count = 0;
    for (int i = 0; i < PG_ROLES; i++) {
        struct err e;
        enum status st = slot_open(s, i, &e);
        if (st == OK)
            continue;
        group_fall(s, st, &e);
        if (s->open_count == 0)
            group_closed(s);
        return;
    }
}

/* --- the store's own life --------------------------------------------------------------------------------------- */

static bool pg_is_up(const struct store *base)
{
    return container_of(base, struct store_pg, base)->phase == PG_UP;
}

static void pg_close(struct store *base, void (*on_closed)(void *arg), void *arg)
{
    struct store_pg *s = pg_of(base);
    enum pg_phase before = s->phase;
    s->phase = PG_CLOSING;
    s->on_closed = on_closed;
    s->on_closed_arg = arg;
    uv_timer_stop(&s->retry);
    if (s->open_count == 0)
        group_closed(s);
    else if (before != PG_FALLING)
        close_all(s, E_CANCELLED);
}

static const struct store_ops pg_ops = {
    .claim = pg_claim,
    .claim_in_doubt = pg_claim_in_doubt,
    .unclaim = pg_unclaim,
    .record = pg_record,
    .lease_acquire = pg_lease_acquire,
    .lease_renew = pg_lease_renew,
    .lease_release = pg_lease_release,
    .beat = pg_beat,
    .report = pg_report,
    .clock = pg_clock,
    .load = pg_load,
    .sweep_due = pg_sweep_due,
    .claim_mark = pg_claim_mark,
    .sweep_sending = pg_sweep_sending,
    .settle_by_policy = pg_settle_by_policy,
    .claim_look_ups = pg_claim_look_ups,
    .settle_looked_up = pg_settle_looked_up,
    .claim_list_pull = pg_claim_list_pull,
    .apply_list_page = pg_apply_list_page,
    .end_list_pull = pg_end_list_pull,
    .bulk_step = pg_bulk_step,
    .receive_webhooks = pg_receive_webhooks,
    .receive_confirmation = pg_receive_confirmation,
    .apply_inbox = pg_apply_inbox,
    .unsubscribe = pg_unsubscribe,
    .is_up = pg_is_up,
    .close = pg_close,
};

enum status store_pg_open(uv_loop_t *loop, const struct store_pg_config *config, const struct store_events *events,
                          struct store **ret, struct err *e)
{
    struct store_pg *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    s->base.ops = &pg_ops;
    s->loop = loop;
    s->config = *config;
    s->events = *events;
    if (s->config.connect_timeout_ms == 0)
        s->config.connect_timeout_ms = 5000;
    if (s->config.statement_timeout_ms == 0)
        s->config.statement_timeout_ms = 5000;
    if (s->config.load_silence_ms == 0)
        s->config.load_silence_ms = 60000;
    if (s->config.bulk_timeout_ms == 0)
        s->config.bulk_timeout_ms = 600000;
    s->backoff.first_ms = config->reconnect_min_ms > 0 ? config->reconnect_min_ms : 50;
    s->backoff.last_ms = config->reconnect_max_ms > 0 ? config->reconnect_max_ms : 5000;
    for (int i = 0; i < PG_ROLES; i++)
        s->slots[i].store = s;
    s->phase = PG_WAITING;
    uv_timer_init(loop, &s->retry);
    uv_timer_start(&s->retry, on_retry, 0, 0);
    *ret = &s->base;
    return OK;
}

/* --- what every operation does ---------------------------------------------------------------------------------- */

struct pg_op {
    struct db_query query;
    struct pg_caller caller;
};

enum status pg_start(struct store_pg *s, enum pg_role role, const struct db_statement *statement,
                     struct db_params *params, struct pg_caller caller, db_query_cb cb)
{
    struct pg_op *op = NULL;
    enum status st = E_GONE;
    if (s->phase != PG_UP)
        goto out;
    st = E_NOMEM;
    op = calloc(1, sizeof *op);
    if (op == NULL)
        goto out;
    op->caller = caller;
    op->caller.asked_us = mono_now_us();
    st = db_query_start(s->slots[role].conn, &op->query, statement, params, cb);
    if (st != OK)
        goto out;
    if (caller.busy != NULL)
        *caller.busy = true;
    op = NULL; /* pg_end's */
out:
    free(op);
    db_params_fini(params);
    return st;
}

struct pg_caller pg_end(struct db_query *q)
{
    struct pg_op *op = container_of(q, struct pg_op, query);
    struct pg_caller caller = op->caller;
    if (caller.busy != NULL)
        *caller.busy = false;
    free(op);
    return caller;
}

enum status pg_read_rows(const PGresult *res, const char *types, size_t row_bytes,
                         enum status (*read_row)(const PGresult *res, int row, void *ret, struct err *e),
                         void **ret_rows, size_t *ret_count, struct err *e)
{
    enum status st = db_result_check(res, types, e);
    if (st != OK)
        return st;
    size_t count = (size_t)PQntuples(res);
    char *rows = calloc(count + 1, row_bytes);
    if (rows == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    for (size_t i = 0; i < count && st == OK; i++)
        st = read_row(res, (int)i, rows + i * row_bytes, e);
    if (st != OK) {
        free(rows);
        return st;
    }
    *ret_rows = rows;
    *ret_count = count;
    return OK;
}

void pg_add_leases(struct db_params *p, struct lease_set leases)
{
    db_array(p, DB_INT4, leases.count);
    for (size_t i = 0; i < leases.count; i++)
        db_element_i32(p, leases.leases[i].shard);
    db_array(p, DB_INT8, leases.count);
    for (size_t i = 0; i < leases.count; i++)
        db_element_i64(p, leases.leases[i].epoch);
}

void pg_add_texts(struct db_params *p, const char *const *texts, size_t count)
{
    db_array(p, DB_TEXT, count);
    for (size_t i = 0; i < count; i++)
        db_element_text(p, texts[i]);
}

void pg_add_refs(struct db_params *p, const struct message_ref *refs, size_t count)
{
    db_array(p, DB_INT8, count);
    for (size_t i = 0; i < count; i++)
        db_element_i64(p, refs[i].account_id);
    db_array(p, DB_INT8, count);
    for (size_t i = 0; i < count; i++)
        db_element_i64(p, refs[i].message_id);
}

/* (account_id bigint, message_id bigint, due_at timestamptz) */
static enum status read_due(const PGresult *res, int row, void *ret, struct err *e)
{
    (void)e;
    *(struct due_message *)ret =
        (struct due_message){ { db_i64(res, row, 0), db_i64(res, row, 1) }, db_wall(res, row, 2) };
    return OK;
}

void pg_on_due(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    void *rows = NULL;
    size_t count = 0;
    struct err why;
    if (st == OK) {
        st = pg_read_rows(res, "llt", sizeof(struct due_message), read_due, &rows, &count, &why);
        e = &why;
    }
    caller.cb.due(caller.arg, st, st == OK ? NULL : e, rows, count);
    free(rows);
}

void pg_on_number(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    struct err why;
    if (st == OK) {
        st = db_result_check(res, "l", &why);
        e = &why;
    }
    if (st == OK && PQntuples(res) != 1)
        st = err_set(&why, E_DB, "one number was asked for, %d rows came", PQntuples(res));
    caller.cb.number(caller.arg, st, st == OK ? NULL : e, st == OK ? db_i64(res, 0, 0) : 0);
}

void pg_on_done(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    (void)res;
    struct pg_caller caller = pg_end(q);
    caller.cb.done(caller.arg, st, e);
}
