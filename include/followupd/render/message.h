/* message: a claimed message and its templates become the mail as it leaves. Pure and deterministic: the same input
 * gives the same bytes, so a repeated try under the same idempotency key has the same body.
 *
 * Subject   rendered as text; must come out neither blank nor with a line break.
 * Headers   Message-ID; In-Reply-To and References when there is something to answer; with an unsubscribe_url
 *           List-Unsubscribe: <url> and List-Unsubscribe-Post: List-Unsubscribe=One-Click (RFC 8058).
 * Footer    commercial mail must offer a way out and name the sender's postal address. When `values` has
 *           unsubscribe_link or postal_address and a body's template does not use that tag, the body gets a footer
 *           with it: after a "-- " line in text, before the last </body> (else at the end) in HTML. A value that is not
 *           there adds nothing: alerts to the account's own people need none.
 * Errors    E_INVALID: a template, a merge tag without value, an address, or anything in a header that header.h
 *           refuses; the text ends with the field in brackets: "merge tag first_name has no value and no fallback
 *           (subject)". E_LIMIT: a body over TEMPLATE_BYTES_MAX. Neither gets better by trying again. E_NOMEM does. */
#ifndef FOLLOWUPD_RENDER_MESSAGE_H
#define FOLLOWUPD_RENDER_MESSAGE_H

#include <jansson.h>

#include "followupd/base/status.h"

/* All borrowed until message_render returns. */
struct render_input {
    const char *from_name; /* NULL or "": none */
    const char *from_address;
    const char *reply_to;              /* an address; NULL: none */
    const char *to;                    /* an address */
    const char *subject, *text, *html; /* templates; html NULL: none */
    const json_t *values;              /* flat, see template.h; NULL: none */
    const char *rfc_message_id;        /* <left@right> */
    const char *in_reply_to;           /* <left@right>; NULL: a new thread */
    const char *references;            /* ids with blanks between; NULL: none */
    const char *unsubscribe_url;       /* NULL: no List-Unsubscribe */
};

struct rendered {
    char *from, *to, *reply_to, *subject, *text, *html; /* owned; reply_to and html NULL when there is none */
    json_t *headers;                                    /* owned reference; an object of strings */
};

/* *ret is written on success only. */
MUST_USE enum status message_render(const struct render_input *in, struct rendered *ret, struct err *e);
void rendered_fini(struct rendered *r);

#endif
