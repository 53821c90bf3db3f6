/* letter: a claimed row becomes the mail as it leaves. Reads the merge values, adds the unsubscribe link, and hands all
 * to render. Pure and deterministic, so a repeated POST has the same body.
 *
 * alert       subject, text and html are the payload's members of these names when the row brings no template.
 * webhook     is not mail: E_INVALID until something posts it.
 * Errors      E_INVALID and E_LIMIT: it never will be a letter, with the reason for the one who wrote the template;
 *             E_NOMEM: try again. */
#ifndef FOLLOWUPD_RESULT_LETTER_H
#define FOLLOWUPD_RESULT_LETTER_H

#include "followupd/render/message.h"
#include "followupd/store/store.h"

/* public_url: <public_url>/u/<token> is the unsubscribe link; NULL or "": messages carry none. */
MUST_USE enum status letter_render(const struct claim_row *row, const char *public_url, struct rendered *ret,
                                   struct err *e);

#endif
