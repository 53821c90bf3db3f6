/* sns: the envelope that Amazon SNS puts around a message. Private to src/inbound. */
#ifndef FOLLOWUPD_INBOUND_SNS_H
#define FOLLOWUPD_INBOUND_SNS_H

#include <jansson.h>
#include <stdbool.h>

#include "followupd/base/status.h"

/* Members of the envelope, borrowed from `json`; NULL: absent. */
struct sns {
    json_t *json; /* owned */
    const char *type, *message, *message_id, *subject, *subscribe_url, *timestamp, *token, *topic_arn;
    const char *signature_version, *signature, *signing_cert_url;
    size_t message_bytes;
};

/* E_INVALID: no JSON object, or one of these is no string. */
MUST_USE enum status sns_read(const void *body, size_t bytes, struct sns *ret, struct err *e);
void sns_fini(struct sns *s);

/* https, on sns.REGION.amazonaws.com or its .com.cn, with no port and no user. */
bool sns_url_is_amazons(const char *url);

#endif
