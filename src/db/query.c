#include "followupd/db/query.h"

#include <stdlib.h>

#include "conn_internal.h"

#define EMPTY_RESULTS_MAX 4

static bool is_prepared(const struct db_conn *c, const struct db_statement *s)
{
    for (size_t i = 0; i < c->prepared_count; i++) {
        if (c->prepared[i] == s)
            return true;
    }
    return false;
}

static void forget_prepared(struct db_conn *c, const struct db_statement *s)
{
    for (size_t i = 0; i < c->prepared_count; i++) {
        if (c->prepared[i] == s)
            c->prepared[i] = c->prepared[--c->prepared_count];
    }
}

static int send_query(struct db_conn *c, const struct db_statement *s, const struct db_params *p)
{
    const char *values[DB_PARAMS_MAX];
    int lengths[DB_PARAMS_MAX], formats[DB_PARAMS_MAX];
    int count = p != NULL ? p->count : 0;
    for (int i = 0; i < count; i++) {
        values[i] = p->at[i].length < 0 ? NULL : p->bytes.data + p->at[i].offset;
        lengths[i] = p->at[i].length;
        formats[i] = p->at[i].format;
    }
    return PQsendQueryPrepared(c->pg, s->name, count, values, lengths, formats, 1) && PQpipelineSync(c->pg);
}

enum status db_query_start(struct db_conn *c, struct db_query *q, const struct db_statement *s,
                           const struct db_params *params, db_query_cb cb)
{
    if (params != NULL && params->st != OK)
        return params->st;
    if (c->state != DB_READY || c->for_copy)
        return E_GONE;
    if (c->query_count == DB_QUERIES_MAX)
        return E_BUSY;
    *q = (struct db_query){ .cb = cb };
    if (!is_prepared(c, s)) {
        if (c->prepared_count == DB_STATEMENTS_MAX)
            return E_LIMIT;
        if (!PQsendPrepare(c->pg, s->name, s->sql, 0, NULL)) {
            conn_break_soon(c, E_GONE, PQerrorMessage(c->pg));
            return E_GONE;
        }
        q->preparing = s;
        c->prepared[c->prepared_count++] = s;
    }
    if (!send_query(c, s, params)) {
        conn_break_soon(c, E_GONE, PQerrorMessage(c->pg));
        return E_GONE;
    }
    list_append(&c->queries, &q->node);
    if (c->query_count++ == 0)
        conn_deadline(c, c->query_timeout_ms);
    conn_watch(c);
    return OK;
}

static void finish(struct db_conn *c, struct db_query *q, enum status st, const struct err *e)
{
    list_remove(&q->node);
    c->query_count--;
    PGresult *res = q->res;
    struct err copy;
    if (st != OK)
        copy = *e;
    q->cb(q, st, st == OK ? NULL : &copy, st == OK ? res : NULL); /* q may be freed now */
    PQclear(res);
}

/* One result of the query that is being answered. */
static void take_result(struct db_conn *c, struct db_query *q, PGresult *res)
{
    switch (PQresultStatus(res)) {
    case PGRES_PIPELINE_SYNC:
        PQclear(res);
        if (q->st != OK && q->preparing != NULL)
            forget_prepared(c, q->preparing);
        finish(c, q, q->st, &q->err);
        if (c->state == DB_READY)
            conn_deadline(c, list_empty(&c->queries) ? 0 : c->query_timeout_ms);
        return;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        if (q->preparing != NULL) {
            q->preparing = NULL; /* this was the answer to the prepare: it stays, whatever the statement does */
            break;
        }
        PQclear(q->res);
        q->res = res;
        return;
    case PGRES_PIPELINE_ABORTED:
        break;
    default:
        if (q->st == OK)
            q->st = conn_result_error(res, &q->err);
    }
    PQclear(res);
}

void query_on_input(struct db_conn *c)
{
    c->empty_results = 0;
    while (c->state == DB_READY && !list_empty(&c->queries) && !PQisBusy(c->pg)) {
        struct db_query *q = container_of(c->queries.next, struct db_query, node);
        PGresult *res = PQgetResult(c->pg);
        if (res != NULL) {
            c->empty_results = 0;
            take_result(c, q, res);
        } else if (++c->empty_results > EMPTY_RESULTS_MAX) {
            conn_break(c, E_GONE, "lost step with the server");
            return;
        }
        if (c->state == DB_READY && PQstatus(c->pg) == CONNECTION_BAD) {
            conn_break(c, E_GONE, "%s", PQerrorMessage(c->pg));
            return;
        }
    }
}

void query_fail_all(struct db_conn *c, enum status first_st, enum status st, const struct err *e)
{
    while (!list_empty(&c->queries)) {
        struct db_query *q = container_of(c->queries.next, struct db_query, node);
        finish(c, q, first_st, e);
        first_st = st;
    }
}
