/* reply_providers: one reader a provider; each puts what its webhook says into the draft. Private to src/inbound.
 * content_type is that of the request. Errors: as reply_read's. */
#ifndef FOLLOWUPD_INBOUND_REPLY_PROVIDERS_H
#define FOLLOWUPD_INBOUND_REPLY_PROVIDERS_H

#include "draft.h"

typedef enum status reply_reader(struct draft *d, const char *content_type, const void *body, size_t bytes,
                                 struct err *e);

reply_reader reply_sendgrid, reply_mailgun, reply_postmark, reply_ses;

/* The headers of a mail as a member of JSON, [{"Name": "..", "Value": ".."}, ..], into the draft; absent: none. */
MUST_USE enum status reply_json_headers(struct draft *d, const char *what, const json_t *mail, const char *key,
                                        const char *name_key, const char *value_key, struct err *e);

#endif
