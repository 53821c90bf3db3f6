#include "followupd/db/params.h"

#include <assert.h>
#include <endian.h>
#include <limits.h>
#include <string.h>

void db_params_init(struct db_params *p)
{
    *p = (struct db_params){ 0 };
    buf_init(&p->bytes, DB_PARAMS_BYTES_MAX);
}

void db_params_fini(struct db_params *p)
{
    buf_fini(&p->bytes);
}

int64_t db_time_from_wall(struct wall t)
{
    int64_t us;
    if (t.us == INT64_MAX || t.us == INT64_MIN)
        return t.us;
    return __builtin_sub_overflow(t.us, DB_EPOCH_US, &us) ? INT64_MIN : us;
}

struct wall db_time_to_wall(int64_t pg_us)
{
    int64_t us;
    if (pg_us == INT64_MAX || pg_us == INT64_MIN)
        return (struct wall){ pg_us };
    return (struct wall){ __builtin_add_overflow(pg_us, DB_EPOCH_US, &us) ? INT64_MAX : us };
}

static void put(struct db_params *p, const void *data, size_t bytes)
{
    if (p->st == OK)
        p->st = buf_add(&p->bytes, data, bytes);
}

static void put_i32(struct db_params *p, int32_t v)
{
    uint32_t wire = htobe32((uint32_t)v);
    put(p, &wire, sizeof wire);
}

static void put_i64(struct db_params *p, int64_t v)
{
    uint64_t wire = htobe64((uint64_t)v);
    put(p, &wire, sizeof wire);
}

/* A new parameter whose bytes start here; its length is set as they are added. */
static void begin(struct db_params *p, int format)
{
    assert(p->elements_left == 0);
    if (p->count == DB_PARAMS_MAX)
        p->st = p->st == OK ? E_LIMIT : p->st;
    if (p->st != OK)
        return;
    p->at[p->count].offset = p->bytes.used;
    p->at[p->count].length = 0;
    p->at[p->count].format = format;
    p->count++;
}

static void end(struct db_params *p)
{
    if (p->st == OK)
        p->at[p->count - 1].length = (int)(p->bytes.used - p->at[p->count - 1].offset);
}

void db_add_null(struct db_params *p)
{
    begin(p, 0);
    if (p->st == OK)
        p->at[p->count - 1].length = -1;
}

void db_add_text(struct db_params *p, const char *text)
{
    if (text == NULL) {
        db_add_null(p);
        return;
    }
    begin(p, 0);
    put(p, text, strlen(text) + 1); /* libpq wants the NUL of a text parameter */
    end(p);
}

void db_add_i64(struct db_params *p, int64_t v)
{
    begin(p, 1);
    put_i64(p, v);
    end(p);
}

void db_add_i32(struct db_params *p, int32_t v)
{
    begin(p, 1);
    put_i32(p, v);
    end(p);
}

void db_add_bool(struct db_params *p, bool v)
{
    begin(p, 1);
    put(p, &(char){ v }, 1);
    end(p);
}

void db_add_wall(struct db_params *p, struct wall t)
{
    db_add_i64(p, db_time_from_wall(t));
}

void db_array(struct db_params *p, enum db_type element, size_t count)
{
    begin(p, 1);
    if (count > INT_MAX)
        p->st = p->st == OK ? E_LIMIT : p->st;
    put_i32(p, count > 0 ? 1 : 0); /* dimensions */
    put_i32(p, 1);                 /* may hold NULLs */
    put_i32(p, (int32_t)element);
    if (count > 0) {
        put_i32(p, (int32_t)count);
        put_i32(p, 1); /* lower bound */
    }
    end(p);
    p->elements_left = count;
}

static void element(struct db_params *p, int32_t bytes)
{
    assert(p->elements_left > 0);
    p->elements_left--;
    put_i32(p, bytes);
}

void db_element_i64(struct db_params *p, int64_t v)
{
    element(p, 8);
    put_i64(p, v);
    end(p);
}

void db_element_i32(struct db_params *p, int32_t v)
{
    element(p, 4);
    put_i32(p, v);
    end(p);
}

void db_element_bool(struct db_params *p, bool v)
{
    element(p, 1);
    put(p, &(char){ v }, 1);
    end(p);
}

void db_element_wall(struct db_params *p, struct wall t)
{
    db_element_i64(p, db_time_from_wall(t));
}

void db_element_text(struct db_params *p, const char *text)
{
    if (text == NULL) {
        db_element_null(p);
        return;
    }
    size_t bytes = strlen(text);
    if (bytes > DB_PARAMS_BYTES_MAX)
        p->st = p->st == OK ? E_LIMIT : p->st;
    element(p, (int32_t)bytes);
    put(p, text, bytes);
    end(p);
}

void db_element_null(struct db_params *p)
{
    element(p, -1);
    end(p);
}
