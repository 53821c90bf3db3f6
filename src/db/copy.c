#include "followupd/db/copy.h"

#include <endian.h>
#include <string.h>

#include "conn_internal.h"

/* --- the format ------------------------------------------------------------------------------------------------- */

static const char signature[11] = "PGCOPY\n\377\r\n";
#define HEADER_BYTES 19 /* signature, flags, length of the extension */

void db_copy_parser_init(struct db_copy_parser *p)
{
    *p = (struct db_copy_parser){ 0 };
    buf_init(&p->kept, DB_COPY_ROW_BYTES_MAX);
}

void db_copy_parser_fini(struct db_copy_parser *p)
{
    buf_fini(&p->kept);
}

static int32_t read_i32(const char *data)
{
    uint32_t wire;
    memcpy(&wire, data, sizeof wire);
    return (int32_t)be32toh(wire);
}

/* Each parse_ answers the bytes it used up, 0 when it needs more, -1 when they are not of this format. */
static ssize_t parse_header(const char *data, size_t bytes)
{
    if (bytes < HEADER_BYTES)
        return memcmp(data, signature, bytes < sizeof signature ? bytes : sizeof signature) == 0 ? 0 : -1;
    if (memcmp(data, signature, sizeof signature) != 0)
        return -1;
    uint32_t extension = (uint32_t)read_i32(data + 15);
    if (extension > DB_COPY_ROW_BYTES_MAX / 2)
        return -1;
    return bytes < HEADER_BYTES + extension ? 0 : (ssize_t)(HEADER_BYTES + extension);
}

static ssize_t parse_row(struct db_copy_parser *p, const char *data, size_t bytes, db_copy_row_cb on_row, void *arg)
{
    struct db_copy_field fields[DB_COPY_FIELDS_MAX];
    if (bytes < 2)
        return 0;
    int count = (int16_t)((uint16_t)(unsigned char)data[0] << 8 | (unsigned char)data[1]);
    if (count == -1) {
        p->ended = true;
        return 2;
    }
    if (count < 0 || count > DB_COPY_FIELDS_MAX)
        return -1;
    size_t at = 2;
    for (int i = 0; i < count; i++) {
        if (bytes - at < 4)
            return 0;
        int32_t length = read_i32(data + at);
        at += 4;
        if (length < -1 || length > DB_COPY_ROW_BYTES_MAX)
            return -1;
        if (length > 0 && bytes - at < (size_t)length)
            return 0;
        fields[i] = (struct db_copy_field){ data + at, length };
        at += length > 0 ? (size_t)length : 0;
    }
    on_row(arg, fields, count);
    return (ssize_t)at;
}

/* As much as is whole; the bytes used up, or -1. */
static ssize_t parse_all(struct db_copy_parser *p, const char *data, size_t bytes, db_copy_row_cb on_row, void *arg)
{
    size_t at = 0;
    while (at < bytes) {
        if (p->ended)
            return -1; /* bytes after the end */
        ssize_t used =
            p->past_header ? parse_row(p, data + at, bytes - at, on_row, arg) : parse_header(data + at, bytes - at);
        if (used < 0)
            return -1;
        if (used == 0)
            break;
        p->past_header = true;
        at += (size_t)used;
    }
    return (ssize_t)at;
}

enum status db_copy_parse(struct db_copy_parser *p, const char *data, size_t bytes, db_copy_row_cb on_row, void *arg,
                          struct err *e)
{
    bool joined = p->kept.used > 0;
    if (joined) {
        enum status st = buf_add(&p->kept, data, bytes);
        if (st != OK)
            return err_set(e, st, "a row of the COPY is over %d bytes", DB_COPY_ROW_BYTES_MAX);
        data = p->kept.data;
        bytes = p->kept.used;
    }
    ssize_t used = parse_all(p, data, bytes, on_row, arg);
    if (used < 0)
        return err_set(e, E_INVALID, "the server's COPY is not in the binary format");
    if (joined) {
        memmove(p->kept.data, data + used, bytes - (size_t)used);
        p->kept.used = bytes - (size_t)used;
    } else if ((size_t)used < bytes) {
        enum status st = buf_add(&p->kept, data + used, bytes - (size_t)used);
        if (st != OK)
            return err_set(e, st, "a row of the COPY is over %d bytes", DB_COPY_ROW_BYTES_MAX);
    }
    return OK;
}

bool db_copy_i64(const struct db_copy_field *f, int64_t *ret)
{
    uint64_t wire;
    if (f->length != (int32_t)sizeof wire)
        return false;
    memcpy(&wire, f->data, sizeof wire);
    *ret = (int64_t)be64toh(wire);
    return true;
}

/* --- the operation ---------------------------------------------------------------------------------------------- */

enum { PHASE_START, PHASE_ROWS, PHASE_END };

enum status db_copy_start(struct db_conn *c, struct db_copy *copy, const char *sql, db_copy_row_cb on_row,
                          void (*on_done)(void *arg, enum status st, const struct err *e), void *arg)
{
    if (c->state != DB_READY || !c->for_copy)
        return E_GONE;
    if (c->copy != NULL)
        return E_BUSY;
    if (!PQsendQuery(c->pg, sql)) {
        conn_break_soon(c, E_GONE, PQerrorMessage(c->pg));
        return E_GONE;
    }
    *copy = (struct db_copy){ .on_row = on_row, .on_done = on_done, .arg = arg, .phase = PHASE_START };
    db_copy_parser_init(&copy->parser);
    c->copy = copy;
    conn_deadline(c, c->query_timeout_ms);
    conn_watch(c);
    return OK;
}

static void finish(struct db_conn *c, enum status st, const struct err *e)
{
    struct db_copy *copy = c->copy;
    struct err words;
    if (st != OK)
        words = *e;
    c->copy = NULL;
    conn_deadline(c, 0);
    db_copy_parser_fini(&copy->parser);
    copy->on_done(copy->arg, st, st == OK ? NULL : &words);
}

void copy_fail(struct db_conn *c, enum status st, const struct err *e)
{
    if (c->copy != NULL)
        finish(c, st, e);
}

static void note_error(struct db_copy *copy, enum status st, const struct err *e)
{
    if (copy->st == OK) {
        copy->st = st;
        copy->err = *e;
    }
}

/* The statement's answer: before the rows, and after them until NULL. */
static void take_results(struct db_conn *c, struct db_copy *copy)
{
    while (c->copy == copy && copy->phase != PHASE_ROWS && !PQisBusy(c->pg)) {
        PGresult *res = PQgetResult(c->pg);
        if (res == NULL) {
            struct err e;
            if (copy->st == OK && !copy->parser.ended)
                note_error(copy, E_DB, (err_set(&e, E_DB, "the COPY ended before its rows did"), &e));
            finish(c, copy->st, &copy->err);
            return;
        }
        ExecStatusType kind = PQresultStatus(res);
        struct err e;
        if (kind == PGRES_COPY_OUT)
            copy->phase = PHASE_ROWS;
        else if (kind != PGRES_COMMAND_OK)
            note_error(copy, conn_result_error(res, &e), &e);
        PQclear(res);
        if (PQstatus(c->pg) == CONNECTION_BAD) {
            conn_break(c, E_GONE, "%s", PQerrorMessage(c->pg));
            return;
        }
    }
}

static void take_rows(struct db_conn *c, struct db_copy *copy)
{
    for (int i = 0; i < DB_COPY_ROWS_PER_TURN && c->copy == copy && c->state == DB_READY; i++) {
        char *data;
        int bytes = PQgetCopyData(c->pg, &data, 1);
        if (bytes == 0)
            return;
        if (bytes < 0) {
            copy->phase = PHASE_END;
            return;
        }
        struct err e;
        enum status st = OK;
        if (copy->st == OK)
            st = db_copy_parse(&copy->parser, data, (size_t)bytes, copy->on_row, copy->arg, &e);
        PQfreemem(data);
        if (st != OK)
            note_error(copy, st, &e);
    }
    if (c->copy != copy || c->state != DB_READY)
        return;
    conn_again(c);
}

void copy_on_input(struct db_conn *c)
{
    struct db_copy *copy = c->copy;
    conn_deadline(c, c->query_timeout_ms);
    if (copy->phase == PHASE_START)
        take_results(c, copy);
    if (c->copy == copy && c->state == DB_READY && copy->phase == PHASE_ROWS)
        take_rows(c, copy);
    if (c->copy == copy && c->state == DB_READY && copy->phase == PHASE_END)
        take_results(c, copy);
}
