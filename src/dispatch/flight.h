/* flight: the messages that are ours at this moment, from the claim that asks for them until the database has answered
 * for their result. A fixed number of entries, found by account and message. Private to src/dispatch. */
#ifndef FOLLOWUPD_DISPATCH_FLIGHT_H
#define FOLLOWUPD_DISPATCH_FLIGHT_H

#include "followupd/dispatch/breaker.h"
#include "followupd/result/attempt.h"
#include "followupd/store/store.h"

enum flight_phase { FLIGHT_CLAIMING, FLIGHT_EARLY, FLIGHT_AHEAD, FLIGHT_POSTING, FLIGHT_RETURNING, FLIGHT_RECORDING };

struct dispatcher;
struct claim;

struct flight {
    struct flight *next; /* in its bucket, or in the list of free ones */
    struct dispatcher *dispatcher;
    struct message_ref ref;
    struct wall due;
    enum flight_phase phase;
    bool again;          /* offered once more meanwhile: set it when it ends unsent */
    bool early;          /* not due yet: its place is one of the budget's early ones */
    bool cancelled;      /* while it was claimed: not to be posted */
    bool settling;       /* was in doubt: never given back as scheduled */
    struct claim *claim; /* under way for it; NULL once it is answered */
    int lane;            /* whose slot it holds while claiming and posting */
    int64_t again_ms;    /* given back: to be offered again so much later; 0: when it is due */
    struct breaker_pass pass;
    struct list node; /* of the dispatcher's early ones, then of its lane's ahead */
    int shard;        /* these two from its claim on */
    int64_t asked_us; /* mono_now_us, as these two: when its POST may begin, and since when it waits for a slot */
    int64_t begin_us, held_us;
    struct attempt attempt;
};

struct flights {
    struct flight *entries, *free;
    struct flight **buckets;
    size_t bucket_count, count, max;
};

MUST_USE enum status flights_init(struct flights *f, size_t max);
void flights_fini(struct flights *f);
struct flight *flights_find(const struct flights *f, struct message_ref ref); /* NULL: not in flight */
/* Not there yet. NULL: the table is full. */
struct flight *flights_add(struct flights *f, struct message_ref ref);
void flights_remove(struct flights *f, struct flight *flight);

#endif
