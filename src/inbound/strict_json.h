/* strict_json: JSON that comes from outside. Private to src/inbound.
 *
 * Refused  what is no JSON, nested deeper than STRICT_JSON_DEPTH_MAX, a key that is there twice, a NUL, text that is
 *          no UTF-8. Errors: E_INVALID, with `what` and the byte at which it went wrong, never a content. */
#ifndef FOLLOWUPD_INBOUND_STRICT_JSON_H
#define FOLLOWUPD_INBOUND_STRICT_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "followupd/base/status.h"

#define STRICT_JSON_DEPTH_MAX 32

/* type: JSON_OBJECT or JSON_ARRAY, which it must be. *ret: owned. */
MUST_USE enum status strict_json(const char *what, json_type type, const void *text, size_t bytes, json_t **ret,
                                 struct err *e);

/* A member that is a string; *ret is NULL when it is absent or null, else borrowed from object, *ret_bytes long.
 * object may be NULL: it has none. E_INVALID: it is something else. */
MUST_USE enum status strict_json_text(const char *what, const json_t *object, const char *key, const char **ret,
                                      size_t *ret_bytes, struct err *e);

/* A member that is an object, or an array; *ret is NULL when it is absent or null. */
MUST_USE enum status strict_json_object(const char *what, const json_t *object, const char *key, json_t **ret,
                                        struct err *e);
MUST_USE enum status strict_json_array(const char *what, const json_t *object, const char *key, json_t **ret,
                                       struct err *e);

#endif
