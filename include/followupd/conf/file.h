/* file: followupd.conf read whole, checked, and given as one struct. INI: [section], key = value, comments after '#'
 * or ';' at the start of a line and nowhere else: a value is the rest of its line. Every key is in conf/key.h;
 * followupd.conf.example shows them.
 *
 * Ownership  conf_load and conf_parse give a struct conf the caller frees with conf_free; its texts are its own.
 * Units      durations in milliseconds (_ms), rates a second, counts plain.
 * Errors     E_IO: the file cannot be read; E_INVALID: its content; E_LIMIT: larger than CONF_BYTES_MAX. The text names
 *            file, line, section and key: "followupd.conf:12: [engine] lease: ..."; no line for what stands nowhere in the
 *            file. The first error is told. What a type of provider wants of its section is app/providers.h's to say.
 * Threads    inih keeps its settings in globals: one reader at a time. */
#ifndef FOLLOWUPD_CONF_FILE_H
#define FOLLOWUPD_CONF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/log.h"
#include "followupd/base/status.h"

#define CONF_BYTES_MAX      (1 << 20)
#define CONF_LINE_BYTES_MAX 1200
#define CONF_PROVIDERS_MAX  16
#define CONF_WEBHOOKS_MAX   64
#define CONF_NAME_BYTES_MAX 30 /* of NAME in [provider.NAME] and [webhook.NAME] */

enum conf_provider_type {
    CONF_PROVIDER_GENERIC,
    CONF_PROVIDER_SENDGRID,
    CONF_PROVIDER_MAILGUN,
    CONF_PROVIDER_POSTMARK,
    CONF_PROVIDER_SES,
    CONF_PROVIDER_RESEND
};

struct conf_provider {
    char name[CONF_NAME_BYTES_MAX + 1];
    int line;                                   /* of its section, for messages */
    int type;                                   /* enum conf_provider_type */
    char *url;                                  /* NULL: the type's own */
    char *key_file;                             /* NULL: no key */
    int key_file_line, session_token_file_line; /* where they are named: whoever reads the files tells */
    char *domain, *region, *message_stream, *configuration_set, *message_id_domain, *access_key,
        *session_token_file; /* NULL: not given */
    bool tracking, keep_message_id;
    double rate; /* messages a second */
    int64_t concurrency_max;
    int64_t timeout_ms, connect_timeout_ms;
    int64_t key_window_ms;    /* how long the provider honours an idempotency key; 0: it does not */
    int64_t look_up_proof_ms; /* after this a look-up that finds nothing proves that nothing was sent; 0: never */
};

enum conf_webhook_type {
    CONF_WEBHOOK_SENDGRID,
    CONF_WEBHOOK_MAILGUN,
    CONF_WEBHOOK_POSTMARK,
    CONF_WEBHOOK_SES,
    CONF_WEBHOOK_RESEND
};

/* Who may send to /webhooks/NAME/ACCOUNT and /inbound/NAME/ACCOUNT. */
struct conf_webhook {
    char name[CONF_NAME_BYTES_MAX + 1];
    int line;                                                        /* of its section, for messages */
    int type;                                                        /* enum conf_webhook_type */
    int64_t account_id;                                              /* 0: any account */
    char *secret_file, *secret_header, *public_key_file, *topic_arn; /* NULL: not given */
    int secret_file_line, public_key_file_line; /* where they are named: whoever reads the files tells */
    int64_t fresh_ms;                           /* 0: the type's own */
    char *classifier_url;                       /* NULL: nobody is asked about replies */
    int64_t classifier_timeout_ms;
};

struct conf {
    char *conninfo;
    int64_t statement_timeout_ms, reconnect_min_ms, reconnect_max_ms;

    char *worker;    /* NULL: the host's name */
    char *provider;  /* default provider of a message; always one of `providers` */
    char *state_dir; /* NULL: $STATE_DIRECTORY, else none */
    bool notify;
    int64_t horizon_ms, wheel_rows_max;
    int64_t sweep_ms, sweep_old_ms, sending_grace_ms;
    int64_t in_flight_max, begin_within_ms, busy_again_ms;
    int64_t batch_rows, batch_wait_ms;
    int64_t lease_ms, lease_margin_ms;
    int64_t settle_after_ms, settle_interval_ms, policy_after_ms;
    int64_t bulk_interval_ms, inbox_interval_ms;
    int64_t drain_ms, clock_refresh_ms;

    char *listen;      /* NULL: no HTTP */
    bool listen_asked; /* it stands in the file: a port that is taken then stops the start */
    int64_t http_connections_max, http_address_connections_max;
    int64_t bodies_bytes_max;
    int64_t header_timeout_ms, body_timeout_ms, answer_timeout_ms, idle_timeout_ms;
    char *public_url; /* NULL: no unsubscribe links */
    int log_level;    /* enum log_level */

    struct conf_provider *providers; /* sorted by their place in the file */
    size_t providers_count;
    struct conf_webhook *webhooks; /* likewise; all of them may change on reload */
    size_t webhooks_count;
};

MUST_USE enum status conf_load(const char *path, struct conf **ret, struct err *e);
/* name: what messages call the text. */
MUST_USE enum status conf_parse(const char *name, const char *text, size_t bytes, struct conf **ret, struct err *e);
void conf_free(struct conf *c);

const struct conf_provider *conf_provider_find(const struct conf *c, const char *name); /* NULL: none of that name */

/* Whether `fresh` may replace `old` without a restart. E_INVALID names the first key that differs and may not. */
MUST_USE enum status conf_may_reload(const struct conf *old, const struct conf *fresh, struct err *e);
/* After conf_may_reload: what may change on reload is c's from now on, fresh has what it was. Both stay their owners'. */
void conf_adopt(struct conf *c, struct conf *fresh);

#endif
