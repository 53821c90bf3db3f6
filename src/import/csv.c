#include "followupd/import/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"
#include "followupd/base/utf8.h"

struct csv {
    FILE *file;
    struct buf raw;  /* the record as it is in the file */
    struct buf text; /* its fields, each with a NUL at its end */
    size_t offsets[CSV_FIELDS_MAX];
    size_t fields_count;
    char *header;                      /* owned; the names, each with a NUL at its end */
    const char *names[CSV_FIELDS_MAX]; /* into header */
    size_t columns_count;
    int line, next_line; /* of this record; of the one after it */
    size_t bytes;
    bool ended; /* nothing more can be read */
};

/* --- one record: from the file, then into fields ----------------------------------------------------------------- */

static int byte_next(struct csv *c)
{
    int byte = getc_unlocked(c->file);
    if (byte != EOF)
        c->bytes++;
    return byte;
}

/* Takes bytes up to the line break that is outside quotes. A quote opens only at the start of a field; one in the
 * middle is a mistake that fields_split tells, and must not swallow the rest of the file here. */
static enum status record_read(struct csv *c, struct err *e)
{
    bool quoted = false, quoted_field = false, field_start = true;
    int byte;
    buf_clear(&c->raw);
    c->line = c->next_line;
    while ((byte = byte_next(c)) != EOF) {
        char one = (char)byte;
        if (byte == '\n')
            c->next_line++;
        if (byte == '\n' && !quoted)
            break;
        if (buf_add(&c->raw, &one, 1) != OK) {
            c->ended = true;
            return err_set(e, E_LIMIT, "line %d: the record is longer than %d bytes%s", c->line, CSV_RECORD_BYTES_MAX,
                           quoted ? "; is a quote never closed?" : "");
        }
        if (byte == '"' && quoted)
            quoted = false;
        else if (byte == '"' && (field_start || (quoted_field && c->raw.data[c->raw.used - 2] == '"')))
            quoted = quoted_field = true; /* the second of a doubled one: it goes on */
        field_start = byte == ',' && !quoted;
        quoted_field = quoted_field && !field_start;
    }
    if (ferror(c->file)) {
        c->ended = true;
        return err_set(e, E_IO, "line %d: %s", c->line, strerror(errno));
    }
    if (byte == EOF && quoted) {
        c->ended = true;
        return err_set(e, E_LIMIT, "line %d: a quote is never closed", c->line);
    }
    if (byte == EOF && c->raw.used == 0) {
        c->ended = true;
        return E_NOT_FOUND;
    }
    if (c->raw.used > 0 && c->raw.data[c->raw.used - 1] == '\r')
        c->raw.data[--c->raw.used] = '\0';
    return OK;
}

static enum status field_begin(struct csv *c, struct err *e)
{
    if (c->fields_count == CSV_FIELDS_MAX)
        return err_set(e, E_INVALID, "line %d: more than %d fields", c->line, CSV_FIELDS_MAX);
    c->offsets[c->fields_count++] = c->text.used;
    return OK;
}

static enum status field_end(struct csv *c, struct err *e)
{
    if (c->text.used - c->offsets[c->fields_count - 1] > CSV_FIELD_BYTES_MAX)
        return err_set(e, E_INVALID, "line %d: field %zu is longer than %d bytes", c->line, c->fields_count,
                       CSV_FIELD_BYTES_MAX);
    return buf_add(&c->text, "", 1);
}

/* A quoted field, from behind its opening quote; gives what follows the closing one. */
static enum status quoted_take(struct csv *c, const char **at, const char *end, struct err *e)
{
    const char *p = *at;
    while (p < end) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        if (quote == NULL)
            return err_set(e, E_INVALID, "line %d: field %zu: a quote is never closed", c->line, c->fields_count);
        bool doubled = quote + 1 < end && quote[1] == '"';
        enum status st = buf_add(&c->text, p, (size_t)(quote - p) + doubled);
        if (st != OK)
            return st;
        p = quote + 1 + doubled;
        if (!doubled)
            break;
    }
    if (p < end && *p != ',')
        return err_set(e, E_INVALID, "line %d: field %zu: something follows its closing quote", c->line,
                       c->fields_count);
    *at = p;
    return OK;
}

static enum status plain_take(struct csv *c, const char **at, const char *end, struct err *e)
{
    const char *comma = memchr(*at, ',', (size_t)(end - *at));
    const char *stop = comma != NULL ? comma : end;
    if (memchr(*at, '"', (size_t)(stop - *at)) != NULL)
        return err_set(e, E_INVALID, "line %d: field %zu: a quote inside a field that is not in quotes", c->line,
                       c->fields_count);
    enum status st = buf_add(&c->text, *at, (size_t)(stop - *at));
    *at = stop;
    return st;
}

static enum status utf8_check(struct csv *c, struct err *e)
{
    int line = c->line;
    for (size_t at = 0; at < c->raw.used;) {
        const char *p = c->raw.data + at;
        size_t bytes = *p == '\0' ? 0 : utf8_length(p, c->raw.used - at);
        if (bytes == 0)
            return err_set(e, E_INVALID, "line %d: %s", line, *p == 0 ? "a NUL byte" : "not UTF-8");
        line += *p == '\n';
        at += bytes;
    }
    return OK;
}

static enum status fields_split(struct csv *c, struct err *e)
{
    const char *at = c->raw.data, *end = c->raw.data + c->raw.used;
    enum status st = utf8_check(c, e);
    buf_clear(&c->text);
    c->fields_count = 0;
    while (st == OK) {
        st = field_begin(c, e);
        if (st == OK && at < end && *at == '"') {
            at++;
            st = quoted_take(c, &at, end, e);
        } else if (st == OK) {
            st = plain_take(c, &at, end, e);
        }
        if (st == OK)
            st = field_end(c, e);
        if (at >= end || st != OK)
            break;
        at++; /* the comma; one at the very end still begins an empty field */
    }
    if (st != OK)
        c->fields_count = 0;
    return st == E_LIMIT ? err_set(e, E_INVALID, "line %d: the record is too long", c->line) : st;
}

static enum status record_next(struct csv *c, struct err *e)
{
    enum status st;
    do {
        if (c->ended)
            return E_NOT_FOUND;
        st = record_read(c, e);
    } while (st == OK && c->raw.used == 0);
    return st == OK ? fields_split(c, e) : st;
}

/* --- the header -------------------------------------------------------------------------------------------------- */

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t bytes = strlen(text);
    while (bytes > 0 && strchr(" \t", text[bytes - 1]) != NULL)
        text[--bytes] = '\0';
    return text;
}

static enum status header_take(struct csv *c, struct err *e)
{
    enum status st = record_next(c, e);
    if (st == E_NOT_FOUND)
        return err_set(e, E_INVALID, "line 1: the file is empty; its first line must name the columns");
    if (st != OK)
        return st;
    c->header = buf_take(&c->text);
    if (c->header == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    buf_init(&c->text, CSV_RECORD_BYTES_MAX + CSV_FIELDS_MAX);
    for (size_t i = 0; i < c->fields_count; i++) {
        c->names[i] = trim(c->header + c->offsets[i]);
        if (c->names[i][0] == '\0')
            return err_set(e, E_INVALID, "line %d: column %zu has no name", c->line, i + 1);
        if (csv_column_find(c, c->names[i]) >= 0)
            return err_set(e, E_INVALID, "line %d: column \"%.60s\" is there twice", c->line, c->names[i]);
        c->columns_count++;
    }
    return OK;
}

static void bom_skip(struct csv *c)
{
    static const unsigned char bom[] = { 0xEF, 0xBB, 0xBF };
    int byte = byte_next(c);
    if (byte != bom[0]) {
        if (byte != EOF) {
            ungetc(byte, c->file);
            c->bytes--;
        }
        return;
    }
    /* Whatever begins with this byte and is no BOM is refused as the header: give back what stdio lets us, one byte. */
    if (byte_next(c) == bom[1] && byte_next(c) == bom[2])
        return;
    ungetc(0xFF, c->file);
}

enum status csv_open(FILE *file, struct csv **ret, struct err *e)
{
    struct csv *c = calloc(1, sizeof *c);
    if (c == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    c->file = file;
    c->next_line = 1;
    buf_init(&c->raw, CSV_RECORD_BYTES_MAX);
    buf_init(&c->text, CSV_RECORD_BYTES_MAX + CSV_FIELDS_MAX);
    bom_skip(c);
    enum status st = header_take(c, e);
    if (st != OK) {
        csv_close(c);
        return st;
    }
    *ret = c;
    return OK;
}

void csv_close(struct csv *c)
{
    if (c == NULL)
        return;
    buf_fini(&c->raw);
    buf_fini(&c->text);
    free(c->header);
    free(c);
}

/* --- records ----------------------------------------------------------------------------------------------------- */

enum status csv_next(struct csv *c, struct err *e)
{
    enum status st = record_next(c, e);
    if (st == OK && c->fields_count != c->columns_count)
        return err_set(e, E_INVALID, "line %d: %zu fields where the header has %zu", c->line, c->fields_count,
                       c->columns_count);
    return st;
}

size_t csv_columns_count(const struct csv *c)
{
    return c->columns_count;
}

const char *csv_column(const struct csv *c, size_t column)
{
    return c->names[column];
}

int csv_column_find(const struct csv *c, const char *name)
{
    for (size_t i = 0; i < c->columns_count; i++)
        if (strcmp(c->names[i], name) == 0)
            return (int)i;
    return -1;
}

int csv_line(const struct csv *c)
{
    return c->line;
}

const char *csv_field(const struct csv *c, size_t column)
{
    return c->text.data + c->offsets[column];
}

size_t csv_fields_count(const struct csv *c)
{
    return c->fields_count;
}

const char *csv_record(const struct csv *c)
{
    return c->raw.data != NULL ? c->raw.data : "";
}

size_t csv_bytes(const struct csv *c)
{
    return c->bytes;
}
