/* load (COPY) and the sweeps. */
#include <stdlib.h>

#include "followupd/base/buf.h"
#include "followupd/store/shard.h"
#include "pg_internal.h"

#define LOAD_SQL_BYTES_MAX 4096
#define IN_FLIGHT_MAX      100000
#define YEAR_10000_US      INT64_C(253402300800000000)

static const struct db_statement sweep_due_statement = {
    "sweep_due", "SELECT account_id, message_id, due_at FROM followup.sweep_due($1::int4[], $2::timestamptz, "
                 "$3::timestamptz, $4::timestamptz, $5::int8, $6::int8, $7::int4)"
};
static const struct db_statement claim_mark_statement = { "claim_mark", "SELECT followup.claim_mark()" };
static const struct db_statement sweep_sending_statement = {
    "sweep_sending", "SELECT account_id, message_id, due_at FROM followup.sweep_sending($1::uuid, $2::int4[], "
                     "$3::int8[], $4::int8[], $5::int8[], $6::int8, $7::int8, $8::int4)"
};

/* --- load ------------------------------------------------------------------------------------------------------- */

/* COPY takes no parameters; what stands in its text are numbers and an instant that we wrote ourselves. */
static enum status add_instant(struct buf *sql, struct wall t)
{
    char text[WALL_TEXT_BYTES];
    if (t.us == INT64_MAX || t.us >= YEAR_10000_US)
        return buf_text(sql, "'infinity'");
    if (t.us < 0)
        return buf_text(sql, "'1970-01-01Z'");
    wall_text(t, text, sizeof text);
    return buf_format(sql, "'%s'", text);
}

/* All shards need no list: without it the planner may read the table as it lies (1M rows: 0.45 s instead of 1.8 s). An
 * account needs its own alone: without it a small one would be looked for among the messages of all. */
static enum status add_shards(struct buf *sql, const struct load_request *r)
{
    if (r->shard_count == STORE_SHARDS && r->account_id == 0)
        return OK;
    if (r->shard_count == STORE_SHARDS)
        return buf_format(sql, " AND shard = %d", shard_of(r->account_id));
    enum status st = buf_text(sql, r->shard_count > 0 ? " AND shard IN (" : " AND shard IN (-1");
    for (size_t i = 0; i < r->shard_count && st == OK; i++)
        st = buf_format(sql, "%s%d", i == 0 ? "" : ",", r->shards[i]);
    return st == OK ? buf_text(sql, ")") : st;
}

static enum status write_sql(struct buf *sql, const struct load_request *r)
{
    enum status st = buf_text(sql, "COPY (SELECT account_id, id, due_at FROM followup.message_to_load WHERE due_at < ");
    if (st == OK)
        st = add_instant(sql, r->until);
    if (st == OK && r->from.us > 0)
        st = buf_text(sql, " AND due_at >= ");
    if (st == OK && r->from.us > 0)
        st = add_instant(sql, r->from);
    if (st == OK && r->account_id != 0)
        st = buf_format(sql, " AND account_id = %lld", (long long)r->account_id);
    if (st == OK)
        st = add_shards(sql, r);
    if (st == OK)
        st = buf_text(sql, ") TO STDOUT (FORMAT binary)");
    return st;
}

static void hand_over(struct pg_load *l)
{
    size_t count = l->count;
    l->count = 0;
    if (count > 0)
        l->on_rows(l->arg, OK, NULL, l->rows, count);
}

static void on_row(void *arg, const struct db_copy_field *fields, int count)
{
    struct pg_load *l = arg;
    int64_t account_id, message_id, due;
    if (count != 3 || !db_copy_i64(&fields[0], &account_id) || !db_copy_i64(&fields[1], &message_id) ||
        !db_copy_i64(&fields[2], &due)) {
        l->malformed = true;
        return;
    }
    l->rows[l->count++] = (struct due_message){ { account_id, message_id }, db_time_to_wall(due) };
    if (l->count == STORE_BATCH_MAX)
        hand_over(l);
}

static void on_copy_done(void *arg, enum status st, const struct err *e)
{
    struct pg_load *l = arg;
    struct err why;
    if (st == OK && l->malformed) {
        st = err_set(&why, E_DB, "the load's rows are not (bigint, bigint, timestamptz)");
        e = &why;
    }
    if (st == OK)
        hand_over(l);
    l->store->load = NULL;
    l->on_done(l->arg, st, e);
    free(l);
}

enum status pg_load(struct store *base, const struct load_request *r, store_due_cb on_rows, store_done_cb on_done,
                    void *arg)
{
    struct store_pg *s = pg_of(base);
    if (s->phase != PG_UP)
        return E_GONE;
    if (s->load != NULL)
        return E_BUSY;
    struct pg_load *l = malloc(sizeof *l);
    if (l == NULL)
        return E_NOMEM;
    l->store = s;
    l->on_rows = on_rows;
    l->on_done = on_done;
    l->arg = arg;
    l->malformed = false;
    l->count = 0;
    struct buf sql;
    buf_init(&sql, LOAD_SQL_BYTES_MAX);
    enum status st = write_sql(&sql, r);
    if (st == OK)
        st = db_copy_start(s->slots[PG_LOAD].conn, &l->copy, sql.data, on_row, on_copy_done, l);
    buf_fini(&sql);
    if (st != OK) {
        free(l);
        return st;
    }
    s->load = l;
    return OK;
}

/* --- sweeps ----------------------------------------------------------------------------------------------------- */

enum status pg_sweep_due(struct store *base, const struct sweep_request *r, store_due_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (r->count_max > STORE_BATCH_MAX)
        return E_LIMIT;
    if (s->sweeping_due)
        return E_BUSY;
    bool first_page = r->after.ref.account_id == 0 && r->after.ref.message_id == 0;
    struct db_params p;
    db_params_init(&p);
    db_array(&p, DB_INT4, r->leases.count);
    for (size_t i = 0; i < r->leases.count; i++)
        db_element_i32(&p, r->leases.leases[i].shard);
    db_add_wall(&p, r->from);
    db_add_wall(&p, r->until);
    if (first_page) {
        db_add_null(&p);
        db_add_null(&p);
        db_add_null(&p);
    } else {
        db_add_wall(&p, r->after.due);
        db_add_i64(&p, r->after.ref.account_id);
        db_add_i64(&p, r->after.ref.message_id);
    }
    db_add_i32(&p, (int32_t)r->count_max);
    return pg_start(s, PG_RESULTS, &sweep_due_statement, &p, (struct pg_caller){ { .due = cb }, arg, &s->sweeping_due },
                    pg_on_due);
}

enum status pg_claim_mark(struct store *base, store_number_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    return pg_start(s, PG_RESULTS, &claim_mark_statement, &p, (struct pg_caller){ { .number = cb }, arg },
                    pg_on_number);
}

enum status pg_sweep_sending(struct store *base, struct lease_set leases, const struct sending_request *r,
                             store_due_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (r->in_flight_count > IN_FLIGHT_MAX)
        return E_LIMIT;
    if (s->sweeping_sending)
        return E_BUSY;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, leases);
    pg_add_refs(&p, r->in_flight, r->in_flight_count);
    db_add_i64(&p, r->mark);
    db_add_i64(&p, r->grace_ms);
    db_add_i32(&p, STORE_BATCH_MAX);
    return pg_start(s, PG_RESULTS, &sweep_sending_statement, &p,
                    (struct pg_caller){ { .due = cb }, arg, &s->sweeping_sending }, pg_on_due);
}
