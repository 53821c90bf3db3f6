/* outcome: what one attempt to send did, in the four words that decide what may happen next. The labels are those of
 * followup.attempt.outcome in SQL; tests/unit/base checks that both agree. */
#ifndef FOLLOWUPD_BASE_OUTCOME_H
#define FOLLOWUPD_BASE_OUTCOME_H

#define OUTCOME_MAP(X)                                                                                                 \
    X(OUTCOME_SENT, "sent")         /* the provider answered that it has the message */                                \
    X(OUTCOME_REJECTED, "rejected") /* will never work: a bad address, a missing merge value, a definite 4xx */        \
    X(OUTCOME_RETRY, "retry")       /* provably not sent: resolve, connect, TLS, 429 */                                \
    X(OUTCOME_IN_DOUBT, "in_doubt") /* a byte may have left and no answer says what became of it */

enum outcome {
#define X(name, label) name,
    OUTCOME_MAP(X)
#undef X
};

const char *outcome_label(enum outcome outcome);

#endif
