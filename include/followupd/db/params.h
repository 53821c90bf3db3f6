/* params: the parameters of one statement in PostgreSQL's binary format, in one buffer. Nothing is quoted, so nothing
 * can be quoted wrongly. Arrays are opened with the number of their elements and filled element by element, so that a
 * caller writes a column of its structs without copying it out first:
 *
 *     db_array(&p, DB_INT8, count);
 *     for (size_t i = 0; i < count; i++)
 *         db_element_i64(&p, refs[i].account_id);
 *
 * Errors  the first one sticks in `st` and makes every later call a no-op; db_query_start returns it.
 * Limits  DB_PARAMS_MAX parameters, DB_PARAMS_BYTES_MAX bytes. */
#ifndef FOLLOWUPD_DB_PARAMS_H
#define FOLLOWUPD_DB_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/buf.h"
#include "followupd/base/clock.h"
#include "followupd/base/status.h"

#define DB_PARAMS_MAX       24
#define DB_PARAMS_BYTES_MAX (256 * 1024 * 1024)

/* Type numbers of PostgreSQL's catalogue (pg_type.dat): they never change. */
enum db_type { DB_BOOL = 16, DB_INT8 = 20, DB_INT4 = 23, DB_TEXT = 25, DB_FLOAT8 = 701, DB_TIMESTAMPTZ = 1184 };

/* PostgreSQL counts from 2000-01-01 UTC. */
#define DB_EPOCH_US INT64_C(946684800000000)

struct db_params {
    struct buf bytes;
    struct {
        size_t offset;
        int length; /* -1: NULL */
        int format; /* 0 text, 1 binary */
    } at[DB_PARAMS_MAX];
    int count;
    size_t elements_left; /* of the array that is open */
    enum status st;
};

void db_params_init(struct db_params *p);
void db_params_fini(struct db_params *p);

/* Text format, for types whose input function is wanted (uuid); NULL is SQL's NULL. */
void db_add_text(struct db_params *p, const char *text);
void db_add_null(struct db_params *p);
void db_add_i64(struct db_params *p, int64_t v);
void db_add_i32(struct db_params *p, int32_t v);
void db_add_bool(struct db_params *p, bool v);
void db_add_wall(struct db_params *p, struct wall t); /* INT64_MIN and INT64_MAX are the infinities */

void db_array(struct db_params *p, enum db_type element, size_t count);
void db_element_i64(struct db_params *p, int64_t v);
void db_element_i32(struct db_params *p, int32_t v);
void db_element_bool(struct db_params *p, bool v);
void db_element_wall(struct db_params *p, struct wall t);
void db_element_text(struct db_params *p, const char *text); /* NULL is SQL's NULL */
void db_element_null(struct db_params *p);

/* Microseconds since 1970 <-> PostgreSQL's, to the microsecond; past either end it becomes an infinity. */
int64_t db_time_from_wall(struct wall t);
struct wall db_time_to_wall(int64_t pg_us);

#endif
