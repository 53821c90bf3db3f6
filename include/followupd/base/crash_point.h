/* crash_point: places where a test ends the process, one step before or after whatever must not be half done.
 *
 *     FOLLOWUPD_CRASH=claim_answered:3 followupd --config FILE          ends by SIGKILL at the third passage
 *     FOLLOWUPD_CRASH=post_called:1:freeze ...                          stops there (SIGSTOP) until somebody sends SIGCONT
 *
 * The form is POINT:PASSAGE[:exit|kill|freeze], one point a process; exit is _exit(CRASH_POINT_STATUS), without a goodbye.
 * Only builds of type Debug have them (FOLLOWUPD_CRASH_POINTS): in all others CRASH_POINT(name) is nothing, and the
 * variable is not looked at. One thread, the loop's, may pass points.
 *
 * Errors  E_INVALID with a text for a person: no such point, a passage that is no number from 1.
 * Cost    a comparison a passage. */
#ifndef FOLLOWUPD_BASE_CRASH_POINT_H
#define FOLLOWUPD_BASE_CRASH_POINT_H

#include "followupd/base/status.h"

#define CRASH_POINT_STATUS 70

/* name: where. In the order of a message's way; tests/system/test_crash_points.py walks them all. list_: while a provider's
 * suppression list is pulled; tests/system/test_list_pulls.py walks those. */
#define CRASH_POINT_MAP(X)                                                                                             \
    X(lease_acquired)   /* shards are ours in the database, not yet in memory */                                       \
    X(lease_renewed)    /* longer ours in the database, not yet in memory */                                           \
    X(load_finished)    /* the wheel is full */                                                                        \
    X(claim_wanted)     /* slots and tokens are taken, nothing is asked */                                             \
    X(claim_asked)      /* the statement left; whether it commits nobody waits for */                                  \
    X(claim_answered)   /* `sending` in the database, nothing rendered */                                              \
    X(post_rendered)    /* the request is made, libcurl knows nothing of it */                                         \
    X(post_called)      /* handed to libcurl */                                                                        \
    X(post_moved)       /* libcurl wrote or read: bytes have left */                                                   \
    X(post_answered)    /* the provider's answer is read, and judged by nobody */                                      \
    X(outcome_known)    /* judged, and in no batch yet */                                                              \
    X(record_wanted)    /* a batch is collected, nothing is asked */                                                   \
    X(record_asked)     /* the statement left */                                                                       \
    X(record_answered)  /* recorded in the database, what follows not yet in the wheel */                              \
    X(unclaim_wanted)   /* to be given back unsent, nothing is asked */                                                \
    X(unclaim_asked)    /* the statement left */                                                                       \
    X(unclaim_answered) /* scheduled again, not yet in the wheel */                                                    \
    X(settle_wanted)    /* what is in doubt is to be claimed again, nothing is asked */                                \
    X(settle_asked)     /* the statement left */                                                                       \
    X(settle_answered)  /* `sending` again, with the same key */                                                       \
    X(look_up_wanted)   /* a provider is to be asked about what is in doubt; that is not noted yet */                  \
    X(look_up_asked)    /* the statement that notes it left */                                                         \
    X(look_up_answered) /* the provider has answered, the database does not know */                                    \
    X(looked_up_asked)  /* what it said is to be believed: the statement left */                                       \
    X(looked_up)        /* it is: what follows is not yet in the wheel */                                              \
    X(policy_asked)     /* the policy is to decide: the statement left */                                              \
    X(policy_answered)  /* it has; what it scheduled is not yet in the wheel */                                        \
    X(list_wanted)      /* is there a list to be pulled? nothing is asked */                                           \
    X(list_asked)       /* the statement left */                                                                       \
    X(list_claimed)     /* it is to be pulled here; the provider knows nothing of it */                                \
    X(list_page_asked)  /* the request for a page is handed to libcurl */                                              \
    X(list_page_read)   /* the page is here, the database does not know */                                             \
    X(list_page_told)   /* it is to be applied: the statement left */                                                  \
    X(list_page_done)   /* it is */                                                                                    \
    X(list_end_asked)   /* all was read: the statement that says so left */                                            \
    X(list_ended)       /* that is written; the account waits still */

#ifdef FOLLOWUPD_CRASH_POINTS

enum crash_point {
#define X(name) CRASH_AT_##name,
    CRASH_POINT_MAP(X)
#undef X
        CRASH_POINTS
};

/* Switches one on; NULL: none. */
MUST_USE enum status crash_point_set(const char *text, struct err *e);
void crash_point_pass(enum crash_point point);
#define CRASH_POINT(name) crash_point_pass(CRASH_AT_##name)

#else

static inline enum status crash_point_set(const char *text, struct err *e)
{
    (void)text;
    (void)e;
    return OK;
}
#define CRASH_POINT(name) ((void)0)

#endif
#endif
