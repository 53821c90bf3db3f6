/* judge: what the types share when they read an answer. Private to src/provider. */
#ifndef FOLLOWUPD_PROVIDER_JUDGE_H
#define FOLLOWUPD_PROVIDER_JUDGE_H

#include "followupd/provider/provider.h"

/* Waits in real milliseconds, 0: nothing usable or over already; at most PROVIDER_RETRY_AFTER_MS_MAX. value may be NULL. */
int64_t judge_retry_after_ms(const char *value,
                             struct wall now_real); /* seconds left or an HTTP date (RFC 9110, 10.2.3) */
int64_t judge_seconds_left_ms(const char *value);
int64_t judge_unix_time_ms(const char *value, struct wall now_real); /* seconds since 1970 */
int64_t judge_unix_ms_ms(const char *value, struct wall now_real);   /* milliseconds since 1970 */

/* It took nothing, and it is not the message's fault: fewer, and not before wait_ms (0: it named no time, so some
 * seconds). Account-wide or not, nothing else goes there meanwhile. */
void judge_later(struct judgement *ret, int64_t wait_ms);
/* The account cannot send now: the provider rests, until a probe after wait_ms (0: the breaker decides) gets through.
 * detail says so: "sending rests: <sentence> (<code>)". */
void judge_rest(struct judgement *ret, int64_t wait_ms, const char *sentence, const char *code);

/* A 403 that means the sender of this message alone: others may send. */
void judge_sender(struct judgement *ret);

/* The mail has left as <provider_message_id@domain>, whatever we called it. */
void judge_rewritten_id(struct judgement *ret, const char *domain);

/* The member's text, or "". */
const char *judge_member(const json_t *object, const char *name);
void judge_copy_member(const json_t *object, const char *name, char *ret, size_t bytes);

#endif
