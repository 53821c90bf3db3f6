/* copy: COPY ... TO STDOUT (FORMAT binary), streamed. Rows are handed over as they come, at most DB_COPY_ROWS_PER_TURN
 * a loop turn; while we are behind, the socket is not read, so that TCP holds the server back and not our memory. */
#ifndef FOLLOWUPD_DB_COPY_H
#define FOLLOWUPD_DB_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "followupd/base/buf.h"
#include "followupd/base/status.h"
#include "followupd/db/conn.h"

#define DB_COPY_FIELDS_MAX    16
#define DB_COPY_ROW_BYTES_MAX (1024 * 1024)
#define DB_COPY_ROWS_PER_TURN 1000

struct db_copy_field {
    const char *data; /* borrowed until on_row returns; not terminated */
    int32_t length;   /* -1: NULL */
};

/* The format without libpq: bytes in, rows out, wherever the bytes are cut. */
struct db_copy_parser {
    struct buf kept; /* an unfinished row */
    bool past_header, ended;
};
typedef void (*db_copy_row_cb)(void *arg, const struct db_copy_field *fields, int count);
void db_copy_parser_init(struct db_copy_parser *p);
void db_copy_parser_fini(struct db_copy_parser *p);
/* E_INVALID: not this format. E_LIMIT: a row over the limits. */
MUST_USE enum status db_copy_parse(struct db_copy_parser *p, const char *data, size_t bytes, db_copy_row_cb on_row,
                                   void *arg, struct err *e);

/* Embedded; lives until on_done. */
struct db_copy {
    struct db_copy_parser parser;
    db_copy_row_cb on_row;
    void (*on_done)(void *arg, enum status st, const struct err *e); /* once, never inside the call */
    void *arg;
    int phase;
    enum status st;
    struct err err;
};

/* A field of that width; false: it is NULL or has another. */
bool db_copy_i64(const struct db_copy_field *f, int64_t *ret);

/* sql: a whole COPY statement, borrowed. E_BUSY: one is running. E_GONE: not connected. */
MUST_USE enum status db_copy_start(struct db_conn *c, struct db_copy *copy, const char *sql, db_copy_row_cb on_row,
                                   void (*on_done)(void *arg, enum status st, const struct err *e), void *arg);

#endif
