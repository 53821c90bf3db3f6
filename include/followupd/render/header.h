/* header: what may become a line of a mail's header. Pure.
 *
 * Guard    No CR, LF, NUL or other control character passes (C0, DEL, C1), nor bytes that are no UTF-8, nor more than
 *          HEADER_BYTES_MAX: so nobody's name can begin a header of its own. Checked on the way in (command, import)
 *          and again here, on the way out.
 * UTF-8    Names and subjects go to providers inside JSON as UTF-8; encoding them as RFC 2047 encoded words is the
 *          provider's work, so none are made here.
 * Errors   E_INVALID with `what` (a field's name: "from_address") and why; E_NOMEM. */
#ifndef FOLLOWUPD_RENDER_HEADER_H
#define FOLLOWUPD_RENDER_HEADER_H

#include "followupd/base/status.h"

#define HEADER_BYTES_MAX     900 /* RFC 5322 allows a line of 998 with its name */
#define LOCAL_BYTES_MAX      64  /* RFC 5321 4.5.3.1 */
#define DOMAIN_BYTES_MAX     255
#define REFERENCES_BYTES_MAX 16384 /* given; what is written stays under HEADER_BYTES_MAX */

MUST_USE enum status header_check(const char *what, const char *text, struct err *e);

/* Exactly one mailbox, local@domain: an unquoted local part, a domain of at least two labels. ASCII only; a domain in
 * other letters is written as xn--. No display name, spaces, commas, comments or address literals. */
MUST_USE enum status header_address_check(const char *what, const char *address, struct err *e);

/* "Name" <a@b>, quoted as RFC 5322 3.2.4 wants it; a name that is NULL or empty gives the bare address. *ret: owned. */
MUST_USE enum status header_mailbox(const char *what, const char *name, const char *address, char **ret, struct err *e);

/* <left@right>, with printable ASCII and neither spaces nor further <, > or @. */
MUST_USE enum status header_message_id_check(const char *what, const char *id, struct err *e);

/* The References of an answer: `references` (ids with blanks between, may be NULL) with `in_reply_to` (may be NULL) at
 * the end, once. Past HEADER_BYTES_MAX ids behind the first are left out, the oldest first, as RFC 5537 advises.
 * *ret: owned; NULL when there is no id at all. */
MUST_USE enum status header_references(const char *references, const char *in_reply_to, char **ret, struct err *e);

/* An http or https URL that can stand between < and > in a header. */
MUST_USE enum status header_url_check(const char *what, const char *url, struct err *e);

#endif
