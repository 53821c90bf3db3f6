#include "guess.h"

#include <stddef.h>

#define OTHER_MS 60000

static struct guess *place_of(struct guesses *g, int64_t account_id)
{
    return &g->accounts[(uint64_t)account_id * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (GUESS_ACCOUNTS - 1)];
}

struct guess *guess_of(struct guesses *g, int64_t account_id)
{
    struct guess *at = place_of(g, account_id);
    return at->account_id == account_id ? at : NULL;
}

void guess_saw(struct guesses *g, int64_t account_id, int lane, struct mono now)
{
    struct guess *at = place_of(g, account_id);
    if (at->account_id != account_id) {
        *at = (struct guess){ .account_id = account_id, .lane = lane };
    } else if (at->lane != lane) {
        at->other = at->lane;
        at->other_until = mono_add(now, OTHER_MS);
        at->lane = lane;
    }
}

int guess_other(const struct guess *g, struct mono now)
{
    return mono_reached(g->other_until, now) ? -1 : g->other;
}
