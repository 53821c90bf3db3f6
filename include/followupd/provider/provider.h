/* provider: what differs between one mail API and the next, as a table of functions: how a request looks and what an
 * answer means. A provider is a pure translator: it sends nothing, keeps no state and knows no clock but for reading a
 * date in Retry-After.
 *
 * A new provider is one file with one `const struct provider_type` and its line in registry.c. */
#ifndef FOLLOWUPD_PROVIDER_PROVIDER_H
#define FOLLOWUPD_PROVIDER_PROVIDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/clock.h"
#include "followupd/base/outcome.h"
#include "followupd/base/status.h"
#include "followupd/provider/transport.h"

#define PROVIDER_BODY_BYTES_MAX     (8 * 1024 * 1024)
#define PROVIDER_DETAIL_BYTES       512
#define PROVIDER_ID_BYTES           256
#define PROVIDER_RETRY_AFTER_MS_MAX (60 * 60 * 1000)

/* One [provider.NAME] of followupd.conf. Everything is borrowed by who reads it; the registry keeps copies. */
struct provider_config {
    const char *name, *type; /* type: generic */
    const char *url;         /* http: or https: */
    const char *key;         /* secret; NULL: none */
    double rate_per_s;       /* 0: no limit */
    int concurrency_max;
    int64_t timeout_ms;
    int64_t connect_timeout_ms; /* 0: only timeout_ms counts */
    int64_t key_window_ms;      /* how long it honours an idempotency key; 0: it does not */
};

/* A message as it goes out. All borrowed; UTF-8. */
struct outgoing {
    int64_t account_id, message_id;
    struct wall due;                   /* business */
    const char *key;                   /* idempotency key */
    const char *from, *to, *reply_to;  /* header values; reply_to may be NULL */
    const char *subject, *text, *html; /* html may be NULL */
    const json_t *headers;             /* an object of strings: Message-ID and others */
};

struct provider_request {
    char *headers[TRANSPORT_HEADERS_MAX]; /* owned */
    size_t header_count;
    char *body; /* owned */
    size_t body_bytes;
};

/* What an answer means for the message, and for the provider as a whole. */
struct judgement {
    enum outcome outcome;
    bool uncounted;         /* a retry that is not the message's fault */
    bool refused_us;        /* 401, 403: no request will work until somebody changes something */
    bool overloaded;        /* 429, 503, 5xx, no answer in time: send less */
    bool unreachable;       /* no connection, no answer, or 5xx: one more towards an open breaker */
    bool alarm;             /* the configuration is probably wrong (a redirect) */
    bool key_reused;        /* the key came before, with another body: that POST arrived, this one did not */
    int64_t retry_after_ms; /* real; 0: the provider named none; at most PROVIDER_RETRY_AFTER_MS_MAX */
    char detail[PROVIDER_DETAIL_BYTES];          /* for a person; "" when there is nothing to say */
    char provider_message_id[PROVIDER_ID_BYTES]; /* "" when the answer names none */
};

struct provider_type {
    const char *name;
    bool honours_key; /* can take a key at all: while key_window_ms lasts, a repeated one never makes a second mail */
    /* E_INVALID (not UTF-8), E_LIMIT, E_NOMEM; ret is written on success. */
    enum status (*build)(const struct provider_config *config, const struct outgoing *message,
                         struct provider_request *ret, struct err *e);
    /* Reads what only this provider knows from an answered request's body into ret, which judge_answer has filled. */
    void (*read_body)(const struct transport_answer *answer, struct judgement *ret);
};

extern const struct provider_type provider_generic;

void provider_request_fini(struct provider_request *r);
/* Adds "name: value". E_LIMIT: too many; E_INVALID: a control character in the value. */
MUST_USE enum status provider_request_header(struct provider_request *r, const char *name, const char *value);

/* The rules all providers share (docs/provider-generic.md, "Answer"), then the type's read_body. now_real: to turn a
 * Retry-After date into a wait. */
void judge_answer(const struct provider_type *type, const struct transport_answer *answer, struct wall now_real,
                  struct judgement *ret);
/* Copies a stranger's text: cut at a character boundary, control characters turned into blanks, bytes that are not
 * UTF-8 into '?'. The result is always terminated and valid UTF-8. */
void judge_copy_text(char *ret, size_t bytes, const char *text, size_t text_bytes);

#endif
