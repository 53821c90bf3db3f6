#include "followupd/sched/wake.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* A decimal int64 without a leading blank or plus; *at moves past it. */
static bool read_i64(const char **at, int64_t *ret)
{
    const char *s = *at;
    if (!((*s >= '0' && *s <= '9') || (*s == '-' && s[1] >= '0' && s[1] <= '9')))
        return false;
    char *end;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    if (errno != 0)
        return false;
    *ret = v;
    *at = end;
    return true;
}

static bool read_byte(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static bool read_item(const char **at, const struct wake_events *events)
{
    struct message_ref ref;
    struct wall due;
    if (!read_i64(at, &ref.account_id) || !read_byte(at, ' ') || !read_i64(at, &ref.message_id) || !read_byte(at, ' '))
        return false;
    if (**at == '-' && ((*at)[1] == ',' || (*at)[1] == '\0')) {
        (*at)++;
        events->on_cancel(events->arg, ref);
        return true;
    }
    const char *end = *at;
    if (!read_i64(&end, &due.us) || (*end != ',' && *end != '\0'))
        return false;
    *at = end;
    events->on_set(events->arg, ref, due);
    return true;
}

static bool read_messages(const char *at, const struct wake_events *events)
{
    do {
        if (!read_item(&at, events))
            return false;
    } while (read_byte(&at, ','));
    return *at == '\0';
}

static bool read_reload(const char *at, const struct wake_events *events)
{
    int64_t account_id = 0;
    if (at[0] == '*' && at[1] == '\0') {
        events->on_reload(events->arg, 0);
        return true;
    }
    if (!read_i64(&at, &account_id) || *at != '\0' || account_id == 0)
        return false;
    events->on_reload(events->arg, account_id);
    return true;
}

enum status wake_parse(const char *payload, const struct wake_events *events, struct err *e)
{
    bool good = false;
    if (payload[0] == 'm' && payload[1] == ' ')
        good = read_messages(payload + 2, events);
    else if (payload[0] == 'r' && payload[1] == ' ')
        good = read_reload(payload + 2, events);
    if (!good)
        return err_set(e, E_INVALID, "not a payload of channel followup: %.80s", payload);
    return OK;
}
