#include "followupd/db/result.h"

#include <endian.h>
#include <string.h>

#include "followupd/db/params.h"

static Oid type_of(char letter)
{
    switch (letter) {
    case 'l':
        return DB_INT8;
    case 'i':
        return DB_INT4;
    case 'b':
        return DB_BOOL;
    case 't':
        return DB_TIMESTAMPTZ;
    case 'f':
        return DB_FLOAT8;
    default:
        return DB_TEXT;
    }
}

enum status db_result_check(const PGresult *res, const char *columns, struct err *e)
{
    int count = (int)strlen(columns);
    if (PQnfields(res) != count)
        return err_set(e, E_DB, "the answer has %d columns, %d were expected", PQnfields(res), count);
    for (int i = 0; i < count; i++) {
        if (PQftype(res, i) != type_of(columns[i]) || PQfformat(res, i) != 1)
            return err_set(e, E_DB, "column %s of the answer has type %u, %u was expected", PQfname(res, i),
                           PQftype(res, i), type_of(columns[i]));
    }
    return OK;
}

int64_t db_i64(const PGresult *res, int row, int column)
{
    uint64_t wire;
    if (PQgetisnull(res, row, column))
        return 0;
    memcpy(&wire, PQgetvalue(res, row, column), sizeof wire);
    return (int64_t)be64toh(wire);
}

int32_t db_i32(const PGresult *res, int row, int column)
{
    uint32_t wire;
    if (PQgetisnull(res, row, column))
        return 0;
    memcpy(&wire, PQgetvalue(res, row, column), sizeof wire);
    return (int32_t)be32toh(wire);
}

double db_f64(const PGresult *res, int row, int column)
{
    int64_t bits = db_i64(res, row, column);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

bool db_bool(const PGresult *res, int row, int column)
{
    return !PQgetisnull(res, row, column) && PQgetvalue(res, row, column)[0] != 0;
}

struct wall db_wall(const PGresult *res, int row, int column)
{
    if (PQgetisnull(res, row, column))
        return (struct wall){ 0 };
    return db_time_to_wall(db_i64(res, row, column));
}

const char *db_text(const PGresult *res, int row, int column)
{
    return PQgetisnull(res, row, column) ? NULL : PQgetvalue(res, row, column);
}

bool db_null(const PGresult *res, int row, int column)
{
    return PQgetisnull(res, row, column);
}
