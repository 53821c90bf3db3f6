/* look_up: messages in doubt at providers that can be asked about them. Every every_ms those whose turn it is are asked
 * about, one request each, and when all have ended the database is told what was found; it decides what that proves.
 *
 * Bound      at most rows_max messages a turn; one turn at a time. Whoever got no answer is asked about again later.
 * Time       real milliseconds. */
#ifndef FOLLOWUPD_RESULT_LOOK_UP_H
#define FOLLOWUPD_RESULT_LOOK_UP_H

#include <uv.h>

#include "followupd/provider/registry.h"
#include "followupd/store/store.h"

#define LOOK_UP_ROWS_MAX 64

struct look_up_config {
    int64_t every_ms;
    int64_t after_ms; /* no sooner after the POST: the longest send time limit and a margin */
    size_t rows_max;  /* 1..LOOK_UP_ROWS_MAX */
};

struct look_up_hooks {
    void *arg;
    struct lease_set (*leases)(void *arg);
    bool (*may_ask)(void *arg, size_t provider); /* index in the registry: not while it rests */
    void (*set)(void *arg, struct due_message due);
    void (*on_turn_ended)(void *arg); /* a drain may wait for it */
};

struct look_up_stats {
    uint64_t asked, found, absent, failures;
};

struct look_ups;

/* All are borrowed and outlive it. Without a provider that can be asked it does nothing. */
MUST_USE enum status look_ups_new(uv_loop_t *loop, struct store *store, struct transport *transport,
                                  const struct registry *registry, const struct look_up_config *config,
                                  const struct look_up_hooks *hooks, struct look_ups **ret);
/* No new turns, and what is asked now is not told to the database. */
void look_ups_stop(struct look_ups *l);
/* A statement is under way. What a provider is asked, and may not answer for long, need not be waited for then. */
bool look_ups_busy(const struct look_ups *l);
struct look_up_stats look_ups_stats(const struct look_ups *l);
/* Only when no turn is under way: store and transport are closed. l is freed on the loop. */
void look_ups_close(struct look_ups *l);

#endif
