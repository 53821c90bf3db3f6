/* json_members: headers and the like in the body of a request. Errors: as json_add_text's. Private to src/provider. */
#ifndef FOLLOWUPD_PROVIDER_JSON_MEMBERS_H
#define FOLLOWUPD_PROVIDER_JSON_MEMBERS_H

#include <jansson.h>

#include "followupd/base/buf.h"

/* An object of strings: "name":"value" with commas between; without it for a NULL. */
MUST_USE enum status json_add_members(struct buf *out, const json_t *strings);
/* The same as an array: {"<name>":"name","<value>":"value"} and so on; the one called `without` (may be NULL) is left
 * out. */
MUST_USE enum status json_add_pairs(struct buf *out, const json_t *strings, const char *name, const char *value,
                                    const char *without);

#endif
