/* template: merge tags. Pure.
 *
 *     Hi {{first_name|there}}, {{ assistant.name }} here.
 *
 * Syntax  {{name}} or {{name|fallback}}; spaces around name and fallback do not count. A name is a letter or _, then
 *         letters, digits, _ . or -, at most 64 bytes. A fallback is plain text of the template's author, used as it
 *         is, not empty and without {{ or }}. Anything else after {{ is an error that names line and column, found by
 *         template_check before anything is sent. A }} outside a tag is text. There is no way to write {{ itself.
 * Values  a flat JSON object: "assistant.name" is one name. Text, numbers and booleans are values; missing, null and
 *         blank text are none. A tag without a value and without a fallback is an error: nobody is greeted as "Hi ,".
 * HTML    TEMPLATE_HTML escapes values (& < > " '), never the template and its fallbacks. Nothing turns it off.
 * Errors  E_INVALID with the tag or position in the text, E_LIMIT past TEMPLATE_BYTES_MAX, E_NOMEM. */
#ifndef FOLLOWUPD_RENDER_TEMPLATE_H
#define FOLLOWUPD_RENDER_TEMPLATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "followupd/base/status.h"

#define TEMPLATE_BYTES_MAX      (1u << 20) /* of a template, and of what becomes of it */
#define TEMPLATE_NAME_BYTES_MAX 64

enum template_mode { TEMPLATE_TEXT, TEMPLATE_HTML };

/* values: borrowed, NULL: none. *ret: owned, NUL-terminated; contains no other NUL. */
MUST_USE enum status template_render(const char *text, enum template_mode mode, const json_t *values, char **ret,
                                     struct err *e);

/* Checks the syntax and calls visit (may be NULL) for each tag in order of appearance, a name as often as it is there.
 * Both strings are borrowed; the fallback is NULL when there is none. */
MUST_USE enum status template_check(const char *text,
                                    void (*visit)(void *context, const char *name, const char *fallback), void *context,
                                    struct err *e);
/* False also when the template is wrong. */
bool template_uses(const char *text, const char *name);

/* True: the name has a value, as templates understand it. */
bool template_has_value(const json_t *values, const char *name);

#endif
