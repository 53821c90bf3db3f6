/* query: one statement with parameters. Its callback runs exactly once and never inside db_query_start; the result is
 * binary and borrowed until the callback returns.
 *
 * Outcome  OK with the result; E_DB: the server refused, the text has its SQLSTATE and words, nothing was committed;
 *          E_TIMEOUT: statement_timeout, or no answer and the connection was cut; E_GONE: the connection broke. After
 *          E_GONE, and E_TIMEOUT with a cut, nobody knows whether it was committed. E_CANCELLED: as db_conn_close says.
 * Bounds   DB_QUERIES_MAX under way on a connection (then E_BUSY), DB_STATEMENTS_MAX prepared ones. */
#ifndef FOLLOWUPD_DB_QUERY_H
#define FOLLOWUPD_DB_QUERY_H

#include <libpq-fe.h>

#include "followupd/base/list.h"
#include "followupd/base/status.h"
#include "followupd/db/conn.h"
#include "followupd/db/params.h"

#define DB_QUERIES_MAX    64
#define DB_STATEMENTS_MAX 32

/* Prepared on each connection the first time it is used there. Static; known by its address. */
struct db_statement {
    const char *name; /* unique in the program */
    const char *sql;
};

struct db_query;
typedef void (*db_query_cb)(struct db_query *q, enum status st, const struct err *e, const PGresult *res);

/* Embedded in the caller's operation; lives until its callback. The fields are db's. */
struct db_query {
    struct list node;
    db_query_cb cb;
    const struct db_statement *preparing; /* NULL once it is known to be prepared */
    PGresult *res;
    enum status st;
    struct err err;
};

/* params: borrowed until the call returns; NULL: none. Fails without a callback: E_GONE, E_BUSY, E_NOMEM, or what went
 * wrong while the parameters were built. */
MUST_USE enum status db_query_start(struct db_conn *c, struct db_query *q, const struct db_statement *s,
                                    const struct db_params *params, db_query_cb cb);

#endif
