/* journal: what happened, a line each, for the auditor. Words separated by blanks; times in microseconds of the
 * simulation. The people's lines and the provider's lines are all the auditor believes.
 *
 *     seed N keys|look_up|neither hold|resend|assume_sent     a run begins
 *     plan MESSAGE CONVERSATION ACCOUNT DUE AT        scheduled; DUE is the database's wall clock, less SIM_EPOCH_US
 *     move MESSAGE DUE AT                             its due time was changed
 *     stop CONVERSATION AT [MESSAGE...]               ended by a person; these were in flight
 *     pause ACCOUNT AT [MESSAGE...]  resume ACCOUNT AT
 *     clock OFFSET AT                                 the database's wall clock is so far from the true time from now on
 *     owner ACCOUNT WORKER AT                         the account's shard has been taken by that worker
 *     accept MESSAGE KEY BEGUN AT WORKER              the provider took it: a mail is out. BEGUN: its first byte
 *     doubt MESSAGE AT                                it was named as in doubt: it may have left, and nobody knows
 *     refuse MESSAGE AT                               the provider will never take it
 *     quiet AT                                        from here on there are no faults
 *     over AT                                         the run ends; everything has had the time to settle */
#ifndef TESTS_SIM_JOURNAL_H
#define TESTS_SIM_JOURNAL_H

#include <stdio.h>

#include "simtime.h"

extern FILE *journal; /* NULL: nobody reads */
extern bool trace;    /* the steps too, on standard error: what the workers log, what the world does to them */

#define JOURNAL(...)                                                                                                   \
    do {                                                                                                               \
        if (journal != NULL)                                                                                           \
            fprintf(journal, __VA_ARGS__);                                                                             \
    } while (0)

/* One step, at its second since the beginning. */
#define TRACE(...)                                                                                                     \
    do {                                                                                                               \
        if (trace) {                                                                                                   \
            fprintf(stderr, "%11.6f ", (double)sim_now() / (double)SECOND);                                            \
            fprintf(stderr, __VA_ARGS__);                                                                              \
            fputc('\n', stderr);                                                                                       \
        }                                                                                                              \
    } while (0)

#endif
