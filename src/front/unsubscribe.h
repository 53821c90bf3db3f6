/* unsubscribe: /u/{token}. GET shows a page that says what the button does; POST does it, without login, and is answered
 * alike however often it comes (RFC 8058). Never a redirect.
 *
 * What a POST carries is not looked at: mail programs send List-Unsubscribe=One-Click in one of two encodings, the page's button
 * the same, and whoever has the link may use it. A request to be left alone does not fail for its form.
 * Pages     HTML without script, readable as text, in the reader's light or dark. They name the account and the masked
 *           address alone. */
#ifndef FOLLOWUPD_FRONT_UNSUBSCRIBE_INTERNAL_H
#define FOLLOWUPD_FRONT_UNSUBSCRIBE_INTERNAL_H

#include <stdbool.h>

#include "followupd/front/route.h"
#include "followupd/store/store.h"

#define UNSUBSCRIBE_BODY_BYTES_MAX ((size_t)16 * 1024)

/* store: NULL when nothing is asked of it any more; the page then says to try again, as it does when the database is away.
 * on_end runs after the answer. False: it was answered already, and on_end will not run. */
bool unsubscribe_request(struct store *store, struct exchange *x, const struct route_pieces *pieces, bool acts,
                         void (*on_end)(void *arg), void *arg);

#endif
