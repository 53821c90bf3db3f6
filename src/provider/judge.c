#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/utf8.h"
#include "followupd/provider/provider.h"

void judge_copy_text(char *ret, size_t bytes, const char *text, size_t text_bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < text_bytes;) {
        size_t n = utf8_length(text + i, text_bytes - i);
        size_t out = n == 0 ? 1 : n;
        if (used + out >= bytes)
            break;
        if (n == 0)
            ret[used] = '?';
        else if (n == 1)
            ret[used] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
        else
            memcpy(ret + used, text + i, n);
        used += out;
        i += out;
    }
    ret[used] = '\0';
}

/* Seconds or an HTTP date (RFC 9110, 10.2.3). 0: nothing usable. */
static int64_t retry_after_ms(const char *value, struct wall now_real)
{
    if (value == NULL)
        return 0;
    char *end;
    double wait_ms;
    double seconds = strtod(value, &end);
    if (end != value && *end == '\0') {
        wait_ms = seconds * 1000.0;
    } else {
        time_t at = curl_getdate(value, NULL);
        if (at == (time_t)-1)
            return 0;
        wait_ms = (double)at * 1000.0 - (double)now_real.us / 1000.0;
    }
    if (!(wait_ms > 0))
        return 0;
    return wait_ms > PROVIDER_RETRY_AFTER_MS_MAX ? PROVIDER_RETRY_AFTER_MS_MAX : (int64_t)wait_ms;
}

static void judge_no_answer(const struct transport_answer *a, struct judgement *ret)
{
    ret->outcome = a->end == TRANSPORT_NOT_SENT ? OUTCOME_RETRY : OUTCOME_IN_DOUBT;
    ret->unreachable = true;
    ret->overloaded = a->timed_out;
    /* A provider that cannot be reached is not the message's fault: it keeps its key and its number of attempts. */
    ret->uncounted = a->end == TRANSPORT_NOT_SENT;
    judge_copy_text(ret->detail, sizeof ret->detail, a->detail, strlen(a->detail));
}

static void judge_status(const struct transport_answer *a, struct wall now_real, struct judgement *ret)
{
    int s = a->http_status;
    int64_t wait_ms = retry_after_ms(transport_header(a, "Retry-After"), now_real);
    snprintf(ret->detail, sizeof ret->detail, "HTTP %d", s);
    if (s >= 200 && s < 300) {
        ret->outcome = OUTCOME_SENT;
        ret->detail[0] = '\0';
    } else if (s == 429 || (s == 503 && wait_ms > 0)) {
        ret->outcome = OUTCOME_RETRY;
        ret->overloaded = true;
        ret->retry_after_ms = wait_ms;
    } else if (s == 401 || s == 403) {
        ret->outcome = OUTCOME_RETRY;
        ret->uncounted = ret->refused_us = true;
    } else if (s == 409) {
        /* The key is in use: wait and repeat it. With another body: the first POST of that key arrived. */
        ret->outcome = OUTCOME_IN_DOUBT;
    } else if (s == 408) {
        ret->outcome = OUTCOME_IN_DOUBT;
        ret->overloaded = true;
    } else if (s >= 500) {
        ret->outcome = OUTCOME_IN_DOUBT;
        ret->overloaded = ret->unreachable = true;
    } else if (s < 400) {
        ret->outcome = OUTCOME_IN_DOUBT;
        ret->alarm = true;
    } else {
        ret->outcome = OUTCOME_REJECTED;
    }
}

void judge_answer(const struct provider_type *type, const struct transport_answer *answer, struct wall now_real,
                  struct judgement *ret)
{
    *ret = (struct judgement){ .outcome = OUTCOME_IN_DOUBT };
    if (answer->end != TRANSPORT_ANSWERED) {
        judge_no_answer(answer, ret);
        return;
    }
    judge_status(answer, now_real, ret);
    type->read_body(answer, ret);
}
