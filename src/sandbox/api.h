/* api: one provider's own way of taking a message: where its credential stands, how its body becomes a line of the
 * ledger, and the words of each answer. A pure translator but for the exchange that it answers.
 *
 * What a provider would do with several recipients, batches and attachments is left out: one message, one recipient;
 * everything else is refused as invalid, with a text that says so.
 *
 * Ids      a function of the line's number alone, so a replay and a later run give the same ones.
 * Errors   read: E_INVALID with a text for a person, E_NOMEM. */
#ifndef SANDBOX_API_H
#define SANDBOX_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "followupd/base/status.h"
#include "sigv4.h"

struct exchange;
struct message;

#define API_ID_BYTES     512
#define API_DOMAIN_BYTES 72

enum api_refusal {
    API_UNAUTHORIZED,
    API_INVALID,
    API_KEY_INVALID,
    API_KEY_REUSED,
    API_KEY_IN_USE,
    API_RATE_LIMITED,
    API_QUOTA,     /* used up for today */
    API_INACTIVE,  /* the recipient is suppressed */
    API_SUSPENDED, /* the account may not send */
    API_BUSY,      /* 503 */
    API_BROKEN,    /* 500 */
    API_FULL,      /* the sandbox cannot keep more */
};

enum api_name { API_GENERIC, API_SENDGRID, API_MAILGUN, API_POSTMARK, API_SES, API_RESEND, API_NAMES };

struct api {
    const char *name;
    enum api_name which;
    bool keys; /* it honours Idempotency-Key */
    /* credential NULL: none is configured, nobody is let in. generic has no function: everybody is. */
    bool (*authorized)(const struct exchange *x, const char *credential);
    enum status (*read)(const struct exchange *x, json_t **ret_document, struct err *e);
    void (*accept)(struct exchange *x, const struct message *m, int64_t seq);
    /* retry_after_s -1: the rule names none */
    void (*refuse)(struct exchange *x, enum api_refusal why, const char *text, int64_t retry_after_s);
    /* The id it answers with. */
    void (*id)(const struct message *m, int64_t seq, char ret[API_ID_BYTES]);
    /* Its mails have <id@domain> as Message-ID; NULL: they keep the one they came with. */
    void (*id_domain)(const struct message *m, char ret[API_DOMAIN_BYTES]);
};

extern const struct api api_generic, api_sendgrid, api_mailgun, api_postmark, api_ses, api_resend;

/* Of a message that came through api_ses. */
void ses_region(const struct message *m, char ret[SIGV4_REGION_BYTES]);
const struct api *api_find(const char *name); /* NULL: generic */
/* The Message-ID of the mail that the recipient gets, with its <>. */
void api_rfc_message_id(const struct message *m, int64_t seq, char ret[API_ID_BYTES]);

/* --- for the translators ------------------------------------------------------------------------------------------- */

struct api_mail {
    const char *from, *to, *reply_to, *subject, *text, *html, *fu_id; /* NULL: absent */
    json_t *headers;                                                  /* borrowed; an object */
};

/* The ledger's document. */
enum status api_document(const struct api *api, const struct api_mail *mail, json_t **ret, struct err *e);
enum status api_json(const struct exchange *x, json_t **ret, struct err *e); /* the body, which must be an object */
/* The same, made into the ledger's document by read_body. */
enum status api_read_json(const struct exchange *x,
                          enum status (*read_body)(const json_t *body, json_t **ret_document, struct err *e),
                          json_t **ret_document, struct err *e);
/* A list of {name: .., value: ..} with those member names, as an object; owned by the caller. NULL: none. */
json_t *api_pairs(const json_t *list, const char *name, const char *value);
const char *api_text(const json_t *object, const char *name); /* NULL: absent or no string */
bool api_same(const char *a, const char *b);                  /* in constant time; NULL equals nothing */
bool api_bearer(const struct exchange *x, const char *credential);
void api_answer(struct exchange *x, int http_status, json_t *document); /* takes the document */
void api_uuid(const struct message *m, int64_t seq, char ret[API_ID_BYTES]);
void api_time(int64_t at_us, char *ret, size_t bytes); /* 2026-01-02T03:04:05.678Z */

#endif
