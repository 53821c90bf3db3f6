/* settle: messages in doubt, until there is no doubt. Every every_ms it takes back those whose provider honours a key
 * that has not run out and hands them over to be posted again under the same key; then it lets the accounts' policy
 * decide about the ones no key can settle any more.
 *
 * Bound      at most rows_max messages a turn, four when the turn before had places left, and no more of a provider than
 *            reserve has set places aside for; one turn at a time.
 * Time       real milliseconds. */
#ifndef FOLLOWUPD_RESULT_SETTLE_H
#define FOLLOWUPD_RESULT_SETTLE_H

#include <uv.h>

#include "followupd/store/store.h"

struct settle_config {
    int64_t every_ms;
    int64_t after_ms;        /* no sooner after the claim: the longest send time limit and a margin */
    int64_t policy_after_ms; /* in doubt for so long: the account's policy decides */
    size_t rows_max;
};

/* Places set aside for messages to be posted again now: so many at each of these providers. */
struct settle_places {
    const char *const *providers;
    const int64_t *key_window_ms;
    const int *places;
    size_t provider_count;
};

struct settle_hooks {
    void *arg;
    struct lease_set (*leases)(void *arg);
    /* Sets aside up to `wanted` places in all; borrowed until the next call. Each turn with places ends in
     * on_claimed. */
    struct settle_places (*reserve)(void *arg, size_t wanted);
    /* Each row has a place at its provider; the rows are ours and committed. Places without a row are free again.
     * asked_us: mono_now_us() before the claim. */
    void (*on_claimed)(void *arg, const struct claim_row *rows, size_t count, int64_t asked_us);
    void (*set)(void *arg, struct due_message due);
    void (*on_decided)(void *arg); /* the policy's statement has ended: a drain may wait for it */
};

struct settle_stats {
    uint64_t claimed, by_policy, failures;
};

struct settle;

MUST_USE enum status settle_new(uv_loop_t *loop, struct store *store, const struct settle_config *config,
                                const struct settle_hooks *hooks, struct settle **ret);
/* No new turns. */
void settle_stop(struct settle *s);
bool settle_is_busy(const struct settle *s); /* a statement is under way */
struct settle_stats settle_stats(const struct settle *s);
/* Only when not busy. s is freed on the loop. */
void settle_close(struct settle *s);

#endif
