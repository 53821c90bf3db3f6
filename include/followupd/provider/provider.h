/* provider: what differs between one mail API and the next, as a table of functions: how a request looks and what an
 * answer means. A provider is a pure translator: it sends nothing, keeps no state and knows no clock but for reading a
 * date in a header of an answer.
 *
 * Our id     every message carries fu_id in the field that its provider echoes in events: it is the one thing by which
 *            an event and a look-up find the message again.
 * A new provider is one file with one `const struct provider_type` and its line in registry.c. */
#ifndef FOLLOWUPD_PROVIDER_PROVIDER_H
#define FOLLOWUPD_PROVIDER_PROVIDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/buf.h"
#include "followupd/base/clock.h"
#include "followupd/base/outcome.h"
#include "followupd/base/status.h"
#include "followupd/provider/transport.h"

#define PROVIDER_BODY_BYTES_MAX     (8 * 1024 * 1024)
#define PROVIDER_DETAIL_BYTES       512
#define PROVIDER_ID_BYTES           256
#define PROVIDER_FU_ID_BYTES        64
#define PROVIDER_URL_BYTES_MAX      2000
#define PROVIDER_RETRY_AFTER_MS_MAX (60 * 60 * 1000)

/* One [provider.NAME] of followupd.conf. Everything is borrowed by who reads it; the registry keeps copies. */
struct provider_config {
    const char *name, *type;
    const char *url;    /* http: or https:; NULL: the type's own. generic: of the send, others: before the path */
    const char *key;    /* secret; NULL: none */
    const char *domain; /* mailgun: the sending domain */
    const char *region; /* NULL: the type's first */
    const char *message_stream;    /* postmark */
    const char *configuration_set; /* ses */
    const char
        *message_id_domain;    /* ses, postmark: mail leaves with the Message-ID <its id@this>; NULL: ses by its region,
                                    * postmark with ours */
    const char *access_key;    /* ses; key is its secret */
    const char *session_token; /* ses, secret: of temporary credentials */
    bool tracking;             /* the provider counts opens and clicks */
    bool keep_message_id;      /* ask it to leave our Message-ID alone, where that has to be asked */
    double rate_per_s;         /* 0: no limit */
    int concurrency_max;
    int64_t timeout_ms;
    int64_t connect_timeout_ms; /* 0: only timeout_ms counts */
    int64_t key_window_ms;      /* how long it honours an idempotency key; 0: it does not */
    int64_t look_up_proof_ms;   /* after this a look-up that finds nothing proves that nothing was sent; 0: never */
};

/* A message as it goes out. All borrowed; UTF-8. */
struct outgoing {
    int64_t account_id, message_id;
    struct wall due;                      /* business */
    const char *key;                      /* idempotency key */
    const char *fu_id;                    /* provider_fu_id */
    const char *from_name, *from_address; /* what `from` was made of; the name may be NULL */
    const char *from, *to, *reply_to;     /* header values; reply_to may be NULL */
    const char *subject, *text, *html;    /* html may be NULL */
    const json_t *headers;                /* an object of strings: Message-ID and others */
};

/* Everything in it is owned. */
struct provider_request {
    enum transport_method method;
    char *url;                       /* NULL: where the provider takes messages */
    char *user_password, *aws_sigv4; /* as in transport_request */
    char *headers[TRANSPORT_HEADERS_MAX];
    size_t header_count;
    char *body;
    size_t body_bytes;
};

/* What an answer means for the message, and for the provider as a whole. */
struct judgement {
    enum outcome outcome;
    bool uncounted;         /* a retry that is not the message's fault */
    bool refused_us;        /* no request will work until somebody changes something: the provider rests */
    bool overloaded;        /* 429, 503, 5xx, no answer in time: send less */
    bool unreachable;       /* no connection, no answer, or 5xx: one more towards an open breaker */
    bool alarm;             /* the configuration is probably wrong (a redirect) */
    bool called_off;        /* nothing was asked of the provider */
    bool key_reused;        /* the key came before, with another body: that POST arrived, this one did not */
    int64_t retry_after_ms; /* real; 0: the provider named none; at most PROVIDER_RETRY_AFTER_MS_MAX */
    char detail[PROVIDER_DETAIL_BYTES];          /* for a person; "" when there is nothing to say */
    char provider_message_id[PROVIDER_ID_BYTES]; /* "" when the answer names none */
    char rfc_message_id[PROVIDER_ID_BYTES];      /* the Message-ID that the mail has instead of ours; "": ours */
};

/* A message in doubt, whose provider can be asked about it. Borrowed. */
struct doubt {
    const char *fu_id;           /* of the key in doubt */
    const char *rfc_message_id;  /* with its <>; may be NULL */
    struct wall first_post, now; /* real */
};

enum look_up_answer {
    LOOK_UP_UNKNOWN, /* it said nothing */
    LOOK_UP_FOUND,   /* it has accepted the message */
    LOOK_UP_ABSENT,  /* it does not know it, today: whether that proves anything is a matter of time */
};

/* Where the reading of a suppression list stands: it may be several lists, each of several pages. */
#define LIST_CURSOR_BYTES 1024
struct list_place {
    int list; /* 0, 1, ... */
    int64_t offset;
    char cursor[LIST_CURSOR_BYTES]; /* as the answer before named it, for the next request; "": the first page */
};

/* What a type makes of the configuration beside url and key. */
enum provider_field {
    PROVIDER_DOMAIN = 1,
    PROVIDER_REGION = 2,
    PROVIDER_MESSAGE_STREAM = 4,
    PROVIDER_CONFIGURATION_SET = 8,
    PROVIDER_ACCESS_KEY = 16,
    PROVIDER_SESSION_TOKEN = 32,
    PROVIDER_KEY = 64,
    PROVIDER_MESSAGE_ID_DOMAIN = 128,
};

struct provider_type {
    const char *name;
    unsigned takes, needs; /* enum provider_field; a field that it does not take is a mistake of the configuration */
    bool honours_key; /* can take a key at all: while key_window_ms lasts, a repeated one never makes a second mail */
    bool declines_by_503; /* a 503 with Retry-After: it took nothing */
    /* Where it is when no url is configured. E_INVALID with the reason: an unknown region. NULL: a url must be given. */
    enum status (*add_url)(const struct provider_config *config, struct buf *out, struct err *e);
    /* What follows the url for a message. NULL: nothing. */
    enum status (*add_path)(const struct provider_config *config, struct buf *out);
    /* E_INVALID (not UTF-8), E_LIMIT, E_NOMEM; ret is written on success. */
    enum status (*build)(const struct provider_config *config, const struct outgoing *message,
                         struct provider_request *ret, struct err *e);
    /* Reads what only this provider knows from an answer into ret, which judge_answer has filled by the status. */
    void (*read_answer)(const struct provider_config *config, const struct transport_answer *answer,
                        struct wall now_real, struct judgement *ret);
    /* Asks about a message in doubt; both NULL: it cannot be asked. Errors as of build, and E_INVALID for a doubt that
     * has nothing to ask by. provider_message_id: written when it is found and named. */
    enum status (*build_look_up)(const struct provider_config *config, const struct doubt *doubt,
                                 struct provider_request *ret, struct err *e);
    enum look_up_answer (*read_look_up)(const struct transport_answer *answer,
                                        char provider_message_id[PROVIDER_ID_BYTES]);
    /* Asks for a page of whom it suppresses since then; both NULL: it has no such list. Errors as of build. */
    enum status (*build_list)(const struct provider_config *config, const struct list_place *place, struct wall since,
                              struct provider_request *ret, struct err *e);
    /* A page that came whole with status 200: appends its entries as apply_list_page takes them, and moves place to
     * the next one; *over: there is none. E_INVALID: it is no such page, and nothing is changed but entries. */
    enum status (*read_list)(const struct transport_answer *answer, struct list_place *place, bool *over,
                             json_t *entries, struct err *e);
};

extern const struct provider_type provider_generic, provider_mailgun, provider_postmark, provider_resend,
    provider_sendgrid, provider_ses;

/* <account>-<message>-<attempts>: one for each key. */
void provider_fu_id(int64_t account_id, int64_t message_id, int attempts, char ret[PROVIDER_FU_ID_BYTES]);

void provider_request_fini(struct provider_request *r);
/* What transport_send takes of it, with this provider's times; points into r. url may be NULL, as r's. */
struct transport_request provider_request_transport(const struct provider_request *r,
                                                    const struct provider_config *config);
/* Adds "name: value". E_LIMIT: too many; E_INVALID: a control character in the value. */
MUST_USE enum status provider_request_header(struct provider_request *r, const char *name, const char *value);

/* The rules all providers share (docs/provider-generic.md, "Answer"), then the type's read_answer. now_real: to turn
 * the date in a header into a wait. */
void judge_answer(const struct provider_type *type, const struct provider_config *config,
                  const struct transport_answer *answer, struct wall now_real, struct judgement *ret);
/* How long the answer says that nothing is to be asked, whatever it answers; real milliseconds, 0: it does not say. */
int64_t judge_wait_ms(const struct provider_type *type, const struct provider_config *config,
                      const struct transport_answer *answer, struct wall now_real);
/* Copies a stranger's text: cut at a character boundary, control characters turned into blanks, bytes that are not
 * UTF-8 into '?'. The result is always terminated and valid UTF-8. */
void judge_copy_text(char *ret, size_t bytes, const char *text, size_t text_bytes);

#endif
