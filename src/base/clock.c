#include "followupd/base/clock.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static int64_t saturate(double v)
{
    if (v >= 9e18)
        return INT64_MAX;
    if (v <= -9e18)
        return INT64_MIN;
    return (int64_t)v;
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

static int64_t minus(int64_t a, int64_t b)
{
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference))
        return b < 0 ? INT64_MAX : INT64_MIN;
    return difference;
}

void business_clock_set(struct business_clock *c, struct wall business, double rate, int64_t asked_us,
                        int64_t answered_us)
{
    c->business_us = business.us;
    c->mono_us = asked_us + (answered_us - asked_us) / 2;
    c->rate = rate;
    c->error_us = (answered_us - asked_us + 1) / 2;
}

struct wall business_now(const struct business_clock *c)
{
    int64_t passed_us = minus(mono_now_us(), c->mono_us);
    if (c->rate != 1.0)
        passed_us = saturate((double)passed_us * c->rate);
    return (struct wall){ plus(c->business_us, passed_us) };
}

int64_t business_wait_ms(const struct business_clock *c, struct wall due)
{
    int64_t left_us = minus(due.us, business_now(c).us);
    if (left_us <= 0)
        return 0;
    return saturate(ceil((double)left_us / c->rate / 1000.0));
}

int64_t business_sure_wait_us(const struct business_clock *c, struct wall due)
{
    double left_us = ceil((double)minus(due.us, business_now(c).us) / c->rate);
    int64_t wait_us = plus(saturate(left_us), c->error_us);
    return wait_us > 0 ? wait_us : 0;
}

int64_t business_span_us(const struct business_clock *c, int64_t real_ms)
{
    return saturate((double)real_ms * 1000.0 * c->rate);
}

double business_late_ms(const struct business_clock *c, struct wall due, struct wall now)
{
    return (double)minus(now.us, due.us) / c->rate / 1000.0;
}

void wall_text(struct wall t, char *ret, size_t bytes)
{
    int64_t seconds = t.us / 1000000, us = t.us % 1000000;
    if (us < 0) {
        us += 1000000;
        seconds -= 1;
    }
    time_t s = (time_t)seconds;
    struct tm tm;
    char date[32] = "out of range";
    if (gmtime_r(&s, &tm) != NULL)
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(ret, bytes, "%s.%06dZ", date, (int)us);
}
