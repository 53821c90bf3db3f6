/* What conn, query and copy know about one another. */
#ifndef FOLLOWUPD_DB_CONN_INTERNAL_H
#define FOLLOWUPD_DB_CONN_INTERNAL_H

#include <libpq-fe.h>
#include <uv.h>

#include "followupd/base/list.h"
#include "followupd/db/conn.h"
#include "followupd/db/copy.h"
#include "followupd/db/query.h"

struct db_conn {
    uv_loop_t *loop;
    struct starting *starting; /* until pg is there; NULL: it is, or nothing came of it */
    PGconn *pg;                /* NULL before, and once broken or closing */
    struct watcher *watcher;   /* of pg's present socket; NULL: none */
    uv_timer_t deadline;
    uv_idle_t soon; /* work left for the next turn: rows of a COPY, or a break found inside a call */
    int handles_open;
    enum db_conn_state state;
    bool for_copy;
    int64_t query_timeout_ms;
    char *session_sql;
    struct db_conn_events events;

    struct list queries; /* sent, in order; the first is the one being answered */
    size_t query_count;
    int empty_results; /* NULLs in a row from PQgetResult: more than a few means that we lost step */
    const struct db_statement *prepared[DB_STATEMENTS_MAX];
    size_t prepared_count;
    struct db_copy *copy; /* the one that runs, or NULL */

    struct err notice;  /* the server's last words: "terminating connection due to administrator command" */
    enum status why_st; /* of the break */
    struct err why;
    enum status close_st;
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

/* conn.c */
void conn_break(struct db_conn *c, enum status st, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same from inside a caller's call: runs the callbacks on the next turn. */
void conn_break_soon(struct db_conn *c, enum status st, const char *why);
void conn_watch(struct db_conn *c);                /* for what state and output need */
void conn_deadline(struct db_conn *c, int64_t ms); /* 0: none */
/* There is input left: come back on the next turn, and do not read more before. */
void conn_again(struct db_conn *c);
/* Words of a failed result, one line, with its SQLSTATE; the status that stands for it. */
enum status conn_result_error(const PGresult *res, struct err *e);

/* listen.c */
char *listen_session_sql(const char *session_sql, const char *channel); /* NULL: out of memory; the caller's to free */
void listen_deliver(struct db_conn *c);

/* query.c */
void query_on_input(struct db_conn *c);
void query_fail_all(struct db_conn *c, enum status first_st, enum status st, const struct err *e);

/* copy.c */
void copy_on_input(struct db_conn *c);
void copy_fail(struct db_conn *c, enum status st, const struct err *e);

#endif
