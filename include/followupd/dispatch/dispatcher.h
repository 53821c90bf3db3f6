/* dispatcher: due messages become POSTs. What the wheel says is due, or will be shortly, is claimed in the database,
 * rendered, posted, and its outcome recorded; nothing here decides a rule.
 *
 * Before the claim   a message takes a slot of its provider (budget, breaker) and a place in the in-flight table. A
 *                    claim asks only for what can be posted at once, and in a backlog for what the provider begins in
 *                    the 25 ms after that, at most 128 (budget_ahead); then dispatcher_offer takes less and on_room
 *                    tells later: when half of these places are free, or some slots have been for company_ms, so that
 *                    a backlog costs few commits. Which provider a message uses is the database's word and
 *                    comes with the claim; before it, the provider last seen for that account counts (at first the
 *                    default). When the word is another, the slot moves there; when that provider has none, the message
 *                    is given back unposted. With several providers, one that has no slot does not hold up the others: its
 *                    messages are set again for when it will have one; and what may be another's (an account of which
 *                    nothing is known, or that has had two; one whose provider rests, every 5 s) is claimed for a slot
 *                    that another can spare, so that its claim tells.
 * Early              what is offered before it is due is claimed at once, prepared, and waits for its due time, by the
 *                    clock less its error, but no longer than STORE_CLAIM_EARLY_MS_MAX. Until then it takes none of the
 *                    slots, but a place in the bound on all that is claimed. It is given back when the worker stops, and
 *                    when the database says that it is cancelled.
 * After the claim    a message whose lease is over, whose claim was asked more than begin_within_ms ago, or whose
 *                    provider's breaker has changed or paused since, is given back unposted. One that has no slot yet
 *                    waits for it, in order: it has its token, all is asked again before its POST, and it is given
 *                    back when the worker stops, too, and after 100 ms (looked at every 25). A letter that cannot be
 *                    made is `rejected` with its reason and never posted. A claim that the database refuses comes back
 *                    within a second or two, its messages apart; one that is refused alone, after 5 s.
 * Results            go through a batch; the in-flight entry lives until the database has answered for it. At most
 *                    in_flight_max messages are between claim and outcome, and at most twice as many wait in all
 *                    to be recorded: so when the database is away, claims stop and nothing is lost.
 * In doubt           settle takes messages back with the same key; those that cannot be posted now stay in doubt.
 * Time               struct wall is business time; *_ms are real.
 * Ownership          the transport allows at least in_flight_max POSTs at once; loop, store, transport, registry,
 *                    clock (its owner keeps it fresh) and texts of the configuration are borrowed and outlive d.
 */
#ifndef FOLLOWUPD_DISPATCH_DISPATCHER_H
#define FOLLOWUPD_DISPATCH_DISPATCHER_H

#include <uv.h>

#include "followupd/base/clock.h"
#include "followupd/base/stats.h"
#include "followupd/dispatch/breaker.h"
#include "followupd/provider/registry.h"
#include "followupd/result/batch.h"
#include "followupd/result/look_up.h"
#include "followupd/result/settle.h"
#include "followupd/store/store.h"

struct dispatcher_config {
    size_t in_flight_max;
    size_t
        batch_rows; /* in one claim, at most STORE_BATCH_MAX; in one record, and then at most half of in_flight_max */
    int64_t batch_wait_ms;
    int64_t begin_within_ms;
    int64_t busy_again_ms;
    size_t claims_max;  /* under way at once */
    int64_t company_ms; /* a free slot waits that long for others, to be claimed for in one go */
    int64_t settle_every_ms;
    int64_t settle_after_ms; /* 0: the longest time limit of a provider and 5 s */
    int64_t policy_after_ms;
    int breaker_failures_max;
    int64_t breaker_open_ms, breaker_open_ms_max;
    const char *default_provider; /* the registry knows it */
    const char *public_url;       /* without a slash at its end; NULL: no unsubscribe link */
};
#define DISPATCHER_CONFIG_DEFAULTS                                                                                     \
    {                                                                                                                  \
        .in_flight_max = 512, .batch_rows = 500, .batch_wait_ms = 10, .begin_within_ms = 2000, .busy_again_ms = 50,    \
        .claims_max = 2, .company_ms = 5, .settle_every_ms = 5000, .policy_after_ms = 24 * INT64_C(3600000),           \
        .breaker_failures_max = 10, .breaker_open_ms = 1000, .breaker_open_ms_max = 60000,                             \
    }

struct dispatcher_hooks {
    void *arg;
    /* Those of our leases that are valid now: may be claimed under, and what is in doubt settled. Borrowed, as those of
     * held, until the next call into the hooks. */
    struct lease_set (*leases)(void *arg);
    /* All that nobody has taken from us, valid or not: results are recorded under these. What the provider refused while
     * its shard was leaving, or after the database was away, was provably not sent, and is not to end in doubt. */
    struct lease_set (*held)(void *arg);
    /* Is this lease still ours, and its margin not begun? Asked before the POST, and again before its first byte. */
    bool (*may_send)(void *arg, int shard, int64_t epoch);
    /* This message is due then (business time): into the wheel. Never called from inside dispatcher_offer; must not
     * offer. */
    void (*set)(void *arg, struct due_message due);
    /* The same of one that is due already, or nearly, and is to be offered again then: the time is ours, the database
     * has another. */
    void (*put_off)(void *arg, struct due_message due);
    /* dispatcher_offer refused something before and may take some now. From the loop, never inside a call of ours. */
    void (*on_room)(void *arg);
};

struct dispatcher_stats {
    int64_t settle_after_ms;                       /* as it is applied */
    uint64_t claims, verdicts[CLAIM_NOT_OURS + 1]; /* by enum claim_verdict */
    uint64_t outcomes[OUTCOME_IN_DOUBT + 1];       /* by enum outcome */
    uint64_t given_back, claim_failures;
    struct histogram late;    /* from due to the first byte, microseconds of real time; not of messages in doubt */
    struct histogram latency; /* of POSTs */
    struct histogram claim;   /* round trips of claims that were answered */
    struct batch_stats batch;
    struct settle_stats settle;
    struct look_up_stats look_ups;
    size_t slots;     /* between claim and outcome */
    size_t in_flight; /* those and what waits to be recorded */
    size_t waiting;   /* results that are not recorded yet */
};
struct dispatcher_provider_stats {
    const char *name;
    enum breaker_state breaker;
    int64_t breaker_wait_ms;                 /* until something may be posted again; 0: now */
    size_t posts, window;                    /* POSTs under way, and how many may be at once */
    int64_t key_window_ms, look_up_proof_ms; /* of its configuration */
    bool looks_up;
};

struct dispatcher;

MUST_USE enum status dispatcher_new(uv_loop_t *loop, struct store *store, struct transport *transport,
                                    const struct registry *registry, const struct business_clock *clock,
                                    const struct dispatcher_config *config, const struct dispatcher_hooks *hooks,
                                    struct dispatcher **ret, struct err *e);
/* Takes the first n messages, returns n. Those taken are ours: they come back through `set` or are done with. What is
 * in flight already is taken and forgotten (set again when it comes back). */
size_t dispatcher_offer(struct dispatcher *d, const struct due_message *due, size_t count);
/* Whether an offer would be taken now: nothing holds back a claim, and a provider has a place and a token left. */
bool dispatcher_has_room(struct dispatcher *d);
/* The database has taken it out of those that are sent. It is given back, or called off, if no byte has left. */
void dispatcher_cancel(struct dispatcher *d, struct message_ref ref);
/* The registry's rates and concurrencies have changed (registry_adopt): they hold from now on. */
void dispatcher_limits_changed(struct dispatcher *d);
/* Something ended, the database is there again, or something else changed: whoever waits for room, or for the end of the
 * drain, is told in the next turn of the loop. */
void dispatcher_wake(struct dispatcher *d);
/* What was put off may have been loaded anew, and is offered again: it queues from now on. */
void dispatcher_reloaded(struct dispatcher *d);

bool dispatcher_in_flight(const struct dispatcher *d, struct message_ref ref);
/* Writes at most refs_max; returns how many there are. For sweep_sending. */
size_t dispatcher_list_in_flight(const struct dispatcher *d, struct message_ref *ret_refs, size_t refs_max);
/* The most there can be: room for dispatcher_list_in_flight. */
size_t dispatcher_in_flight_max(const struct dispatcher *d);
void dispatcher_read_stats(const struct dispatcher *d, struct dispatcher_stats *ret);
size_t dispatcher_providers(const struct dispatcher *d);
struct dispatcher_provider_stats dispatcher_provider_at(const struct dispatcher *d, size_t i);

/* No new claims; POSTs end, results are recorded, then cb, once, from the loop. Bounded only by the caller's patience:
 * it may close instead of waiting on. */
void dispatcher_drain(struct dispatcher *d, void (*cb)(void *arg), void *arg);
/* Touches store and transport no more; what is under way may still end. To be called before they are closed. */
void dispatcher_abort(struct dispatcher *d);
/* After the transport and the store are closed: nothing is under way. What was not recorded is dropped (and logged):
 * the next owner finds these messages `sending` and puts them in doubt. d is freed on the loop. */
void dispatcher_close(struct dispatcher *d);

#endif
