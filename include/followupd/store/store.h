/* store: the engine's statements, typed. The seam between the engine and where the truth is kept: store_pg speaks to
 * PostgreSQL, a model in tests/sim speaks to nobody. Each entry calls one SQL function (sql/functions); the store
 * decides nothing.
 *
 * Calls      every operation is asynchronous. A call that returns OK runs its callback exactly once, later, from the
 *            loop, never inside the call. A call that returns anything else was not started: its callback never runs.
 *            E_GONE: no connection now. E_BUSY: this operation runs already and only one may (load, sweeps, bulk_step,
 *            apply_inbox), or its connection has 64 statements under way.
 * Ownership  what is passed in is borrowed until the call returns (it is copied onto the wire); what a callback gets
 *            is borrowed until the callback returns.
 * Failures   a callback with E_GONE or E_TIMEOUT does not tell whether the statement committed: claims are found again
 *            by sweep_sending, records are repeated (they are idempotent). E_CANCELLED: the store was closed.
 * Time       struct wall is business time except where the name says real; waits are real milliseconds.
 * Cost       one round trip an operation; arrays are bounded by STORE_BATCH_MAX. */
#ifndef FOLLOWUPD_STORE_STORE_H
#define FOLLOWUPD_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/clock.h"
#include "followupd/base/outcome.h"
#include "followupd/base/status.h"

#define STORE_SHARDS    64
#define STORE_BATCH_MAX 1000 /* messages in one claim, record or sweep page */
/* Real: so long before it is due a message may be claimed, as claimed_until has it. */
#define STORE_CLAIM_EARLY_MS_MAX 50

struct store;

struct message_ref {
    int64_t account_id, message_id;
};
struct due_message {
    struct message_ref ref;
    struct wall due;
};
struct shard_lease {
    int shard;
    int64_t epoch;
    bool elsewhere; /* answers of renew only: another living worker is preferred for it */
};
struct lease_set {
    const struct shard_lease *leases;
    size_t count;
};

/* --- claim: due -> ours ---------------------------------------------------------------------------------------- */

#define CLAIM_VERDICT_MAP(X)                                                                                           \
    X(CLAIM_CLAIMED, "claimed")   /* `sending` and committed: post it, or give it back */                              \
    X(CLAIM_GONE, "gone")         /* no longer to be sent: forget it */                                                \
    X(CLAIM_MOVED, "moved")       /* due at another time now: set it anew */                                           \
    X(CLAIM_BUSY, "busy")         /* its conversation is locked by somebody: ask again soon */                         \
    X(CLAIM_NOT_OURS, "not_ours") /* the lease is another worker's: forget it */

enum claim_verdict {
#define X(name, label) name,
    CLAIM_VERDICT_MAP(X)
#undef X
};

/* The merge tags that every message has, as templates name them. */
#define CLAIM_TAGS 13
extern const char *const claim_tags[CLAIM_TAGS];

struct claim_row {
    struct message_ref ref;
    enum claim_verdict verdict;
    struct wall due; /* of claimed and moved */
    /* The rest: claimed only. Texts are UTF-8 and terminated; NULL where the database has NULL. */
    int shard;
    int64_t epoch;
    int attempts, posts; /* key and POST number: the key is fu/<account>/<message>/<attempts> */
    const char *kind;    /* sequence, follow_up, alert, webhook */
    const char *provider;
    const char *recipient, *from_name, *from_address, *reply_to;
    const char *subject, *body_text, *body_html; /* templates */
    const char *fields;                          /* the lead's own merge values: a JSON object; NULL: none */
    const char *tags[CLAIM_TAGS];                /* by claim_tags; they come before fields; NULL: no value */
    const char *rfc_message_id, *in_reply_to;    /* with their <> */
    const char *references;                      /* separated by blanks */
    const char *unsubscribe_token;
    const char *payload; /* of alert and webhook: a JSON object */
};

/* e: NULL when st is OK. rows: one for every message asked. */
typedef void (*store_claim_cb)(void *arg, enum status st, const struct err *e, const struct claim_row *rows,
                               size_t count);

struct in_doubt_request {
    struct lease_set leases;
    const char *const *providers; /* those that honour a key, and ... */
    const int64_t *key_window_ms; /* ... for how long after its first POST, margin taken off, and ... */
    const int *places;            /* ... how many of its messages; together at most STORE_BATCH_MAX */
    size_t provider_count;
    int64_t settle_after_ms; /* not before claimed_at + this (send timeout and margin) */
};

/* --- record: outcome -> database ------------------------------------------------------------------------------- */

struct send_result {
    struct message_ref ref;
    int attempts, posts;
    int64_t epoch; /* as the claim stored it */
    enum outcome outcome;
    bool uncounted;         /* retry that is not the message's fault (401, 403, breaker): keeps its key */
    int http_status;        /* 0: no answer */
    int64_t retry_after_ms; /* real; 0: the database's back-off decides */
    const char *detail;     /* NULL: nothing to say */
    const char *provider_message_id;
    const char *rfc_message_id; /* that the provider wrote in the place of ours; NULL: ours */
    struct wall started_real, ended_real;
    const char *subject, *text, *html; /* as it left; NULL unless sent */
};

struct recorded_row {
    struct message_ref ref;
    bool accepted; /* false: a late or lost result; it is kept as an attempt, nothing else changed */
    bool has_next;
    struct due_message next; /* what is due next because of it: a retry, or the message planned after it */
};
/* A result that has no row was not recorded: somebody held its message, lead or conversation. Record it again. */
typedef void (*store_record_cb)(void *arg, enum status st, const struct err *e, const struct recorded_row *rows,
                                size_t count);

/* --- look-ups: what a provider knows of a message in doubt -------------------------------------------------------- */

struct look_up_row {
    struct message_ref ref;
    int attempts, posts;
    const char *provider, *rfc_message_id; /* rfc_message_id may be NULL */
    struct wall first_post_real;
};
typedef void (*store_look_up_cb)(void *arg, enum status st, const struct err *e, const struct look_up_row *rows,
                                 size_t count);

struct look_up_request {
    struct lease_set leases;
    const char *const *providers; /* those that can be asked now */
    size_t provider_count;
    int64_t settle_after_ms; /* as in in_doubt_request */
    size_t count_max;
};

struct looked_up {
    struct message_ref ref;
    int attempts, posts;
    bool found;
    int64_t proof_ms;                /* not found so long after the POST: not sent; 0: that proves nothing */
    const char *provider_message_id; /* NULL: not named */
};

/* --- suppression lists of providers ----------------------------------------------------------------------------- */

struct list_request {
    struct lease_set leases;
    const char *const *providers, *const *types; /* whose list can be asked for, parallel */
    size_t provider_count;
};
struct list_row {
    const char *provider;
    struct wall since, asked; /* real; asked names the pull from now on */
};
/* row NULL: no list is to be pulled now. */
typedef void (*store_list_cb)(void *arg, enum status st, const struct err *e, const struct list_row *row);

struct list_end {
    const char *provider;
    struct wall asked;
    const char *why; /* NULL: it was read to its end */
    bool final;      /* asking again would end the same way */
    int64_t wait_ms; /* the provider said that it is not to be asked before; 0: it named no time */
};

/* --- leases, clock, loads, sweeps ------------------------------------------------------------------------------- */

typedef void (*store_lease_cb)(void *arg, enum status st, const struct err *e, const struct shard_lease *leases,
                               size_t count);
typedef void (*store_due_cb)(void *arg, enum status st, const struct err *e, const struct due_message *rows,
                             size_t count);
typedef void (*store_done_cb)(void *arg, enum status st, const struct err *e);
typedef void (*store_number_cb)(void *arg, enum status st, const struct err *e, int64_t number);
/* asked and answered: mono_now_us() around the round trip. */
typedef void (*store_clock_cb)(void *arg, enum status st, const struct err *e, struct wall business, double rate,
                               int64_t asked_us, int64_t answered_us);

/* progress: the bulk that a chunk was asked of; more: it goes on. NULL: there is nothing to do now, or st is not OK. */
struct bulk_progress {
    int64_t account_id, bulk_id;
    bool more;
};
typedef void (*store_bulk_cb)(void *arg, enum status st, const struct err *e, const struct bulk_progress *progress);

/* --- the inbox: webhooks -> database ----------------------------------------------------------------------------- */

enum webhook_stored { WEBHOOK_STORED, WEBHOOK_TOKEN_REUSED, WEBHOOK_NO_ACCOUNT, WEBHOOK_REFUSED };

struct stored_webhook {
    int64_t account_id;
    const char *source; /* NAME of [webhook.NAME] */
    const char *events; /* a JSON array of typed events or replies */
    const char *token;  /* of a single use; NULL: none */
};
/* verdicts: one a webhook, in order. */
typedef void (*store_inbox_cb)(void *arg, enum status st, const struct err *e, const enum webhook_stored *verdicts,
                               size_t count);

struct inbox_applied {
    int64_t applied, unmatched, failed;
    int64_t fresh; /* events out of webhooks that were not known before */
    bool more;     /* apply again at once */
};
typedef void (*store_applied_cb)(void *arg, enum status st, const struct err *e, const struct inbox_applied *applied);

/* found false: the token is nobody's. Texts are borrowed. */
struct unsubscribe_state {
    bool found, unsubscribed;
    const char *account_name, *address; /* masked */
};
typedef void (*store_unsubscribe_cb)(void *arg, enum status st, const struct err *e,
                                     const struct unsubscribe_state *state);

struct load_request {
    const int *shards; /* an empty list loads nothing */
    size_t shard_count;
    int64_t account_id;      /* 0: all accounts of the shards */
    struct wall from, until; /* due in [from, until); from 0: everything before until */
};

/* The statement may run long after it is asked: mark is an answer of claim_mark from before in_flight was listed, so that
 * what was claimed since is not taken for lost. */
struct sending_request {
    const struct message_ref *in_flight; /* all that is being claimed, posted or recorded */
    size_t in_flight_count;
    int64_t mark, grace_ms;
};

struct sweep_request {
    struct lease_set leases;
    struct wall from, until;  /* due in [from, until) */
    struct due_message after; /* the last row of the page before, by (shard, due, account, message); zero: the first */
    size_t count_max;
};

/* What the database tells on its own. */
struct store_events {
    void *arg;
    /* All connections stand and the schema is right, after the start and after every reconnect. Whatever was told by
     * NOTIFY before is lost: reload. */
    void (*on_up)(void *arg);
    /* One broke, all were closed; callbacks of what was under way have run with E_GONE. Reconnects by itself. */
    void (*on_down)(void *arg, const struct err *e);
    /* It never will be up: wrong schema version, refused role. Said once; the caller stops. */
    void (*on_refused)(void *arg, enum status st, const struct err *e);
    /* NOTIFY on channel followup. */
    void (*on_notify)(void *arg, const char *payload);
};

struct store_ops {
    MUST_USE enum status (*claim)(struct store *s, struct lease_set leases, const struct message_ref *refs,
                                  size_t count, store_claim_cb cb, void *arg);
    /* Takes messages in doubt, as many as there are places, back to `sending` with the same key. Rows are all
     * CLAIM_CLAIMED. */
    MUST_USE enum status (*claim_in_doubt)(struct store *s, const struct in_doubt_request *r, store_claim_cb cb,
                                           void *arg);
    /* Claimed but no byte left: back to scheduled, the key unused. Rows: what is due again. */
    MUST_USE enum status (*unclaim)(struct store *s, const struct send_result *claimed, size_t count, store_due_cb cb,
                                    void *arg);
    MUST_USE enum status (*record)(struct store *s, struct lease_set leases, const struct send_result *results,
                                   size_t count, store_record_cb cb, void *arg);
    /* former: worker id of a dead process of this host whose leases may be taken at once, or NULL. Rows: those gained.
     */
    MUST_USE enum status (*lease_acquire)(struct store *s, const char *former, int64_t ttl_ms, store_lease_cb cb,
                                          void *arg);
    /* Rows: those still ours; a shard that is missing is lost. */
    MUST_USE enum status (*lease_renew)(struct store *s, struct lease_set leases, int64_t ttl_ms, store_lease_cb cb,
                                        void *arg);
    MUST_USE enum status (*lease_release)(struct store *s, struct lease_set leases, store_done_cb cb, void *arg);
    MUST_USE enum status (*beat)(struct store *s, bool draining, store_done_cb cb, void *arg);
    /* What this worker says of itself, a JSON object; for people who look at the database. The number: alerts that replies
     * raised and nobody settled. */
    MUST_USE enum status (*report)(struct store *s, const char *figures, store_number_cb cb, void *arg);
    MUST_USE enum status (*clock)(struct store *s, store_clock_cb cb, void *arg);
    /* on_rows runs any number of times (COPY), then on_done once. One load at a time. */
    MUST_USE enum status (*load)(struct store *s, const struct load_request *r, store_due_cb on_rows,
                                 store_done_cb on_done, void *arg);
    /* One keyset page of what is scheduled and due in the interval. */
    MUST_USE enum status (*sweep_due)(struct store *s, const struct sweep_request *r, store_due_cb cb, void *arg);
    /* The number of the newest claim: what is claimed after the answer has a greater one. */
    MUST_USE enum status (*claim_mark)(struct store *s, store_number_cb cb, void *arg);
    /* `sending` rows nobody works on: of an older epoch -> in_doubt; ours but not among the list, claimed no later than
     * its mark and longer ago than its grace -> scheduled. Rows: what is due again. */
    MUST_USE enum status (*sweep_sending)(struct store *s, struct lease_set leases, const struct sending_request *r,
                                          store_due_cb cb, void *arg);
    /* Messages in doubt that no key can settle any more: the account's policy, after policy_after_ms. Rows: what is
     * due next because of it. */
    MUST_USE enum status (*settle_by_policy)(struct store *s, struct lease_set leases, int64_t policy_after_ms,
                                             size_t count_max, store_due_cb cb, void *arg);
    /* Messages in doubt that their provider can be asked about now. Nothing changes for them but that it is noted. */
    MUST_USE enum status (*claim_look_ups)(struct store *s, const struct look_up_request *r, store_look_up_cb cb,
                                           void *arg);
    /* What the providers said. Rows: what is due next because of it. */
    MUST_USE enum status (*settle_looked_up)(struct store *s, struct lease_set leases, const struct looked_up *answers,
                                             size_t count, store_due_cb cb, void *arg);
    /* Whose suppression list is to be pulled. */
    MUST_USE enum status (*claim_list_pull)(struct store *s, const struct list_request *r, store_list_cb cb, void *arg);
    /* A page of it, a JSON array. */
    MUST_USE enum status (*apply_list_page)(struct store *s, const char *provider, struct wall asked,
                                            const char *entries, store_number_cb cb, void *arg);
    MUST_USE enum status (*end_list_pull)(struct store *s, const struct list_end *end, store_done_cb cb, void *arg);
    /* One chunk of a committed bulk of these shards; takes seconds. One at a time. */
    MUST_USE enum status (*bulk_step)(struct store *s, struct lease_set leases, store_bulk_cb cb, void *arg);
    /* All of them in one transaction. */
    MUST_USE enum status (*receive_webhooks)(struct store *s, const struct stored_webhook *webhooks, size_t count,
                                             store_inbox_cb cb, void *arg);
    /* Of SNS: events is the confirmation, an object. The verdict of one webhook. */
    MUST_USE enum status (*receive_confirmation)(struct store *s, const struct stored_webhook *confirmation,
                                                 store_inbox_cb cb, void *arg);
    /* Applies at most count_max stored events, or takes as many webhooks apart. One at a time. */
    MUST_USE enum status (*apply_inbox)(struct store *s, int count_max, store_applied_cb cb, void *arg);
    /* user_agent: NULL: none. acts false: shows alone. */
    MUST_USE enum status (*unsubscribe)(struct store *s, const char *token, const char *user_agent, bool acts,
                                        store_unsubscribe_cb cb, void *arg);
    bool (*is_up)(const struct store *s);
    /* Cancels what is under way (E_CANCELLED), closes, frees s. on_closed runs once, last. */
    void (*close)(struct store *s, void (*on_closed)(void *arg), void *arg);
};

struct store {
    const struct store_ops *ops;
};

const char *claim_verdict_label(enum claim_verdict verdict);

#endif
