/* request: what the types share when they build a request. Private to src/provider. */
#ifndef FOLLOWUPD_PROVIDER_REQUEST_H
#define FOLLOWUPD_PROVIDER_REQUEST_H

#include "followupd/provider/provider.h"

#define REQUEST_MEMBERS_BYTES 2048 /* of a body, beside its texts: names, numbers, punctuation, headers */

/* Room for a body with the message's texts, so that it grows once. */
MUST_USE enum status request_reserve(struct buf *body, const struct outgoing *m);
MUST_USE enum status request_bearer(struct provider_request *r, const char *key);
/* Takes the body, and gives *ret what was built; when st is not OK frees all and says why. The body is empty afterwards. */
MUST_USE enum status request_finish(struct provider_request *r, struct buf *body, enum status st,
                                    struct provider_request *ret, struct err *e);
/* The configured url, without a slash at its end, and what follows it, into r->url. */
MUST_USE enum status request_url(struct provider_request *r, const struct provider_config *config, const char *path);
/* "first:second" into *ret, owned. */
MUST_USE enum status request_pair(const char *first, const char *second, char **ret);

#endif
