/* source: a [webhook.NAME] section, ready to verify with, and the functions of its scheme. Private to src/inbound. */
#ifndef FOLLOWUPD_INBOUND_SOURCE_H
#define FOLLOWUPD_INBOUND_SOURCE_H

#include "followupd/inbound/webhook.h"
#include "followupd/secret/signature.h"

struct telling; /* tell.h */

struct webhook_scheme {
    const char *type;
    int64_t fresh_ms;
    bool by_secret, by_public_key, by_topic; /* which settings it takes, and needs */
    enum webhook_verdict (*verify)(const struct webhook_source *s, const struct webhook_request *r, struct wall now,
                                   const struct webhook_certificates *certificates, struct webhook_verified *ret);
    void (*events)(struct telling *t, const struct webhook_request *r);
};

struct webhook_secret {
    uint8_t bytes[WEBHOOK_SECRET_BYTES_MAX];
    size_t count;
};

struct webhook_source {
    const struct webhook_scheme *scheme;
    struct webhook_secret secrets[WEBHOOK_SECRETS_MAX];
    size_t secrets_count;
    struct public_key *keys[WEBHOOK_SECRETS_MAX];
    size_t keys_count;
    char *secret_header; /* NULL: Basic credentials */
    char *topic_arns;    /* separated by commas */
    int64_t fresh_ms;    /* < 0: no limit */
    size_t body_bytes_max;
};

/* ret->why = why; WEBHOOK_UNAUTHENTIC or WEBHOOK_MALFORMED. */
enum webhook_verdict webhook_refuse(struct webhook_verified *ret, const char *why);
enum webhook_verdict webhook_malformed(struct webhook_verified *ret, const char *why);

/* Unix seconds in decimal digits alone. */
bool webhook_seconds(const char *text, struct wall *ret);
bool webhook_fresh(const struct webhook_source *s, struct wall signed_at, struct wall now);

/* Whether one of the source's secrets gives that HMAC. Looks at all of them. */
bool webhook_hmac_matches(const struct webhook_source *s, const struct piece *pieces, size_t pieces_count,
                          const void *hmac, size_t bytes);

/* The id that Svix and Standard Webhooks give a message; NULL: none. */
const char *svix_id(const struct webhook_request *r);

/* NULL: not known. Borrowed. */
const struct public_key *webhook_certificates_find(const struct webhook_certificates *c, const char *url);

#define VERIFY(name)                                                                                                   \
    enum webhook_verdict name(const struct webhook_source *s, const struct webhook_request *r, struct wall now,        \
                              const struct webhook_certificates *certificates, struct webhook_verified *ret)
VERIFY(verify_sendgrid);
VERIFY(verify_mailgun);
VERIFY(verify_postmark);
VERIFY(verify_sns);
VERIFY(verify_svix);

void event_sendgrid(struct telling *t, const struct webhook_request *r);
void event_mailgun(struct telling *t, const struct webhook_request *r);
void event_postmark(struct telling *t, const struct webhook_request *r);
void event_ses(struct telling *t, const struct webhook_request *r);
void event_resend(struct telling *t, const struct webhook_request *r);

#endif
