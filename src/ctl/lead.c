/* Leads: in from a CSV file, listed, shown. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "followupd/base/list.h"
#include "followupd/import/csv.h"

#define CHUNK_ROWS_MAX     1000
#define CHUNK_BYTES_MAX    (4u << 20)
#define REFUSED_SHOWN_MAX  50
#define REMARKS_SHOWN_MAX  20
#define REFUSED_COLUMN     "refused_because" /* added to FILE.refused.csv, not read back */
#define PROGRESS_BAR_WIDTH 30

/* One import: a transaction of chunks. */
struct lead_import {
    struct ctl *ctl;
    const char *path;
    struct csv *csv;
    char sequence[24], assistant[24];
    off_t file_bytes;
    FILE *refused; /* FILE.refused.csv, opened with the first refused line */
    char *refused_path;
    struct chunk {
        json_t *rows;
        struct {
            int line;
            char *kept;    /* as it goes into FILE.refused.csv if it must */
            char *refusal; /* the CSV reader's; NULL: the line is in rows */
        } lines[CHUNK_ROWS_MAX];
        size_t count, bytes;
    } chunk;
    size_t lines, imported, updated, skipped, withheld, refused_count, remarks;
    json_t *details; /* of refused lines and remarks */
    bool progress;
};

/* --- refused lines ------------------------------------------------------------------------------------------------ */

static void field_print(FILE *out, const char *text)
{
    bool quoted = text[strcspn(text, ",\"\r\n")] != '\0';
    if (quoted)
        fputc('"', out);
    for (const char *at = text; *at != '\0'; at++)
        fprintf(out, "%s%c", *at == '"' ? "\"" : "", *at);
    if (quoted)
        fputc('"', out);
}

/* A field for each column; further ones where the record has more, so that a person sees them. The reason of a round before,
 * which stands as far from the end as its column, is left out. */
static void fields_print(FILE *out, const struct csv *c)
{
    size_t columns = csv_columns_count(c), fields = csv_fields_count(c), more = fields > columns ? fields - columns : 0;
    int reason = csv_column_find(c, REFUSED_COLUMN);
    for (size_t i = 0; i < columns + more; i++) {
        if (reason >= 0 && i == (size_t)reason + more)
            continue;
        field_print(out, i < fields ? csv_field(c, i) : "");
        fputc(',', out);
    }
}

/* A record that could not be split, as it stands; without the reason at its end when that is still the same. */
static void raw_print(FILE *out, const char *record, const char *why)
{
    char *reason = NULL;
    size_t reason_bytes = 0, bytes = strlen(record);
    FILE *end = open_memstream(&reason, &reason_bytes);
    if (end != NULL) {
        fputc(',', end);
        field_print(end, why);
        fclose(end);
    }
    if (reason != NULL && bytes >= reason_bytes && strcmp(record + bytes - reason_bytes, reason) == 0)
        bytes -= reason_bytes;
    fprintf(out, "%.*s,", (int)bytes, record);
    free(reason);
}

/* The current record up to where its reason goes, owned. NULL: out of memory. */
static char *record_kept(const struct csv *c, const char *why)
{
    char *kept = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&kept, &bytes);
    if (out == NULL)
        return NULL;
    if (csv_fields_count(c) > 0)
        fields_print(out, c);
    else
        raw_print(out, csv_record(c), why);
    if (fclose(out) == 0)
        return kept;
    free(kept);
    return NULL;
}

static enum status refused_open(struct lead_import *im, struct err *e)
{
    im->refused = fopen(im->refused_path, "we");
    if (im->refused == NULL)
        return err_set(e, E_IO, "%s: %s", im->refused_path, strerror(errno));
    for (size_t i = 0; i < csv_columns_count(im->csv); i++) {
        if (strcmp(csv_column(im->csv, i), REFUSED_COLUMN) == 0)
            continue;
        field_print(im->refused, csv_column(im->csv, i));
        fputc(',', im->refused);
    }
    fputs(REFUSED_COLUMN "\n", im->refused);
    return OK;
}

static enum status detail_add(struct lead_import *im, int line, const char *outcome, const char *reason, struct err *e)
{
    json_t *detail = json_pack("{s:i,s:s,s:s}", "line", line, "outcome", outcome, "reason", reason);
    return json_array_append_new(im->details, detail) == 0 ? OK : err_set(e, E_NOMEM, "out of memory");
}

static enum status refuse(struct lead_import *im, int line, const char *kept, const char *reason, struct err *e)
{
    enum status st = im->refused == NULL ? refused_open(im, e) : OK;
    if (st != OK)
        return st;
    im->refused_count++;
    fputs(kept, im->refused);
    field_print(im->refused, reason);
    fputc('\n', im->refused);
    return detail_add(im, line, "refused", reason, e);
}

/* --- rows, chunks ------------------------------------------------------------------------------------------------- */

static bool is_lead_column(const char *name)
{
    static const char *const names[] = { "external_id", "email",   "first_name", "last_name",
                                         "company",     "country", "timezone",   "rep_email" };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static json_t *row_of(const struct lead_import *im)
{
    json_t *row = json_pack("{s:i}", "line", csv_line(im->csv)), *fields = json_object();
    for (size_t i = 0; i < csv_columns_count(im->csv); i++) {
        const char *name = csv_column(im->csv, i), *value = csv_field(im->csv, i);
        if (value[0] == '\0' || strcmp(name, REFUSED_COLUMN) == 0)
            continue;
        json_object_set_new(is_lead_column(name) ? row : fields, name, json_string(value));
    }
    json_object_set_new(row, "fields", fields);
    return row;
}

/* why: what the CSV reader has against the record; NULL: nothing. */
static enum status chunk_add(struct lead_import *im, const char *why, struct err *e)
{
    struct chunk *k = &im->chunk;
    char *kept = record_kept(im->csv, why), *refusal = why != NULL ? strdup(why) : NULL;
    if (kept == NULL || (why != NULL && refusal == NULL) ||
        (why == NULL && json_array_append_new(k->rows, row_of(im)) != 0)) {
        free(kept);
        free(refusal);
        return err_set(e, E_NOMEM, "out of memory");
    }
    k->lines[k->count].line = csv_line(im->csv);
    k->lines[k->count].refusal = refusal;
    k->lines[k->count++].kept = kept;
    k->bytes += strlen(kept);
    return OK;
}

static void chunk_clear(struct chunk *k)
{
    for (size_t i = 0; i < k->count; i++) {
        free(k->lines[i].kept);
        free(k->lines[i].refusal);
    }
    k->count = k->bytes = 0;
    if (k->rows != NULL)
        json_array_clear(k->rows);
}

static enum status outcome_take(struct lead_import *im, const struct once_rows *rows, size_t row, const char *kept,
                                struct err *e)
{
    int line = (int)once_i64(rows, row, 1);
    const char *outcome = once_value(rows, row, 3), *reason = once_value(rows, row, 4);
    size_t *counter = strcmp(outcome, "imported") == 0  ? &im->imported
                      : strcmp(outcome, "updated") == 0 ? &im->updated
                      : strcmp(outcome, "skipped") == 0 ? &im->skipped
                                                        : &im->withheld;
    if (strcmp(outcome, "refused") == 0)
        return refuse(im, line, kept, reason, e);
    ++*counter;
    if (reason == NULL || strcmp(outcome, "withheld") == 0 || strcmp(outcome, "skipped") == 0)
        return OK;
    im->remarks++;
    return detail_add(im, line, outcome, reason, e);
}

static enum status chunk_send(struct lead_import *im, struct err *e)
{
    struct once_rows *rows = NULL;
    size_t asked = json_array_size(im->chunk.rows), row = 0;
    char *text = json_dumps(im->chunk.rows, JSON_COMPACT);
    const struct command_argument arguments[] = {
        { "rows", text },
        { "sequence", im->sequence[0] != '\0' ? im->sequence : NULL },
        { "assistant", im->assistant[0] != '\0' ? im->assistant : NULL },
        { "duplicates", ctl_option(im->ctl, "duplicates") },
        { "strict", ctl_option(im->ctl, "strict") != NULL ? "true" : NULL },
    };
    enum status st = text != NULL ? ctl_command(im->ctl, "lead import", arguments, COUNT_OF(arguments), &rows, e)
                                  : err_set(e, E_NOMEM, "out of memory");
    free(text);
    if (st == OK && once_rows_count(rows) != asked)
        st = err_set(e, E_DB, "the database answered for %zu lines of %zu", once_rows_count(rows), asked);
    for (size_t i = 0; st == OK && i < im->chunk.count; i++) /* both are in the order of the file */
        st = im->chunk.lines[i].refusal != NULL
                 ? refuse(im, im->chunk.lines[i].line, im->chunk.lines[i].kept, im->chunk.lines[i].refusal, e)
                 : outcome_take(im, rows, row++, im->chunk.lines[i].kept, e);
    once_rows_free(rows);
    chunk_clear(&im->chunk);
    return st;
}

static void progress_print(const struct lead_import *im)
{
    if (!im->progress || im->file_bytes == 0)
        return;
    double share = (double)csv_bytes(im->csv) / (double)im->file_bytes;
    int full = (int)(share * PROGRESS_BAR_WIDTH + 0.5);
    fprintf(stderr, "\r  [");
    for (int i = 0; i < PROGRESS_BAR_WIDTH; i++)
        fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "] %3.0f %%  %zu lines, %zu refused", share * 100, im->lines, im->refused_count);
}

static enum status lines_read(struct lead_import *im, struct err *e)
{
    for (;;) {
        struct err why = { "" };
        enum status st = csv_next(im->csv, &why);
        if (st == E_NOT_FOUND)
            break;
        if (st != OK && st != E_INVALID)
            return err_set(e, st, "%s: %s; nothing was imported", im->path, why.text);
        im->lines++;
        const char *colon = strstr(why.text, ": "); /* behind "line 5", which is told beside it */
        st = chunk_add(im, st == OK ? NULL : colon != NULL ? colon + 2 : why.text, e);
        if (st == OK && (im->chunk.count == CHUNK_ROWS_MAX || im->chunk.bytes > CHUNK_BYTES_MAX)) {
            st = chunk_send(im, e);
            progress_print(im);
        }
        if (st != OK)
            return st;
    }
    enum status st = chunk_send(im, e);
    progress_print(im);
    if (im->progress)
        fputc('\n', stderr);
    return st;
}

/* --- the verb ----------------------------------------------------------------------------------------------------- */

static void details_print(const struct lead_import *im, const char *heading, bool refused, size_t shown_max)
{
    size_t index, shown = 0;
    const json_t *detail;
    json_array_foreach (im->details, index, detail) {
        bool is_refusal = strcmp(json_string_value(json_object_get(detail, "outcome")), "refused") == 0;
        if (is_refusal != refused)
            continue;
        if (shown == 0)
            puts(heading);
        if (shown++ < shown_max) {
            printf("  line %-6lld ", (long long)json_integer_value(json_object_get(detail, "line")));
            output_text(json_string_value(json_object_get(detail, "reason")));
            putchar('\n');
        }
    }
    if (shown > shown_max)
        printf("  ... and %zu more\n", shown - shown_max);
}

static void outcome_print(const struct lead_import *im, bool written)
{
    if (im->ctl->json) {
        output_json(json_pack("{s:I,s:I,s:I,s:I,s:I,s:b,s:O,s:s?}", "lines", (json_int_t)im->lines, "imported",
                              (json_int_t)(written ? im->imported : 0), "updated",
                              (json_int_t)(written ? im->updated : 0), "skipped", (json_int_t)im->skipped, "refused",
                              (json_int_t)im->refused_count, "written", written, "details", im->details, "refused_file",
                              im->refused != NULL ? im->refused_path : NULL));
        return;
    }
    details_print(im, "refused:", true, REFUSED_SHOWN_MAX);
    details_print(im, "imported with a remark:", false, REMARKS_SHOWN_MAX);
    if (!written)
        printf("nothing was imported: %zu of %zu lines were refused\n", im->refused_count, im->lines);
    else
        printf("%zu lines: %zu imported, %zu updated, %zu skipped, %zu refused\n", im->lines, im->imported, im->updated,
               im->skipped, im->refused_count);
    if (im->refused != NULL)
        printf("the refused lines are in %s\n", im->refused_path);
}

static enum status import_prepare(struct lead_import *im, FILE *file, struct err *e)
{
    struct stat about;
    im->file_bytes = fstat(fileno(file), &about) == 0 ? about.st_size : 0;
    im->progress = !im->ctl->json && isatty(STDERR_FILENO);
    im->details = json_array();
    im->chunk.rows = json_array();
    size_t stem = strlen(im->path); /* leads.csv -> leads.refused.csv */
    if (stem > 4 && strcmp(im->path + stem - 4, ".csv") == 0)
        stem -= 4;
    if (asprintf(&im->refused_path, "%.*s.refused.csv", (int)stem, im->path) < 0 || im->details == NULL ||
        im->chunk.rows == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    enum status st = csv_open(file, &im->csv, e);
    if (st != OK)
        return err_prefix(e, st, "%s", im->path);
    if (csv_column_find(im->csv, "email") < 0)
        return err_set(e, E_INVALID, "%s: line 1: there is no column \"email\"", im->path);
    st = ctl_named(im->ctl, "sequence", im->sequence, sizeof im->sequence, e);
    return st == OK ? ctl_named(im->ctl, "assistant", im->assistant, sizeof im->assistant, e) : st;
}

static enum ctl_exit import_run(struct lead_import *im, FILE *file)
{
    struct err e = { "" }, ignored;
    bool strict = ctl_option(im->ctl, "strict") != NULL;
    enum status st = import_prepare(im, file, &e);
    if (st == OK)
        st = once_script(im->ctl->db, "BEGIN", &e);
    if (st == OK)
        st = lines_read(im, &e);
    bool write = st == OK && !(strict && im->refused_count > 0);
    if (write)
        st = ctl_commit(im->ctl, &e);
    else if (once_script(im->ctl->db, "ROLLBACK", &ignored) != OK && st == OK)
        st = err_set(&e, E_GONE, "%s", ignored.text);
    if (st != OK)
        return ctl_fail(st, &e);
    outcome_print(im, write);
    return write && im->imported + im->updated + im->skipped > 0 ? CTL_OK : CTL_REFUSED;
}

static enum ctl_exit lead_import(struct ctl *c)
{
    FILE *file = fopen(c->words[0], "re");
    if (file == NULL)
        return ctl_usage(c, "%s: %s", c->words[0], strerror(errno));
    struct lead_import *im = calloc(1, sizeof *im);
    enum ctl_exit result = CTL_REFUSED;
    if (im != NULL) {
        im->ctl = c;
        im->path = c->words[0];
        result = import_run(im, file);
        if (im->refused != NULL && fclose(im->refused) != 0) {
            fprintf(stderr, "followupctl: %s: %s\n", im->refused_path, strerror(errno));
            result = CTL_REFUSED;
        }
        chunk_clear(&im->chunk);
        json_decref(im->chunk.rows);
        json_decref(im->details);
        csv_close(im->csv);
        free(im->refused_path);
        free(im);
    }
    fclose(file);
    return result;
}

/* --- list, show --------------------------------------------------------------------------------------------------- */

static enum ctl_exit lead_list(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const struct command_argument arguments[] = { { "filter", c->words_count > 0 ? c->words[0] : NULL },
                                                  { "limit", ctl_option(c, "limit") },
                                                  { "after", ctl_option(c, "after") } };
    enum status st = ctl_command(c, "lead list", arguments, COUNT_OF(arguments), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, "No lead meets this filter.");
    once_rows_free(rows);
    return CTL_OK;
}

static void timeline_print(const json_t *timeline)
{
    size_t index;
    const json_t *entry;
    puts("\n  timeline");
    json_array_foreach (timeline, index, entry) {
        const char *detail = json_string_value(json_object_get(entry, "detail"));
        const char *at = json_string_value(json_object_get(entry, "at"));
        printf("  %.10s %.8s  ", at, at + 11);
        output_text(json_string_value(json_object_get(entry, "title")));
        if (detail != NULL) {
            fputs("  (", stdout);
            output_text(detail);
            fputs(")", stdout);
        }
        putchar('\n');
    }
}

static enum ctl_exit lead_show(struct ctl *c)
{
    static const char *const shown[] = { "conversation_status", "state",     "sub_state", "status",    "email",
                                         "first_name",          "last_name", "company",   "country",   "timezone",
                                         "external_id",         "rep",       "sequence",  "assistant", "crm_status",
                                         "suppressed" };
    struct err e = { "" };
    char id[24];
    struct once_rows *rows = NULL;
    enum status st = ctl_lead(c, c->words[0], id, sizeof id, &e);
    const struct command_argument arguments[] = { { "lead", id } };
    if (st == OK)
        st = ctl_command(c, "lead show", arguments, COUNT_OF(arguments), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    json_t *lead = json_loads(once_value(rows, 0, 1) != NULL ? once_value(rows, 0, 1) : "null", JSON_DECODE_ANY, NULL);
    once_rows_free(rows);
    if (c->json) {
        output_json(lead);
        return CTL_OK;
    }
    const char *field;
    json_t *value;
    printf("lead %s\n", id);
    for (size_t i = 0; i < COUNT_OF(shown); i++)
        output_pair(shown[i], json_string_value(json_object_get(lead, shown[i])));
    json_object_foreach (json_object_get(lead, "fields"), field, value)
        output_pair(field, json_string_value(value));
    timeline_print(json_object_get(lead, "timeline"));
    json_decref(lead);
    return CTL_OK;
}

const struct ctl_verb lead_verbs[] = {
    { "lead import",
      "FILE.csv",
      1,
      1,
      false,
      { { "sequence", "NAME", "start the new leads on it" },
        { "assistant", "NAME", "who writes; default the only one" },
        { "duplicates", "HOW", "of an address that is a lead already: refuse (default), skip, update" },
        { "strict", NULL, "import nothing if one line is refused" } },
      "leads from a CSV file",
      "RFC 4180 and UTF-8; the first line names the columns: external_id, email, first_name, last_name, company, "
      "country,\n"
      "timezone, rep_email, of which only email must be there. Other columns become fields for merge tags. It is one\n"
      "transaction: good lines go in, refused ones are told with their reasons and written to FILE.refused.csv, "
      "with\n"
      "a column " REFUSED_COLUMN "; mend that file and import it. Exit status 1 when no line went in. Example:\n"
      "  followupctl lead import leads.csv --sequence Welcome --duplicates skip\n",
      lead_import },
    { "lead list",
      "[FILTER]",
      0,
      1,
      false,
      { { "limit", "N", "at most N (default 100)" }, { "after", "ID", "only ids above, for the next page" } },
      "leads that a filter means",
      "A filter is key=value terms, all of which must hold:\n"
      "  state=processed status=hot_lead rep=a@b.example sequence=\"My sequence\" created>=2026-01-01\n"
      "Keys: state, sub_state, status, email, external_id, company, country, timezone, crm_status, sequence, "
      "assistant,\n"
      "rep (= and !=), created, status_at (also < <= > >=). The value none is for what is not set.\n",
      lead_list },
    { "lead show", "ID|EMAIL", 1, 1, false, { { NULL } }, "a lead and its timeline", "", lead_show },
    { NULL },
};
