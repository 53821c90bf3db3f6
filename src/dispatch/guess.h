/* guess: which provider an account's messages have, as far as their claims have told. Messages of one account may have
 * different ones, those of their assistants, and a person may change it at any time: so it is a guess, and what a claim
 * says counts. Pure; the last accounts are kept, another one of the same place drives one out. Private to src/dispatch. */
#ifndef FOLLOWUPD_DISPATCH_GUESS_H
#define FOLLOWUPD_DISPATCH_GUESS_H

#include <stdint.h>

#include "followupd/base/clock.h"

#define GUESS_ACCOUNTS 32768 /* a power of two */

struct guess {
    int64_t account_id; /* 0: none */
    int lane;           /* of its last message */
    int other;          /* of the last one that had another, while that is not long ago */
    struct mono other_until;
    struct mono ask_at; /* while its provider rests: by then a claim is asked whether it is still that one */
};
struct guesses {
    struct guess accounts[GUESS_ACCOUNTS];
};

struct guess *guess_of(struct guesses *g, int64_t account_id); /* NULL: nothing is known; until the next call */
/* A claim told the provider of a message of this account. */
void guess_saw(struct guesses *g, int64_t account_id, int lane, struct mono now);
/* -1: all that came lately had one provider. */
int guess_other(const struct guess *g, struct mono now);

#endif
