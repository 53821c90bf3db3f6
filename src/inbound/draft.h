/* draft: a typed reply while it is being read, whatever the provider. Private to src/inbound.
 *
 * Readers put in what they find, the most trustworthy source first: of each value the first that is put stays, blank ones
 * are no values. draft_finish makes of it what reply.h promises. Every function cleans and bounds what it is given, so
 * readers hand over bytes as they came. Errors: E_NOMEM alone; draft_finish writes the text. */
#ifndef FOLLOWUPD_INBOUND_DRAFT_H
#define FOLLOWUPD_INBOUND_DRAFT_H

#include <jansson.h>

#include "followupd/base/buf.h"
#include "followupd/base/clock.h"

#define DRAFT_TEXT_BYTES_MAX (256 * 1024) /* looked at before quotations are removed and the rest is cut */
#define DRAFT_HTML_BYTES_MAX (512 * 1024)

struct draft {
    const char *type;   /* of the provider; borrowed */
    json_t *values;     /* owned: what becomes the reply */
    json_t *headers;    /* owned: [["Name", "value"], ..] */
    json_t *envelope;   /* owned: recipients of the envelope */
    json_t *to;         /* owned: of the To header, used when the envelope is not known */
    json_t *references; /* owned */
    json_t *reports;    /* owned: what a delivery report says, an object a recipient */
    char *provider_id;  /* owned; NULL: the provider gives the mail none */
    char *reported_id;  /* owned: Message-ID of the message a delivery report is about; NULL: not known */
    size_t headers_bytes;
    struct buf text, html, stripped; /* UTF-8; stripped: as the provider cut it */
    bool from_html;                  /* text, or a part of it, was made from html */
    bool cut;
    bool is_report; /* Content-Type: multipart/report, of a delivery status as far as it says */
};

MUST_USE enum status draft_init(struct draft *d, const char *type);
void draft_fini(struct draft *d); /* also after draft_init has failed */

/* values[key], on one line. charset: see text.h. */
MUST_USE enum status draft_put(struct draft *d, const char *key, const char *charset, const void *bytes, size_t count);

/* A header of the mail, in its order: kept in the list, and what it tells is put. value: as the mail has it, or decoded. */
MUST_USE enum status draft_header(struct draft *d, const char *name, const char *value, size_t bytes);

/* The first header of that name that was kept, decoded; NULL: none. Borrowed from d. */
const char *draft_header_value(const struct draft *d, const char *name);

/* "from" and "from_name" of a From header's value; "sender" of a return path. */
MUST_USE enum status draft_from(struct draft *d, const char *value, size_t bytes);
MUST_USE enum status draft_sender(struct draft *d, const char *value, size_t bytes);

/* Recipients of the envelope: one address or several with commas. */
MUST_USE enum status draft_recipient(struct draft *d, const char *value, size_t bytes);

MUST_USE enum status draft_provider_id(struct draft *d, const char *id, size_t bytes);
MUST_USE enum status draft_time(struct draft *d, struct wall at);

/* key: spf, dkim or dmarc; word: what the provider calls it, in any case; all but pass and fail are left out. */
MUST_USE enum status draft_verdict(struct draft *d, const char *key, const char *word, size_t bytes);

/* target: one of the three bufs of d; adds to it. */
MUST_USE enum status draft_body(struct draft *d, struct buf *target, const char *charset, const void *bytes,
                                size_t count);

/* body: of the request, hashed when nothing else tells this mail from others. *ret: reply.h; d is emptied. */
MUST_USE enum status draft_finish(struct draft *d, const void *body, size_t bytes, json_t **ret, struct err *e);

#endif
