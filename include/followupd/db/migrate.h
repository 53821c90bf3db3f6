/* migrate: brings a database to this program's schema. The SQL of sql/ is in the program (cmake/EmbedSql.cmake).
 *
 * Order    migrations that the database does not have, each in a transaction of its own, recorded in
 *          followup.migration; then all functions, views, triggers and seed in one transaction, again at every run.
 * Safety   one migrate at a time (advisory lock); stopping it anywhere leaves whole migrations; running it again is
 *          harmless.
 * Refuses  E_SCHEMA: the database is newer than the program, or has a migration that the program has not; a worker holds
 *          leases, and there are migrations to run; its clock is replaced (sql/demo/fast_clock.sql): a database whose time
 *          runs fast is thrown away, never upgraded. E_BUSY: a table was in use for 3 s. E_DB: a statement failed; the
 *          text names the file. Needs a superuser: roles are created.
 * Cost     a second or so; blocks. A migration may write all rows of a table. */
#ifndef FOLLOWUPD_DB_MIGRATE_H
#define FOLLOWUPD_DB_MIGRATE_H

#include <stddef.h>

#include "followupd/base/status.h"
#include "followupd/db/once.h"

struct sql_file {
    const char *path; /* below sql/: "migrations/0001_types_and_roles.sql"; NULL ends the table */
    const char *text;
};
extern const struct sql_file sql_files[]; /* sorted by path */

struct migrate_done {
    int version_before, version_after;
    int migrations_run, files_loaded;
};

/* The schema version of this program: the highest number in sql/migrations. */
int migrate_version(void);
/* The number of "migrations/0007_name.sql", or 0 when the path is no migration. */
int migrate_number(const char *path);
/* told: called before each migration with its path; may be NULL. */
MUST_USE enum status migrate_run(struct once *o, void (*told)(const char *path), struct migrate_done *ret,
                                 struct err *e);

#endif
