/* people: plays the leads. After a message was accepted a share of them replies, bounces or unsubscribes, some time
 * later, through the SQL functions that an integration would call; or, when its message came through a provider's API that
 * webhooks are sent for (hooks.h), through those: accepted at once, delivered or, at its time, bounced, complained,
 * unsubscribed, and a reply as inbound mail.
 *
 * What a lead does with its n-th message is a pure function of the seed, its address and n, so a run can be repeated;
 * so are the delay and the words of a reply. Messages without a lead are refused by the functions and counted as
 * failed.
 *
 * Threads   one loop; the database is spoken to on the loop's pool, by one connection and one batch at a time. It is
 *           opened with the first call and again after it broke.
 * Bounds    PEOPLE_WAITING_MAX acts wait, more are dropped and counted; a call ends after PEOPLE_CALL_S.
 * Errors    a call that fails is logged and counted, never repeated, never fatal; one that is refused is only counted. */
#ifndef SANDBOX_PEOPLE_H
#define SANDBOX_PEOPLE_H

#include <stdint.h>
#include <uv.h>

#include "followupd/base/status.h"

#define PEOPLE_WAITING_MAX  100000
#define PEOPLE_CALL_S       5
#define PEOPLE_DELAY_MS_MAX (24 * 3600 * 1000)

struct hooks;
struct message;
struct people;

enum people_act { PEOPLE_NOTHING, PEOPLE_REPLY, PEOPLE_BOUNCE, PEOPLE_UNSUBSCRIBE, PEOPLE_COMPLAIN, PEOPLE_ACTS };

struct people_options {
    const char *conninfo; /* NULL: leads act through hooks alone */
    const char *account;  /* only leads of the account of this name; NULL: all */
    uint64_t seed;
    double reply_rate, bounce_rate, unsubscribe_rate, complaint_rate; /* 0..1, together at most 1 */
    int64_t delay_min_ms, delay_max_ms;
};

struct people_stats {
    uint64_t done[PEOPLE_ACTS];
    uint64_t refused; /* the function answered that it did nothing */
    uint64_t failed, dropped, other_account, waiting;
};

/* The decision, and where in delay_min_ms..delay_max_ms it falls. n counts from 1. */
enum people_act people_decide(const struct people_options *o, const char *address, uint64_t n, int64_t *ret_delay_ms);

/* options: the texts are borrowed for as long as people live, as hooks (NULL: none). NULL: out of memory. */
struct people *people_new(uv_loop_t *loop, const struct people_options *options, struct hooks *hooks);
/* A message of an earlier run: counts for its recipient, and nothing else happens. */
void people_remember(struct people *p, const struct message *m, int64_t seq);
void people_on_accepted(struct people *p, const struct message *m, int64_t seq);
/* What a story says a lead does, now and by webhook, with the last message to this address that webhooks are sent
 * for. text: of a reply, or what the lead's server said to a bounce; NULL: words of ours. Each once a message: told again
 * it is the same event. E_NOT_FOUND: no such message, or p is NULL. E_INVALID: its provider has no such event, or no URL. */
MUST_USE enum status people_act_now(struct people *p, const char *address, enum people_act what, const char *text,
                                    struct err *e);
/* That message; NULL: none, or p is NULL. Borrowed until the next one is accepted. */
const struct message *people_last(const struct people *p, const char *address);
enum people_act people_act_named(const char *name); /* reply bounce unsubscribe complaint; PEOPLE_NOTHING: another */
/* Acts that wait are dropped, a running call ends; then the loop holds nothing of ours. NULL is fine, here and below.
 */
void people_stop(struct people *p);
void people_free(struct people *p); /* after the loop has run to its end */
void people_stats(const struct people *p, struct people_stats *ret);

#endif
