#include "followupd/db/backoff.h"

int64_t backoff_next_ms(struct backoff *b, uint32_t chance)
{
    if (b->step_ms == 0)
        b->step_ms = b->first_ms;
    else if (b->step_ms < b->last_ms)
        b->step_ms = b->step_ms * 2 > b->last_ms ? b->last_ms : b->step_ms * 2;
    int64_t half_ms = b->step_ms / 2;
    return half_ms + (int64_t)(chance % (uint32_t)(half_ms + 1));
}

void backoff_reset(struct backoff *b)
{
    b->step_ms = 0;
}
