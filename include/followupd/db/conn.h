/* conn: one connection to PostgreSQL on the loop, from its start to its one end. It does not block the loop: a host's name
 * is looked up on a thread of libuv's pool, and a close waits for that. But the second and further names of a conninfo that
 * has several are looked up by libpq on the loop. A connection does not come back: its owner opens another (store_pg, with
 * db/backoff).
 *
 * Calls      db_conn_open that returned OK is answered by on_up, then at most one on_down, or by on_down alone; always
 *            from the loop, never inside the call. on_down is last: what was under way has been called back with
 *            E_GONE (the statement that ran too long: E_TIMEOUT). The connection is dead then but still the caller's:
 *            db_conn_close frees it, and may be called in any callback and in any state.
 * Queries    travel in libpq's pipeline, one Sync each, so each is a transaction of its own (db/query.h); or the
 *            connection is for COPY (db/copy.h) and takes one of those at a time.
 * Deadlines  connect_timeout_ms covers connecting and session_sql; each query has query_timeout_ms from the moment it
 *            is the first in the pipeline, after which the connection is cut: a server that does not answer is gone.
 *            Of a COPY it is the longest silence.
 * Cost       two heap objects, three handles of the loop, a moment of a thread. */
#ifndef FOLLOWUPD_DB_CONN_H
#define FOLLOWUPD_DB_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "followupd/base/status.h"

struct db_conn;

enum db_conn_state { DB_CONNECTING, DB_SESSION, DB_READY, DB_BROKEN, DB_CLOSING };

struct db_conn_config {
    const char *conninfo;    /* borrowed until db_conn_open returns */
    unsigned first_host;     /* of several in conninfo, which to begin with; libpq waits for each without an end */
    const char *name;        /* application_name */
    const char *session_sql; /* run before on_up, one or more statements; NULL: none. Copied */
    const char *channel;     /* LISTEN to it before on_up; NULL: to none. Copied */
    bool for_copy;
    int64_t connect_timeout_ms, query_timeout_ms;
    int64_t tcp_user_timeout_ms; /* unsent or unacknowledged data older than this breaks the connection */
};

struct db_conn_events {
    void *arg;
    void (*on_up)(void *arg);
    void (*on_down)(void *arg, enum status st, const struct err *e);
    void (*on_notify)(void *arg, const char *channel, const char *payload); /* NULL: not wanted */
};

MUST_USE enum status db_conn_open(uv_loop_t *loop, const struct db_conn_config *config,
                                  const struct db_conn_events *events, struct db_conn **ret, struct err *e);
/* What is under way gets st; then on_closed runs, once, last and from the loop; the connection is freed. Once. */
void db_conn_close(struct db_conn *c, enum status st, void (*on_closed)(void *arg), void *arg);
enum db_conn_state db_conn_state(const struct db_conn *c);
/* The process that serves it, as whoever we are connected to told; 0 while it is not up. A pooler tells another number
 * than pg_backend_pid(). */
int db_conn_backend_pid(const struct db_conn *c);

#endif
