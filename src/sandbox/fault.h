/* fault: decides which requests go wrong, and how. The rules come as a JSON list and replace the ones before:
 *
 *     [{"action":"503","rate":0.1,"retry_after_s":2},{"action":"cut","recipient":"a@b.example","count":1}]
 *
 * The first rule that applies wins. A rule applies when the recipient is its own (none: everybody), its count is not
 * used up (none: no end) and the dice fall below its rate (none: always). The dice are seeded and start anew with each
 * list, so the same requests in the same order meet the same faults. Pure: no clock, no I/O.
 *
 * Errors  E_INVALID with a text that names the rule and its field; the rules are then as they were.
 * Cost    one pass over at most FAULT_RULES_MAX rules a request. */
#ifndef SANDBOX_FAULT_H
#define SANDBOX_FAULT_H

#include <stddef.h>
#include <stdint.h>

#include "followupd/base/status.h"

#define FAULT_RULES_MAX    1000
#define FAULT_DELAY_MS_MAX (600 * 1000)
#define FAULT_RETRY_S_MAX  (24 * 3600)

/* action, label, HTTP status (0: see there), what becomes of the message */
#define FAULT_MAP(X)                                                                                                   \
    X(FAULT_NONE, "none", 0)             /* accepted, answered */                                                      \
    X(FAULT_LATE, "late", 0)             /* accepted, answered after the delay */                                      \
    X(FAULT_429, "429", 429)             /* not accepted */                                                            \
    X(FAULT_503, "503", 503)             /* not accepted */                                                            \
    X(FAULT_500, "500", 500)             /* not accepted */                                                            \
    X(FAULT_400, "400", 400)             /* not accepted */                                                            \
    X(FAULT_401, "401", 401)             /* not accepted */                                                            \
    X(FAULT_INACTIVE, "inactive", 422)   /* not accepted: the recipient is suppressed */                               \
    X(FAULT_SUSPENDED, "suspended", 403) /* not accepted: the account may not send */                                  \
    X(FAULT_QUOTA, "quota", 429)         /* not accepted: the day's quota is used up */                                \
    X(FAULT_SILENT, "silent", 0)         /* not accepted, never answered */                                            \
    X(FAULT_GARBAGE, "garbage", 0)       /* accepted, a 200 whose body is no JSON */                                   \
    X(FAULT_CUT, "cut", 0)               /* accepted, then the connection closes without an answer */                  \
    X(FAULT_CUT_BEFORE, "cut_before", 0) /* not accepted, the connection closes without an answer */

enum fault_action {
#define X(name, label, http) name,
    FAULT_MAP(X)
#undef X
        FAULT_ACTIONS
};

struct fault {
    enum fault_action action;
    int64_t delay_ms;      /* before the answer or the cut; 0: none */
    int64_t retry_after_s; /* -1: no header */
};

struct faults;
struct message;

struct faults *faults_new(uint64_t seed); /* no rules; NULL: out of memory */
void faults_free(struct faults *f);
MUST_USE enum status faults_replace(struct faults *f, const char *json, size_t bytes, struct err *e);
size_t faults_count(const struct faults *f);
struct fault faults_pick(struct faults *f, const struct message *m);
const char *fault_label(enum fault_action action);
int fault_http_status(enum fault_action action); /* 0: the action is no status */

#endif
