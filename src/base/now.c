/* The three readings of a real clock, apart from what is reckoned with them, so that a simulation can bring its own. */
#include <time.h>

#include "followupd/base/clock.h"

static int64_t read_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct mono mono_now(void)
{
    return (struct mono){ read_us(CLOCK_BOOTTIME) / 1000 };
}

int64_t mono_now_us(void)
{
    return read_us(CLOCK_BOOTTIME);
}

struct wall wall_now(void)
{
    return (struct wall){ read_us(CLOCK_REALTIME) };
}
