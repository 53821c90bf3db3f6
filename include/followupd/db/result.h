/* result: reads a binary PGresult. db_result_check holds the columns against what the reader expects, once a result;
 * after it the readers cannot meet a wrong width. A NULL reads as 0, false, NULL or the epoch. Texts are borrowed from
 * the result and terminated. */
#ifndef FOLLOWUPD_DB_RESULT_H
#define FOLLOWUPD_DB_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "followupd/base/clock.h"
#include "followupd/base/status.h"

/* columns: one letter each: l bigint, i integer, b boolean, t timestamptz, f double precision, s text. E_DB: another
 * number of columns, or another type; the text names the column. */
MUST_USE enum status db_result_check(const PGresult *res, const char *columns, struct err *e);

int64_t db_i64(const PGresult *res, int row, int column);
int32_t db_i32(const PGresult *res, int row, int column);
double db_f64(const PGresult *res, int row, int column);
bool db_bool(const PGresult *res, int row, int column);
struct wall db_wall(const PGresult *res, int row, int column);
const char *db_text(const PGresult *res, int row, int column);
bool db_null(const PGresult *res, int row, int column);

#endif
