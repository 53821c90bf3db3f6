/* once: a connection that waits. For programs that do one thing and end (followupctl, the sandbox's leads, migrate);
 * the daemon never blocks and uses conn.h. libpq stays behind this header.
 *
 * Ownership  once_open gives a connection for once_close; once_exec gives rows for once_rows_free. Texts are borrowed
 *            from the rows or the connection and live as long as they do.
 * Errors     E_GONE: no connection, or it broke. E_INVALID: the database could not read a value (SQLSTATE class 22).
 *            E_BUSY: a lock was not to be had in time (55P03). E_DB: it refused or failed. The text is the server's
 *            message, with DETAIL and HINT when it has them.
 * Time       every call blocks; connecting is given up after 10 s (connect_timeout in conninfo says otherwise), a
 *            statement after what the server's statement_timeout says.
 * Values     parameters and results are text; NULL is a NULL pointer. Sessions speak UTF-8 and ISO dates, and their
 *            transactions are READ COMMITTED, as the functions ask. */
#ifndef FOLLOWUPD_DB_ONCE_H
#define FOLLOWUPD_DB_ONCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"

#define ONCE_PARAMETERS_MAX 32

struct once;
struct once_rows;

enum once_type {
    ONCE_TEXT,
    ONCE_NUMBER,
    ONCE_BOOLEAN,
    ONCE_JSON,
    ONCE_INSTANT,
    ONCE_NUMBERS /* an array of numbers */
};

/* application_name: as pg_stat_activity shows it. */
MUST_USE enum status once_open(const char *conninfo, const char *application_name, struct once **ret, struct err *e);
void once_close(struct once *o);

/* One statement. ret may be NULL when nobody reads the rows. */
MUST_USE enum status once_exec(struct once *o, const char *sql, const char *const *values, size_t values_count,
                               struct once_rows **ret, struct err *e);
/* Several statements in one text, no parameters; the first failure ends it. */
MUST_USE enum status once_script(struct once *o, const char *sql, struct err *e);

/* Whether a transaction is open. When the connection breaks in a statement outside one, or in COMMIT, nobody knows
 * whether it was done. */
bool once_in_transaction(const struct once *o);

void once_rows_free(struct once_rows *r); /* NULL is fine */
size_t once_rows_count(const struct once_rows *r);
size_t once_columns_count(const struct once_rows *r);
const char *once_column_name(const struct once_rows *r, size_t column);
enum once_type once_column_type(const struct once_rows *r, size_t column);
const char *once_value(const struct once_rows *r, size_t row, size_t column); /* NULL: the database's NULL */
int64_t once_i64(const struct once_rows *r, size_t row, size_t column);       /* 0 for NULL */
bool once_bool(const struct once_rows *r, size_t row, size_t column);         /* false for NULL */

#endif
