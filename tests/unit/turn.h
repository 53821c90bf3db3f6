/* turn: one turn of a loop, for `while (what is waited for is not there) turn_once(&loop)`.
 *
 * UV_RUN_ONCE would do what is due and then, in the same call, wait for the next event: on a machine so busy that the last timer
 * was due when the call began, for one that may be an hour away. */
#ifndef TESTS_UNIT_TURN_H
#define TESTS_UNIT_TURN_H

#include <uv.h>

static inline void turn_once(uv_loop_t *loop)
{
    if (uv_run(loop, UV_RUN_NOWAIT) != 0)
        uv_sleep(1);
}

#endif
