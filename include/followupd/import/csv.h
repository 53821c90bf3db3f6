/* csv: RFC 4180, a record at a time, from a file of any length in bounded memory. Pure: it reads a FILE, knows no leads.
 *
 * Format   UTF-8, a BOM at the start is fine; lines end with LF or CRLF; fields in quotes may hold commas, quotes (twice)
 *          and line breaks. The first record is the header. A blank line is no record.
 * Errors   csv_next answers E_INVALID for a record that cannot be taken as written; the text names its line and what is
 *          wrong, and the next call goes on with the next record. Where the rest cannot be told apart (a quote that is
 *          never closed, a record over its limit) the answer is E_LIMIT or E_IO, and reading has ended.
 * Ownership  the reader borrows the file; fields are borrowed until the next call.
 * Cost     O(bytes); memory is at most CSV_RECORD_BYTES_MAX. */
#ifndef FOLLOWUPD_IMPORT_CSV_H
#define FOLLOWUPD_IMPORT_CSV_H

#include <stddef.h>
#include <stdio.h>

#include "followupd/base/status.h"

#define CSV_FIELD_BYTES_MAX  (64 * 1024)
#define CSV_RECORD_BYTES_MAX (1024 * 1024)
#define CSV_FIELDS_MAX       256

struct csv;

/* Reads the header. E_INVALID: empty file, a name that is empty or there twice. */
MUST_USE enum status csv_open(FILE *file, struct csv **ret, struct err *e);
void csv_close(struct csv *c); /* NULL is fine; the file stays open */

size_t csv_columns_count(const struct csv *c);
const char *csv_column(const struct csv *c, size_t column); /* as the header has it, blanks around it removed */
/* Which column has that name; -1: none. */
int csv_column_find(const struct csv *c, const char *name);

/* OK: a record is there. E_NOT_FOUND: the file has ended. Others: above. */
MUST_USE enum status csv_next(struct csv *c, struct err *e);
int csv_line(const struct csv *c);                         /* the record's first line, from 1 */
const char *csv_field(const struct csv *c, size_t column); /* UTF-8, terminated, without a NUL inside */
/* Fields of the record: as many as columns after OK; another number where that is what was refused; 0: it could not be split. */
size_t csv_fields_count(const struct csv *c);
/* The record as it stands in the file, also one that was refused, without the line break at its end. */
const char *csv_record(const struct csv *c);
/* Bytes read so far, for a progress bar. */
size_t csv_bytes(const struct csv *c);

#endif
