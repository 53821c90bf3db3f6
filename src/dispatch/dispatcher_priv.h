/* What the files of the dispatcher share: dispatcher.c (offers, places, life), claim.c (asking), handover.c (posting
 * what was claimed, giving back, ends), early.c (what is claimed before it is due). */
#ifndef FOLLOWUPD_DISPATCH_DISPATCHER_PRIV_H
#define FOLLOWUPD_DISPATCH_DISPATCHER_PRIV_H

#include "flight.h"
#include "followupd/dispatch/dispatcher.h"
#include "guess.h"
#include "lane.h"

#define UNSET_MAX   (2 * STORE_BATCH_MAX)
#define SETTLE_ROWS 100

struct dispatcher {
    uv_loop_t *loop;
    struct store *store;
    struct transport *transport;
    const struct registry *registry;
    const struct business_clock *clock;
    struct dispatcher_config config;
    struct dispatcher_hooks hooks;
    struct lane lanes[REGISTRY_PROVIDERS_MAX];
    size_t lane_count;
    int default_lane;
    struct guesses guesses;
    /* Slots held for what is in doubt, from settle_reserve to its answer; and what settle_reserve answered last. */
    struct {
        int lane;
        struct breaker_pass pass;
    } set_aside[SETTLE_ROWS];
    size_t set_aside_count;
    const char *settle_names[REGISTRY_PROVIDERS_MAX];
    int64_t settle_windows_ms[REGISTRY_PROVIDERS_MAX];
    int settle_places[REGISTRY_PROVIDERS_MAX];
    size_t settle_turn; /* whose lane is the first to take of the places */
    struct flights flights;
    bool offering; /* sets wait in unset until the next turn: whoever offers is still counting */
    struct due_message unset[UNSET_MAX];
    size_t unset_count;
    size_t slots;           /* flights that claim or post, and those set aside */
    size_t claims, returns; /* statements under way */
    struct batch *batch;
    struct settle *settle;
    struct look_ups *look_ups;
    struct giveback *taken_out; /* by people; given back in the next turn; NULL: none */
    struct list early;          /* struct flight: claimed and not due yet, by begin_us */
    uv_timer_t due;             /* for the first of them */
    uv_idle_t soon;             /* on_room, in the next turn of the loop */
    uv_timer_t ahead;           /* runs while something is claimed ahead: none waits longer than its bound */
    uv_timer_t later;           /* on_room, when a token or a breaker's wait is over */
    int handles_open;
    bool refused;       /* offer took less than was there */
    int full_lane;      /* whose slots were taken then; -1: it was refused for another reason */
    struct mono ask_at; /* by then a claim for few slots is better than waiting for more */
    bool draining;
    void (*on_drained)(void *arg);
    void *on_drained_arg;
    double busy_recent; /* busy verdicts of about the last second: the more, the later they are asked again */
    struct mono busy_at;
    struct dispatcher_stats stats;
};

/* --- dispatcher.c --- */
/* Sets a message for that many real milliseconds from now. */
void dispatcher_set_later(struct dispatcher *d, struct message_ref ref, int64_t wait_ms);
/* The flight is over, unsent or recorded: out of the table. set_again_ms: -1: only if it was offered meanwhile. */
void dispatcher_end_flight(struct dispatcher *d, struct flight *f, int64_t set_again_ms);
/* In the next turn of the loop: what waits for it is done. */
void dispatcher_soon(struct dispatcher *d);

/* --- claim.c: asks for flights that hold their slots; takes them in any case. --- */
void claim_start(struct dispatcher *d, struct flight **flights, size_t count);

/* --- handover.c --- */
/* Flights of one answer that are not posted; one unclaim for all. */
struct giveback {
    struct dispatcher *dispatcher;
    size_t count;
    struct flight *flights[STORE_BATCH_MAX];
    struct send_result claimed[STORE_BATCH_MAX];
};
/* f holds its slot; row is a claimed one. *gives_back: made when something is not posted, and collects it; NULL: f is
 * in doubt, which is never given back. */
void handover_begin(struct dispatcher *d, struct flight *f, const struct claim_row *row, int64_t asked_us,
                    struct giveback **gives_back);
/* What is claimed ahead: begins what has a slot now, in order, and gives back what must not begin any more. */
void handover_go_on(struct dispatcher *d);
void handover_on_ahead(uv_timer_t *timer);
/* What dispatcher_cancel has collected. */
void handover_return_taken_out(struct dispatcher *d);
/* It is due, and may begin when it has a slot: the next handover_go_on asks. */
void handover_wait(struct dispatcher *d, struct flight *f);
/* Without the store: as after a crash. */
void handover_drop_ahead(struct dispatcher *d);
/* Taken; NULL: nothing to give back. */
void handover_give_back(struct giveback *g);
/* settle's rows. */
void handover_settle(void *dispatcher, const struct claim_row *rows, size_t count, int64_t asked_us);

/* --- early.c: claimed before it is due, and prepared: held until then. --- */
/* f has taken its place: counted as an early one from here to early_over. */
void early_count(struct dispatcher *d, struct flight *f);
void early_over(struct dispatcher *d, struct flight *f); /* harmless if it is not one */
/* Real time until the POST of what has been claimed may begin. The database has claimed it, so that after
 * STORE_CLAIM_EARLY_MS_MAX it is due, however wrong our clock is. */
int64_t early_by_us(const struct dispatcher *d, const struct flight *f);
void early_hold(struct dispatcher *d, struct flight *f, int64_t wait_us);
/* All that is held waits for a slot from now on. */
void early_release(struct dispatcher *d);

#endif
