#include "followupd/db/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"

/* Any number that nobody else locks: the bytes of "followup". */
#define LOCK "7381240350193464688"

/* Whoever wants a lock on a table has everybody else waiting behind it: behind a dump or a long transaction they would wait
 * for as long as that lasts. */
#define BEGIN "BEGIN; SET LOCAL lock_timeout = '3s'"

int migrate_number(const char *path)
{
    static const char folder[] = "migrations/";
    return strncmp(path, folder, strlen(folder)) == 0 ? atoi(path + strlen(folder)) : 0;
}

int migrate_version(void)
{
    int highest = 0;
    for (const struct sql_file *f = sql_files; f->path != NULL; f++)
        if (migrate_number(f->path) > highest)
            highest = migrate_number(f->path);
    return highest;
}

static enum status number_ask(struct once *o, const char *sql, int64_t *ret, struct err *e)
{
    struct once_rows *rows = NULL;
    enum status st = once_exec(o, sql, NULL, 0, &rows, e);
    if (st != OK)
        return st;
    *ret = once_rows_count(rows) > 0 ? once_i64(rows, 0, 0) : 0;
    once_rows_free(rows);
    return OK;
}

/* --- what is there -------------------------------------------------------------------------------------------------- */

/* The migrations that the database has: (version, name), by version. */
static enum status there_ask(struct once *o, struct once_rows **ret, struct err *e)
{
    int64_t table = 0;
    enum status st = number_ask(o, "SELECT (to_regclass('followup.migration') IS NOT NULL)::int", &table, e);
    if (st != OK)
        return st;
    return once_exec(o,
                     table != 0 ? "SELECT version, name FROM followup.migration ORDER BY version"
                                : "SELECT NULL::int, NULL::text WHERE false",
                     NULL, 0, ret, e);
}

static bool is_there(const struct once_rows *there, const struct sql_file *file)
{
    for (size_t i = 0; i < once_rows_count(there); i++) {
        if (once_i64(there, i, 0) == migrate_number(file->path))
            return true;
    }
    return false;
}

/* The number alone does not say that it is the same migration; without .sql psql may have noted it (tests/support/schema.py). */
static bool is_ours(int64_t number, const char *name)
{
    for (const struct sql_file *f = sql_files; f->path != NULL; f++) {
        const char *file = strrchr(f->path, '/') + 1;
        size_t stem = strlen(file) - strlen(".sql");
        if (number == migrate_number(f->path) && strncmp(name, file, stem) == 0)
            return name[stem] == '\0' || strcmp(name + stem, ".sql") == 0;
    }
    return false;
}

static enum status refuse_strangers(const struct once_rows *there, struct err *e)
{
    for (size_t i = once_rows_count(there); i-- > 0;) {
        int64_t number = once_i64(there, i, 0);
        const char *name = once_value(there, i, 1);
        if (number > migrate_version())
            return err_set(e, E_SCHEMA,
                           "the database has schema version %lld, this program knows %d: use a newer program",
                           (long long)number, migrate_version());
        if (!is_ours(number, name))
            return err_set(e, E_SCHEMA,
                           "the database has a migration %lld that is not this program's (%s): it was made by a state "
                           "of the sources that was never released, and cannot be brought up to date",
                           (long long)number, name);
    }
    return OK;
}

/* A daemon that runs was made for the schema as it is: it would go on with functions that are others then. */
static enum status refuse_while_somebody_works(struct once *o, const struct once_rows *there, struct err *e)
{
    bool missing = false;
    int64_t leases = 0, held = 0;
    for (const struct sql_file *f = sql_files; f->path != NULL; f++)
        missing |= migrate_number(f->path) > 0 && !is_there(there, f);
    if (!missing)
        return OK;
    enum status st = number_ask(o, "SELECT (to_regclass('followup.lease') IS NOT NULL)::int", &leases, e);
    if (st == OK && leases != 0)
        st = number_ask(o,
                        "SELECT count(*) FROM followup.lease WHERE owner IS NOT NULL "
                        "AND expires_at > pg_catalog.clock_timestamp()",
                        &held, e);
    if (st == OK && held != 0)
        st = err_set(e, E_SCHEMA, "a worker holds leases, and there are migrations to run: stop every followupd first");
    return st;
}

static enum status refuse_what_we_must_not_touch(struct once *o, const struct once_rows *there, struct err *e)
{
    int64_t clock = 0, replaced = 0, utf8 = 0;
    enum status st = refuse_strangers(there, e);
    if (st == OK)
        st = number_ask(o, "SELECT (getdatabaseencoding() = 'UTF8')::int", &utf8, e);
    if (st == OK && utf8 == 0)
        st = err_set(
            e, E_SCHEMA,
            "the database's encoding is not UTF8, and names are: createdb --encoding UTF8 --template template0");
    if (st == OK)
        st = number_ask(o, "SELECT (to_regprocedure('followup.clock_is_replaced()') IS NOT NULL)::int", &clock, e);
    if (st == OK && clock != 0)
        st = number_ask(o, "SELECT followup.clock_is_replaced()::int", &replaced, e);
    if (st == OK && replaced != 0)
        st = err_set(e, E_SCHEMA,
                     "the clock of this database is replaced (sql/demo/fast_clock.sql): it is for a demo or a test, "
                     "and is thrown away instead of migrated");
    return st == OK ? refuse_while_somebody_works(o, there, e) : st;
}

/* --- what is run -------------------------------------------------------------------------------------------------- */

/* Rolls back what a failure left open; the first error is the one that is told. */
static enum status failed(struct once *o, enum status st, const char *path, struct err *e)
{
    struct err ignored;
    if (st != E_GONE && once_script(o, "ROLLBACK; RESET ROLE", &ignored) != OK)
        return err_prefix(e, st, "sql/%s (and no rollback)", path);
    if (st == E_BUSY)
        return err_set(e, st, "sql/%s: a table is in use by a long transaction or a dump; run it again later", path);
    return err_prefix(e, st, "sql/%s", path);
}

static enum status migration_run(struct once *o, const struct sql_file *file, struct err *e)
{
    char number[16];
    const char *values[] = { number, strrchr(file->path, '/') + 1 };
    snprintf(number, sizeof number, "%d", migrate_number(file->path));
    enum status st = once_script(o, BEGIN, e);
    if (st == OK)
        st = once_script(o, file->text, e);
    if (st == OK)
        st = once_script(o, "RESET ROLE", e);
    if (st == OK)
        st = once_exec(o, "INSERT INTO followup.migration (version, name) VALUES ($1, $2)", values, COUNT_OF(values),
                       NULL, e);
    if (st == OK)
        st = once_script(o, "COMMIT", e);
    return st == OK ? OK : failed(o, st, file->path, e);
}

static enum status folder_load(struct once *o, const char *folder, const char **at, int *loaded, struct err *e)
{
    for (const struct sql_file *f = sql_files; f->path != NULL; f++) {
        if (strncmp(f->path, folder, strlen(folder)) != 0)
            continue;
        *at = f->path;
        enum status st = once_script(o, f->text, e);
        if (st != OK)
            return st;
        ++*loaded;
    }
    return OK;
}

/* Functions call one another and read views, so no body is checked before all are there. That their owner may give them
 * this setting is the server's to know, not the database's: a dump does not bring it along. */
static enum status rest_load(struct once *o, int *loaded, struct err *e)
{
    static const char *const folders[] = { "functions/", "views/", "triggers/" };
    const char *at = "functions";
    enum status st = once_script(o,
                                 BEGIN "; GRANT SET ON PARAMETER followup.quiet TO followup_owner;"
                                       "SET LOCAL check_function_bodies = off; SET ROLE followup_owner",
                                 e);
    for (size_t i = 0; i < COUNT_OF(folders) && st == OK; i++)
        st = folder_load(o, folders[i], &at, loaded, e);
    if (st == OK)
        st = once_script(o, "RESET ROLE", e);
    if (st == OK)
        st = folder_load(o, "seed/", &at, loaded, e);
    if (st == OK)
        st = once_script(o, "COMMIT", e);
    return st == OK ? OK : failed(o, st, at, e);
}

static enum status locked_run(struct once *o, void (*told)(const char *path), struct migrate_done *done, struct err *e)
{
    struct once_rows *there = NULL;
    enum status st = there_ask(o, &there, e);
    if (st != OK)
        return st;
    if (once_rows_count(there) > 0)
        done->version_before = (int)once_i64(there, once_rows_count(there) - 1, 0);
    done->version_after = done->version_before;
    st = refuse_what_we_must_not_touch(o, there, e);
    for (const struct sql_file *f = sql_files; f->path != NULL && st == OK; f++) {
        if (migrate_number(f->path) == 0 || is_there(there, f))
            continue;
        if (told != NULL)
            told(f->path);
        st = migration_run(o, f, e);
        if (st == OK && migrate_number(f->path) > done->version_after)
            done->version_after = migrate_number(f->path);
        done->migrations_run += st == OK;
    }
    once_rows_free(there);
    return st == OK ? rest_load(o, &done->files_loaded, e) : st;
}

enum status migrate_run(struct once *o, void (*told)(const char *path), struct migrate_done *ret, struct err *e)
{
    struct migrate_done done = { 0 };
    struct err ignored;
    enum status st = once_exec(o, "SELECT pg_catalog.pg_advisory_lock(" LOCK ")", NULL, 0, NULL, e);
    if (st != OK)
        return st;
    st = locked_run(o, told, &done, e);
    if (st == OK)
        *ret = done;
    if (once_exec(o, "SELECT pg_catalog.pg_advisory_unlock(" LOCK ")", NULL, 0, NULL, &ignored) != OK && st == OK)
        st = err_set(e, E_GONE, "%s", ignored.text);
    return st;
}
