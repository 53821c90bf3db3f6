/* json_text: JSON written straight into the body of a request. A tree built first and dumped then costs twenty times as
 * much, once a message. The bytes are those of jansson's JSON_COMPACT. Private to src/provider. */
#ifndef FOLLOWUPD_PROVIDER_JSON_TEXT_H
#define FOLLOWUPD_PROVIDER_JSON_TEXT_H

#include "followupd/base/buf.h"

/* "text", escaped; null when it is NULL. E_INVALID: not UTF-8. Otherwise as buf_add. */
MUST_USE enum status json_add_text(struct buf *out, const char *text);

#endif
