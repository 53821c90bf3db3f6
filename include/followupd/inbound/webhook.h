/* webhook: is this request really from the provider, and what does it tell? Pure: bytes in, a verdict and typed events out;
 * no clock, no database, no socket. The front (src/front) reads requests, fetches what is asked for, and stores.
 *
 *     struct webhook_verified v;
 *     switch (webhook_verify(source, &request, now, certificates, &v)) { ... }
 *     webhook_events(source, &request, &events, &e)      -- or reply_read() of reply.h, when the path is /inbound/
 *     webhook_verified_fini(&v);
 *
 * Signature  over the raw bytes, before anything is parsed but what the scheme itself needs (Mailgun's three fields, SNS's
 *            envelope). SendGrid: ECDSA P-256 over timestamp and body. Mailgun: HMAC-SHA256 over timestamp and token, so not
 *            over the event: verified.token must be stored with the events and refused when it comes with other ones. Resend:
 *            Svix, which is Standard Webhooks (both families of header names). Amazon SES: SNS, versions 1 and 2. Postmark:
 *            Basic credentials, or a header that holds a secret. Comparisons take the same time whatever differs.
 * Freshness  the signed timestamp may be fresh_ms old and WEBHOOK_AHEAD_MS ahead, else WEBHOOK_UNAUTHENTIC. Postmark has none.
 *            It bounds how long a request that somebody copied can be played again; in that time event_id makes it harmless.
 * Time       `now` is real time.
 * Errors     a verdict is one; verified.why says it for a log: it names the check, never a content, a secret or an address.
 *            webhook_source_new and webhook_events: E_INVALID with what and where, E_LIMIT, E_NOMEM.
 * Threads    a source may be used by many at once; struct webhook_certificates by one.
 * Cost       O(bytes). One request with one event, verified and read: from 20 us of CPU (Resend) to 120 us (SendGrid, whose
 *            ECDSA is 90 of them; SES 110). At most a few times the body in memory. */
#ifndef FOLLOWUPD_INBOUND_WEBHOOK_H
#define FOLLOWUPD_INBOUND_WEBHOOK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/clock.h"
#include "followupd/base/status.h"

/* Of an event webhook; an inbound mail may be larger: body_bytes_max. SendGrid posts its events "approximately every 30
 * seconds or when the batch size reaches 768 kilobytes" (Twilio SendGrid's documentation, Event Webhook, overview); the
 * others tell one event, or a few, at a time. */
#define WEBHOOK_BODY_BYTES_MAX     (1024 * 1024)
#define WEBHOOK_SECRETS_MAX        2 /* the second one during rotation */
#define WEBHOOK_SECRET_BYTES_MAX   1024
#define WEBHOOK_EVENTS_MAX         5000 /* of one request */
#define WEBHOOK_EVENTS_BYTES_MAX   (64 * 1024 * 1024)
#define WEBHOOK_URL_BYTES_MAX      512 /* of a certificate */
#define WEBHOOK_TOKEN_BYTES_MAX    128 /* Mailgun's: 50 */
#define WEBHOOK_AHEAD_MS           (5 * 60 * 1000)
#define WEBHOOK_CERTIFICATES_MAX   16
#define WEBHOOK_CERTIFICATE_BYTES  (64 * 1024) /* most that a certificate may have */
#define WEBHOOK_EVENT_ID_BYTES_MAX 500         /* longer ones become "sha256:" and hex */
#define WEBHOOK_DETAIL_BYTES_MAX   512

/* --- who may send: a [webhook.NAME] section, ready for use --------------------------------------------------------- */

/* All borrowed until webhook_source_new returns. NULL, 0: not given. */
struct webhook_settings {
    const char *type; /* sendgrid mailgun postmark ses resend */
    /* The lines of secret_file. mailgun: the webhook signing key. resend: whsec_... (the prefix may be absent). postmark:
     * "user:password", or the header's value when secret_header is given. sendgrid and ses take none. */
    const char *secrets[WEBHOOK_SECRETS_MAX];
    const char *secret_header; /* postmark: the name of the header that holds the secret */
    /* sendgrid: base64 of DER, as their page shows it, or PEM. The second one during rotation. */
    const char *public_keys[WEBHOOK_SECRETS_MAX];
    const char *topic_arn;  /* ses: the one topic to take from; several: separated by commas */
    int64_t fresh_ms;       /* 0: webhook_fresh_ms_default(type); < 0: no limit, forward or back */
    int64_t body_bytes_max; /* 0: WEBHOOK_BODY_BYTES_MAX */
};

struct webhook_source;       /* opaque; defined in src/inbound/source.h */
struct webhook_certificates; /* opaque; defined in src/inbound/certificates.c */

/* resend: 5 minutes (the scheme's own). mailgun: 9 hours, because it repeats for 8 and may not sign again. sendgrid and ses:
 * 25 hours, because SendGrid repeats for 24. postmark and unknown types: 0. */
int64_t webhook_fresh_ms_default(const char *type);

/* What can be said of them without a look into secrets and keys, which may be any text: what webhook_source_new asks first.
 * E_INVALID, and its text, as below. */
MUST_USE enum status webhook_settings_check(const struct webhook_settings *s, struct err *e);
/* E_INVALID: an unknown type, a secret, key or topic that is missing, unreadable or not for this type. The text names the
 * setting, never its content. */
MUST_USE enum status webhook_source_new(const struct webhook_settings *s, struct webhook_source **ret, struct err *e);
void webhook_source_free(struct webhook_source *s); /* NULL is fine; secrets are wiped */
const char *webhook_source_type(const struct webhook_source *s);

/* --- a request ---------------------------------------------------------------------------------------------------- */

/* Borrowed for each call. */
struct webhook_request {
    const char *method;       /* not looked at: the route allows POST alone */
    const char *path;         /* not looked at: the route chose the source by it */
    const char *content_type; /* NULL: none */
    /* The value of the first header of that name, in any case; NULL: none. */
    const char *(*header)(const void *headers, const char *name);
    const void *headers;
    const void *body;
    size_t bytes;
};

enum webhook_verdict {
    WEBHOOK_AUTHENTIC,         /* read its events */
    WEBHOOK_UNAUTHENTIC,       /* answer 401, store nothing */
    WEBHOOK_MALFORMED,         /* answer 400: what the signature needs cannot be read */
    WEBHOOK_TOO_LARGE,         /* answer 413 */
    WEBHOOK_WANTS_CERTIFICATE, /* fetch certificate_url, webhook_certificates_put, ask again; cannot: answer 503 */
    WEBHOOK_CONFIRMATION, /* authentic, and about the subscription: store `confirmation` for a person, answer 200 */
    WEBHOOK_NO_MEMORY,    /* answer 503 */
};

/* Valid until webhook_verified_fini. */
struct webhook_verified {
    const char *why;                         /* one sentence, a constant; NULL when authentic */
    char token[WEBHOOK_TOKEN_BYTES_MAX + 1]; /* Mailgun's single-use token; "": the scheme has none */
    /* https, on a host of Amazon's, no port, no user, ends in .pem; the topic is one of ours. The fetch checks TLS, follows no
     * redirect, stops at WEBHOOK_CERTIFICATE_BYTES, and is rare: anybody can name a URL of that form. */
    char certificate_url[WEBHOOK_URL_BYTES_MAX + 1];
    /* Owned: {"event_id", "type": "SubscriptionConfirmation" or "UnsubscribeConfirmation", "topic_arn", "token",
     * "subscribe_url", "occurred_at"}; subscribe_url is absent when its host is none of Amazon's. It is never fetched by us
     * without a person's command. */
    json_t *confirmation;
};

/* *ret is always written, and always given back with webhook_verified_fini. certificates: NULL: none are known. */
MUST_USE enum webhook_verdict webhook_verify(const struct webhook_source *s, const struct webhook_request *r,
                                             struct wall now, const struct webhook_certificates *certificates,
                                             struct webhook_verified *ret);
void webhook_verified_fini(struct webhook_verified *v);

/* --- certificates of SNS, by URL ----------------------------------------------------------------------------------- */

/* The public keys of at most WEBHOOK_CERTIFICATES_MAX; when full, the oldest goes. NULL: out of memory. */
struct webhook_certificates *webhook_certificates_new(void);
void webhook_certificates_free(struct webhook_certificates *c);

/* What was fetched from there. E_INVALID: no PEM certificate with an RSA key of 2048 bits or more. That it has expired does
 * not matter: SNS signs on with certificates whose time is over, and the host that served it has been checked by TLS. */
MUST_USE enum status webhook_certificates_put(struct webhook_certificates *c, const char *url, const void *pem,
                                              size_t bytes, struct err *e);

/* --- what it tells ------------------------------------------------------------------------------------------------ */

/* An authentic body as an array of typed events; empty when it holds none that we know: types that a provider may add, a
 * resubscription, a mail that came in. Each event is an object of strings, absent when unknown:
 *   event_id     the provider's own, else composed of what never changes when it is told again; at most
 *                WEBHOOK_EVENT_ID_BYTES_MAX
 *   kind         accepted delivered delayed bounced failed complained unsubscribed opened clicked
 *                failed: the provider never tried to deliver it. delayed: it goes on trying
 *   fu_id, provider_message_id, rfc_message_id, recipient
 *   occurred_at  RFC 3339, UTC
 *   provider_type, type, subtype, reason, classification, severity   the provider's words, untouched
 *   status "5.1.1", smtp_code "550", action "failed", detail (for people, at most WEBHOOK_DETAIL_BYTES_MAX)
 *   user_agent, ip, url, machine ("true": opened or clicked by a machine)
 * E_INVALID: no strict JSON (32 levels, no key twice, no NUL, UTF-8), or a member of a wrong type or missing that must be
 * there: the text names it. E_LIMIT: over WEBHOOK_EVENTS_MAX. Answer 400 to both. */
MUST_USE enum status webhook_events(const struct webhook_source *s, const struct webhook_request *r, json_t **ret,
                                    struct err *e);
/* They as JSON, to be stored: what json_dumps would write, for a quarter of its cost. Owned; NULL: out of memory, or
 * over WEBHOOK_EVENTS_BYTES_MAX. */
char *webhook_events_text(const json_t *events);

#endif
