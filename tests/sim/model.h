/* model: what PostgreSQL and the SQL functions are to the engine, in memory. Each function is one transaction of
 * sql/functions, with the same name where there is one, simplified to what the engine can tell apart: no calendars, no
 * caps, no templates. It knows no engine: faults (late and lost answers, a database that is away) are model_store's.
 *
 * Journal  what people asked for and what was planned is told to the journal, in the order in which it was committed.
 *          The auditor (audit.py) judges it together with the provider's lines.
 * Time     the database's wall clock: SIM_EPOCH_US + sim_now() + its offset. */
#ifndef TESTS_SIM_MODEL_H
#define TESTS_SIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/store/store.h"

enum model_policy { POLICY_HOLD, POLICY_RESEND, POLICY_ASSUME_SENT, POLICY_COUNT };
enum model_state { M_SCHEDULED, M_SENDING, M_IN_DOUBT, M_SENT, M_FAILED, M_CANCELLED };

struct model_message {
    int64_t account_id, id;
    int conversation;
    int64_t due_us;
    enum model_state state;
    bool detached;
    int attempts, posts, retried; /* retried: POSTs of the present key that provably did not arrive */
    int64_t epoch, claim_seq;
    int claimed_by; /* worker number */
    int64_t claimed_at_us, first_post_us;
    int looked_key, looks; /* the key (attempts) that was asked about, and how often */
    int64_t looked_up_us;
};
struct model_conversation {
    int64_t account_id;
    bool active;
    int64_t stop_seq;
    int steps, next; /* so many messages; the number of the next */
    int64_t delay_us;
    int live; /* index of its message that is not decided and not detached; -1: none */
};
struct model_lease {
    int owner; /* worker number; 0: nobody */
    int64_t epoch, expires_us;
};
struct model_worker {
    int64_t beat_us;
    bool draining;
};

#define MODEL_ACCOUNTS_MAX 12
#define MODEL_WORKERS_MAX  256 /* process starts in one run */

struct model {
    enum model_policy policy;
    int64_t wall_offset_us;
    double busy; /* how often a row is locked by somebody else */
    bool blind;  /* sweep_due finds nothing: load, NOTIFY and answers have to do */
    struct model_message *messages;
    size_t message_count, message_room;
    struct model_conversation *conversations;
    size_t conversation_count, conversation_room;
    int64_t accounts[MODEL_ACCOUNTS_MAX];
    bool paused[MODEL_ACCOUNTS_MAX];
    size_t account_count;
    int64_t order_seq;
    struct model_lease leases[STORE_SHARDS];
    struct model_worker workers[MODEL_WORKERS_MAX + 1]; /* by number, from 1 */
    int worker_last;                                    /* the highest that beat */
    uint64_t violations; /* of what the model itself can see: a claim after a stop, two live messages */
    void (*notify)(void *arg, const char *payload);
    void *notify_arg;
};

void model_init(struct model *m, enum model_policy policy, size_t accounts);
void model_fini(struct model *m);
int64_t model_now(const struct model *m);

/* --- people; each tells the journal and, by notify, the workers --------------------------------------------------- */

void model_start(struct model *m, size_t account, int steps, int64_t first_us, int64_t delay_us);
void model_stop(struct model *m, size_t conversation);
/* Stops and opens another with as many steps, the first now. */
void model_restart(struct model *m, size_t conversation);
void model_move(struct model *m, size_t message, int64_t due_us);
void model_pause(struct model *m, size_t account, bool paused);

/* --- the engine's statements -------------------------------------------------------------------------------------- */

/* rows has room for count; texts are static. */
void model_claim(struct model *m, int worker, struct lease_set leases, const struct message_ref *refs, size_t count,
                 struct claim_row *rows);
size_t model_claim_in_doubt(struct model *m, int worker, const struct in_doubt_request *r, struct claim_row *rows);
/* Returns how many rows were written; rows has room for count. */
size_t model_unclaim(struct model *m, int worker, const struct send_result *claimed, size_t count,
                     struct due_message *rows);
size_t model_record(struct model *m, int worker, struct lease_set leases, const struct send_result *results,
                    size_t count, struct recorded_row *rows);
size_t model_lease_acquire(struct model *m, int worker, int former, int64_t ttl_ms, struct shard_lease *rows);
size_t model_lease_renew(struct model *m, int worker, struct lease_set leases, int64_t ttl_ms,
                         struct shard_lease *rows);
void model_lease_release(struct model *m, int worker, struct lease_set leases);
void model_beat(struct model *m, int worker, bool draining);
/* rows has room for every message there is. */
size_t model_load(const struct model *m, const struct load_request *r, struct due_message *rows);
size_t model_sweep_due(const struct model *m, const struct sweep_request *r, struct due_message *rows);
size_t model_sweep_sending(struct model *m, int worker, struct lease_set leases, const struct message_ref *in_flight,
                           size_t in_flight_count, int64_t mark, int64_t grace_ms, struct due_message *rows);
/* rows has room for count_max. */
size_t model_claim_look_ups(struct model *m, int worker, const struct look_up_request *r, struct look_up_row *rows);
/* rows has room for count. */
size_t model_settle_looked_up(struct model *m, int worker, struct lease_set leases, const struct looked_up *answers,
                              size_t count, struct due_message *rows);
size_t model_settle_by_policy(struct model *m, int worker, struct lease_set leases, int64_t policy_after_ms,
                              size_t count_max, struct due_message *rows);

#endif
