/* events: the body of a webhook as SendGrid writes them, about 420 bytes an event. */
#ifndef FOLLOWUPD_BENCH_EVENTS_H
#define FOLLOWUPD_BENCH_EVENTS_H

#include <stdio.h>
#include <time.h>

#define WEBHOOK_EVENTS 3 /* of a webhook, when nothing else is asked for */
#define EVENTS_MAX     500
#define EVENT_ROOM     512

/* So many events of message `first`, into EVENTS_MAX * EVENT_ROOM bytes; how many bytes it wrote. */
static inline int write_events(char *ret, long first, int events)
{
    static const char *const kinds[] = { "processed", "delivered", "open" };
    long long at = (long long)time(NULL);
    int n = sprintf(ret, "[");
    for (int i = 0; i < events; i++)
        n += sprintf(ret + n,
                     "%s{\"email\":\"user%ld@customer.example\",\"event\":\"%s\",\"sg_event_id\":\"ev-%ld-%d-"
                     "ZGVsaXZlcmVkLTAtMTA5OTQ5MTktTFJ6WGxfTkhTdE9HaFE0a29mU21fQQ\",\"sg_message_id\":"
                     "\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.%ld\",\"smtp-id\":"
                     "\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\",\"timestamp\":%lld,\"ip\":"
                     "\"198.51.100.17\",\"response\":\"250 OK\",\"fu_id\":\"1-%ld-1\",\"category\":[\"followup\"]}",
                     i > 0 ? "," : "", first, kinds[i % 3], first, i, first, at, first);
    return n + sprintf(ret + n, "]\r\n");
}

#endif
