#include "followupd/db/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"

/* Any number that nobody else locks: the bytes of "followup". */
#define LOCK "7381240350193464688"

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

static enum status version_ask(struct once *o, int *ret, struct err *e)
{
    int64_t there = 0, version = 0;
    enum status st = number_ask(o, "SELECT (to_regclass('followup.migration') IS NOT NULL)::int", &there, e);
    if (st == OK && there != 0)
        st = number_ask(o, "SELECT max(version) FROM followup.migration", &version, e);
    if (st == OK)
        *ret = (int)version;
    return st;
}

static enum status refuse_what_we_must_not_touch(struct once *o, int version, struct err *e)
{
    int64_t replaced = 0;
    if (version > migrate_version())
        return err_set(e, E_SCHEMA, "the database has schema version %d, this program knows %d: use a newer program",
                       version, migrate_version());
    int64_t there = 0, utf8 = 0;
    enum status st = number_ask(o, "SELECT (getdatabaseencoding() = 'UTF8')::int", &utf8, e);
    if (st == OK && utf8 == 0)
        st = err_set(
            e, E_SCHEMA,
            "the database's encoding is not UTF8, and names are: createdb --encoding UTF8 --template template0");
    if (st != OK)
        return st;
    st = number_ask(o, "SELECT (to_regprocedure('followup.clock_is_replaced()') IS NOT NULL)::int", &there, e);
    if (st == OK && there != 0)
        st = number_ask(o, "SELECT followup.clock_is_replaced()::int", &replaced, e);
    if (st == OK && replaced != 0)
        st = err_set(e, E_SCHEMA,
                     "the clock of this database is replaced (sql/demo/fast_clock.sql): it is for a demo or a test, "
                     "and is thrown away instead of migrated");
    return st;
}

/* Rolls back what a failure left open; the first error is the one that is told. */
static enum status failed(struct once *o, enum status st, const char *path, struct err *e)
{
    struct err ignored;
    if (st != E_GONE && once_script(o, "ROLLBACK; RESET ROLE", &ignored) != OK)
        return err_prefix(e, st, "sql/%s (and no rollback)", path);
    return err_prefix(e, st, "sql/%s", path);
}

static enum status migration_run(struct once *o, const struct sql_file *file, struct err *e)
{
    char number[16];
    const char *values[] = { number, strrchr(file->path, '/') + 1 };
    snprintf(number, sizeof number, "%d", migrate_number(file->path));
    enum status st = once_script(o, "BEGIN", e);
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

/* Functions call one another and read views, so no body is checked before all are there. */
static enum status rest_load(struct once *o, int *loaded, struct err *e)
{
    static const char *const folders[] = { "functions/", "views/", "triggers/" };
    const char *at = "functions";
    enum status st = once_script(o, "BEGIN; SET LOCAL check_function_bodies = off; SET ROLE followup_owner", e);
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
    enum status st = version_ask(o, &done->version_before, e);
    if (st == OK)
        st = refuse_what_we_must_not_touch(o, done->version_before, e);
    done->version_after = done->version_before;
    for (const struct sql_file *f = sql_files; f->path != NULL && st == OK; f++) {
        if (migrate_number(f->path) <= done->version_before)
            continue;
        if (told != NULL)
            told(f->path);
        st = migration_run(o, f, e);
        if (st == OK) {
            done->version_after = migrate_number(f->path);
            done->migrations_run++;
        }
    }
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
