/* What the files of store_pg share. */
#ifndef FOLLOWUPD_STORE_PG_INTERNAL_H
#define FOLLOWUPD_STORE_PG_INTERNAL_H

#include "followupd/base/list.h"
#include "followupd/db/backoff.h"
#include "followupd/db/conn.h"
#include "followupd/db/copy.h"
#include "followupd/db/query.h"
#include "followupd/db/result.h"
#include "followupd/store/store_pg.h"

enum pg_role { PG_CONTROL, PG_CLAIMS, PG_RESULTS, PG_LOAD, PG_BULK, PG_INBOX, PG_APPLY, PG_PAGES, PG_ROLES };

enum pg_phase {
    PG_WAITING, /* for the back-off */
    PG_OPENING, /* connections, then the schema's version */
    PG_UP,      /* operations are taken */
    PG_FALLING, /* one broke, all are being closed */
    PG_REFUSED, /* closed, never again */
    PG_CLOSING
};

struct pg_slot {
    struct store_pg *store;
    struct db_conn *conn; /* NULL: none */
};

struct pg_load {
    struct db_copy copy;
    struct store_pg *store;
    store_due_cb on_rows;
    store_done_cb on_done;
    void *arg;
    bool malformed;
    size_t count;
    struct due_message rows[STORE_BATCH_MAX];
};

struct store_pg {
    struct store base;
    uv_loop_t *loop;
    struct store_pg_config config;
    struct store_events events;
    enum pg_phase phase;
    struct pg_slot slots[PG_ROLES];
    size_t open_count, up_count;
    struct db_query version_query;
    struct backoff backoff;
    uv_timer_t retry;
    bool was_up, refused;
    unsigned failures; /* tries since it was up: each begins with the next host of conninfo */
    enum status why_st;
    struct err why;
    bool sweeping_due, sweeping_sending, bulk_stepping, applying;
    struct pg_load *load; /* the one that runs, or NULL */
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

/* Who asked, and what for. */
struct pg_caller {
    union {
        store_claim_cb claim;
        store_record_cb record;
        store_lease_cb lease;
        store_due_cb due;
        store_done_cb done;
        store_number_cb number;
        store_clock_cb clock;
        store_bulk_cb bulk;
        store_inbox_cb inbox;
        store_applied_cb applied;
        store_unsubscribe_cb unsubscribe;
        store_look_up_cb look_up;
        store_list_cb list;
    } cb;
    void *arg;
    bool *busy;       /* true while it runs; NULL: several may run */
    int64_t asked_us; /* set by pg_start */
};

static inline struct store_pg *pg_of(struct store *s)
{
    return container_of(s, struct store_pg, base);
}

/* Sends it and frees the parameters. */
MUST_USE enum status pg_start(struct store_pg *s, enum pg_role role, const struct db_statement *statement,
                              struct db_params *params, struct pg_caller caller, db_query_cb cb);
/* The first thing that a db_query_cb does, so that its caller's callback may ask again: the operation is over and gone.
 * Result and error stay as they are. */
struct pg_caller pg_end(struct db_query *q);
/* An answer of these types (db_result_check) as an array, a row by read_row; *ret_rows is owned, and NULL on failure. */
MUST_USE enum status pg_read_rows(const PGresult *res, const char *types, size_t row_bytes,
                                  enum status (*read_row)(const PGresult *res, int row, void *ret, struct err *e),
                                  void **ret_rows, size_t *ret_count, struct err *e);
void pg_add_leases(struct db_params *p, struct lease_set leases); /* two arrays: shards, epochs */
void pg_add_texts(struct db_params *p, const char *const *texts, size_t count);
void pg_add_refs(struct db_params *p, const struct message_ref *refs, size_t count); /* two: accounts, messages */
void pg_on_due(struct db_query *q, enum status st, const struct err *e, const PGresult *res);
void pg_on_number(struct db_query *q, enum status st, const struct err *e, const PGresult *res); /* one row of one */
void pg_on_done(struct db_query *q, enum status st, const struct err *e, const PGresult *res);

enum status pg_claim(struct store *s, struct lease_set leases, const struct message_ref *refs, size_t count,
                     store_claim_cb cb, void *arg);
enum status pg_claim_in_doubt(struct store *s, const struct in_doubt_request *r, store_claim_cb cb, void *arg);
enum status pg_unclaim(struct store *s, const struct send_result *claimed, size_t count, store_due_cb cb, void *arg);
enum status pg_record(struct store *s, struct lease_set leases, const struct send_result *results, size_t count,
                      store_record_cb cb, void *arg);
enum status pg_lease_acquire(struct store *s, const char *former, int64_t ttl_ms, store_lease_cb cb, void *arg);
enum status pg_lease_renew(struct store *s, struct lease_set leases, int64_t ttl_ms, store_lease_cb cb, void *arg);
enum status pg_lease_release(struct store *s, struct lease_set leases, store_done_cb cb, void *arg);
enum status pg_beat(struct store *s, bool draining, store_done_cb cb, void *arg);
enum status pg_report(struct store *s, const char *figures, store_number_cb cb, void *arg);
enum status pg_clock(struct store *s, store_clock_cb cb, void *arg);
enum status pg_load(struct store *s, const struct load_request *r, store_due_cb on_rows, store_done_cb on_done,
                    void *arg);
enum status pg_sweep_due(struct store *s, const struct sweep_request *r, store_due_cb cb, void *arg);
enum status pg_claim_mark(struct store *s, store_number_cb cb, void *arg);
enum status pg_sweep_sending(struct store *s, struct lease_set leases, const struct sending_request *r, store_due_cb cb,
                             void *arg);
enum status pg_settle_by_policy(struct store *s, struct lease_set leases, int64_t policy_after_ms, size_t count_max,
                                store_due_cb cb, void *arg);
enum status pg_claim_list_pull(struct store *s, const struct list_request *r, store_list_cb cb, void *arg);
enum status pg_apply_list_page(struct store *s, const char *provider, struct wall asked, const char *entries,
                               store_number_cb cb, void *arg);
enum status pg_end_list_pull(struct store *s, const struct list_end *end, store_done_cb cb, void *arg);
enum status pg_claim_look_ups(struct store *s, const struct look_up_request *r, store_look_up_cb cb, void *arg);
enum status pg_settle_looked_up(struct store *s, struct lease_set leases, const struct looked_up *answers, size_t count,
                                store_due_cb cb, void *arg);
enum status pg_bulk_step(struct store *s, struct lease_set leases, store_bulk_cb cb, void *arg);
enum status pg_receive_webhooks(struct store *s, const struct stored_webhook *webhooks, size_t count, store_inbox_cb cb,
                                void *arg);
enum status pg_receive_confirmation(struct store *s, const struct stored_webhook *confirmation, store_inbox_cb cb,
                                    void *arg);
enum status pg_apply_inbox(struct store *s, int count_max, store_applied_cb cb, void *arg);
enum status pg_unsubscribe(struct store *s, const char *token, const char *user_agent, bool acts,
                           store_unsubscribe_cb cb, void *arg);

#endif
