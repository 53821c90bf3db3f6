/* form: the fields of a multipart/form-data or application/x-www-form-urlencoded body, in order, as a JSON list of
 * [name, value]. Values must be UTF-8 texts; a file is a field like another.
 *
 * Bounds  FORM_FIELDS_MAX fields. Errors  E_INVALID with a text, E_NOMEM. */
#ifndef SANDBOX_FORM_H
#define SANDBOX_FORM_H

#include <jansson.h>
#include <stddef.h>

#include "followupd/base/status.h"

#define FORM_FIELDS_MAX 200

MUST_USE enum status form_parse(const char *content_type, const char *body, size_t bytes, json_t **ret, struct err *e);
/* The value of the first field of that name; NULL: none. */
const char *form_value(const json_t *fields, const char *name);
/* Every field whose name begins so, as an object without that beginning; the caller's. */
json_t *form_values(const json_t *fields, const char *prefix);

#endif
