#include "followupd/db/once.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct once {
    PGconn *conn;
    char sqlstate[6];
};
struct once_rows {
    PGresult *result;
};

static enum status open_failed(PGconn *conn, struct err *e)
{
    char text[ERR_BYTES_MAX];
    snprintf(text, sizeof text, "%s", PQerrorMessage(conn));
    text[strcspn(text, "\n")] = '\0';
    return err_set(e, E_GONE, "no connection to the database: %s", text);
}

static enum status session_prepare(struct once *o, struct err *e)
{
    /* Options in conninfo could be the caller's own, so these are set afterwards. */
    return once_script(o,
                       "SET client_encoding = 'UTF8'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres';"
                       "SET default_transaction_isolation = 'read committed'; SET client_min_messages = warning",
                       e);
}

static void notice_drop(void *context, const char *text)
{
    (void)context;
    (void)text;
}

enum status once_open(const char *conninfo, const char *application_name, struct once **ret, struct err *e)
{
    /* The last of a repeated keyword wins, so what stands behind dbname's text is ours, before it only a default. */
    const char *const names[] = { "connect_timeout", "dbname", "application_name", NULL };
    const char *const values[] = { "10", conninfo, application_name, NULL };
    struct once *o = calloc(1, sizeof *o);
    if (o == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    o->conn = PQconnectdbParams(names, values, 1);
    enum status st = PQstatus(o->conn) == CONNECTION_OK ? OK : open_failed(o->conn, e);
    if (st == OK) {
        PQsetNoticeProcessor(o->conn, notice_drop, NULL);
        st = session_prepare(o, e);
    }
    if (st != OK) {
        once_close(o);
        return st;
    }
    *ret = o;
    return OK;
}

void once_close(struct once *o)
{
    if (o == NULL)
        return;
    PQfinish(o->conn);
    free(o);
}

static enum status result_status(struct once *o, const PGresult *result, struct err *e)
{
    ExecStatusType got = PQresultStatus(result);
    if (got == PGRES_TUPLES_OK || got == PGRES_COMMAND_OK || got == PGRES_EMPTY_QUERY)
        return OK;
    if (result == NULL || PQstatus(o->conn) != CONNECTION_OK)
        return open_failed(o->conn, e);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    snprintf(o->sqlstate, sizeof o->sqlstate, "%s", state != NULL ? state : "");
    enum status st = strncmp(o->sqlstate, "22", 2) == 0 ? E_INVALID : strcmp(o->sqlstate, "55P03") == 0 ? E_BUSY : E_DB;
    return err_set(e, st, "%s%s%s%s%s", message != NULL ? message : "the database failed without a message",
                   detail != NULL ? "; " : "", detail != NULL ? detail : "", hint != NULL ? "; " : "",
                   hint != NULL ? hint : "");
}

enum status once_exec(struct once *o, const char *sql, const char *const *values, size_t values_count,
                      struct once_rows **ret, struct err *e)
{
    if (values_count > ONCE_PARAMETERS_MAX)
        return err_set(e, E_LIMIT, "more than %d parameters", ONCE_PARAMETERS_MAX);
    o->sqlstate[0] = '\0';
    PGresult *result = PQexecParams(o->conn, sql, (int)values_count, NULL, values, NULL, NULL, 0);
    enum status st = result_status(o, result, e);
    struct once_rows *rows = NULL;
    if (st == OK && ret != NULL && (rows = calloc(1, sizeof *rows)) == NULL)
        st = err_set(e, E_NOMEM, "out of memory");
    if (rows == NULL) {
        PQclear(result);
        return st;
    }
    rows->result = result;
    *ret = rows;
    return OK;
}

enum status once_script(struct once *o, const char *sql, struct err *e)
{
    o->sqlstate[0] = '\0';
    PGresult *result = PQexec(o->conn, sql);
    enum status st = result_status(o, result, e);
    PQclear(result);
    return st;
}

bool once_in_transaction(const struct once *o)
{
    return PQtransactionStatus(o->conn) == PQTRANS_INTRANS;
}

/* --- rows ------------------------------------------------------------------------------------------------------- */

void once_rows_free(struct once_rows *r)
{
    if (r == NULL)
        return;
    PQclear(r->result);
    free(r);
}

size_t once_rows_count(const struct once_rows *r)
{
    return (size_t)PQntuples(r->result);
}

size_t once_columns_count(const struct once_rows *r)
{
    return (size_t)PQnfields(r->result);
}

const char *once_column_name(const struct once_rows *r, size_t column)
{
    return PQfname(r->result, (int)column);
}

enum once_type once_column_type(const struct once_rows *r, size_t column)
{
    enum {
        BOOL = 16,
        INT8 = 20,
        INT2 = 21,
        INT4 = 23,
        JSON = 114,
        FLOAT4 = 700,
        FLOAT8 = 701,
        INT4S = 1007,
        INT8S = 1016,
        NUMERIC = 1700,
        TIMESTAMPTZ = 1184,
        JSONB = 3802
    }; /* fixed in PostgreSQL's catalog */
    switch (PQftype(r->result, (int)column)) {
    case BOOL:
        return ONCE_BOOLEAN;
    case INT2:
    case INT4:
    case INT8:
    case FLOAT4:
    case FLOAT8:
    case NUMERIC:
        return ONCE_NUMBER;
    case JSON:
    case JSONB:
        return ONCE_JSON;
    case INT4S:
    case INT8S:
        return ONCE_NUMBERS;
    case TIMESTAMPTZ:
        return ONCE_INSTANT;
    default:
        return ONCE_TEXT;
    }
}

const char *once_value(const struct once_rows *r, size_t row, size_t column)
{
    if (PQgetisnull(r->result, (int)row, (int)column))
        return NULL;
    return PQgetvalue(r->result, (int)row, (int)column);
}

int64_t once_i64(const struct once_rows *r, size_t row, size_t column)
{
    const char *text = once_value(r, row, column);
    return text != NULL ? strtoll(text, NULL, 10) : 0;
}

bool once_bool(const struct once_rows *r, size_t row, size_t column)
{
    const char *text = once_value(r, row, column);
    return text != NULL && text[0] == 't';
}
