/* form: the fields of a request that was posted as application/x-www-form-urlencoded or multipart/form-data. Pure.
 *
 * Values are bytes: neither checked nor converted, and may hold NUL. Those of a multipart form are borrowed from the body,
 * so a file costs nothing but the walk over it. Two fields of one name are both kept; form_find gives the first.
 * Errors     E_INVALID: another content type, no boundary, a part without a name, a body that ends inside a part, a % that
 *            two hex digits do not follow; E_LIMIT: over a bound below; E_NOMEM. The text names the field by its number.
 * Ownership  the body is borrowed until form_fini.
 * Cost       O(bytes), one pass. */
#ifndef FOLLOWUPD_INBOUND_FORM_H
#define FOLLOWUPD_INBOUND_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "followupd/base/status.h"

#define FORM_FIELDS_MAX            500
#define FORM_NAME_BYTES_MAX        200
#define FORM_PART_HEADER_BYTES_MAX 8192 /* of one part of a multipart form */

struct form_field {
    char *name;        /* owned by the form */
    const char *value; /* not terminated */
    size_t bytes;
    char *content_type; /* as the part has it; NULL: none. Owned by the form */
    bool is_file;       /* the part has a file name */
};

struct form {
    struct form_field *fields; /* owned */
    size_t count;
    char *decoded; /* owned: what the values of an urlencoded form point into */
};

/* content_type: the request's header, NULL when it has none. *ret is written on success alone. */
MUST_USE enum status form_parse(const char *content_type, const void *body, size_t bytes, struct form *ret,
                                struct err *e);
void form_fini(struct form *f);

/* The first field of that name, no file; NULL: none. */
const struct form_field *form_find(const struct form *f, const char *name);

#endif
