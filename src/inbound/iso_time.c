#include "iso_time.h"

#include <glib.h>

bool iso_time(const char *text, struct wall *ret)
{
    GTimeZone *utc = g_time_zone_new_utc();
    GDateTime *time = g_date_time_new_from_iso8601(text, utc);
    bool is_one = time != NULL;
    if (is_one) {
        *ret = (struct wall){ g_date_time_to_unix(time) * 1000000 + g_date_time_get_microsecond(time) };
        g_date_time_unref(time);
    }
    g_time_zone_unref(utc);
    return is_one;
}
