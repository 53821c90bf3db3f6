/* json_text: JSON written straight into a buffer. A tree built first and dumped then costs twenty times as much, once a
 * message. The bytes are those of jansson's JSON_COMPACT. */
#ifndef FOLLOWUPD_BASE_JSON_TEXT_H
#define FOLLOWUPD_BASE_JSON_TEXT_H

#include <jansson.h>

#include "followupd/base/buf.h"

/* "text", escaped; null when it is NULL. E_INVALID: not UTF-8. Otherwise as buf_add. */
MUST_USE enum status json_add_text(struct buf *out, const char *text);
/* The format with each '%' replaced by the next argument, a const char *, as json_add_text writes it. */
MUST_USE enum status json_add_format(struct buf *out, const char *format, ...);
/* An object of strings: "name":"value" with commas between; without it for a NULL. */
MUST_USE enum status json_add_members(struct buf *out, const json_t *strings);
/* The same as an array: {"<name>":"name","<value>":"value"} and so on; the one called `without` (may be NULL) is left
 * out. */
MUST_USE enum status json_add_pairs(struct buf *out, const json_t *strings, const char *name, const char *value,
                                    const char *without);

#endif
