#include "judge.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/utf8.h"

#define LATER_MS 5000 /* a provider that is asked too much and names no time */

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

/* --- what the types share ----------------------------------------------------------------------------------------- */

static int64_t bounded_ms(double wait_ms)
{
    if (!(wait_ms > 0))
        return 0;
    return wait_ms > PROVIDER_RETRY_AFTER_MS_MAX ? PROVIDER_RETRY_AFTER_MS_MAX : (int64_t)wait_ms;
}

/* False: no number, or more than a number. */
static bool read_number(const char *value, double *ret)
{
    char *end;
    if (value == NULL)
        return false;
    *ret = strtod(value, &end);
    return end != value && *end == '\0';
}

int64_t judge_seconds_left_ms(const char *value)
{
    double seconds;
    return read_number(value, &seconds) ? bounded_ms(seconds * 1000.0) : 0;
}

int64_t judge_unix_ms_ms(const char *value, struct wall now_real)
{
    double at_ms;
    return read_number(value, &at_ms) ? bounded_ms(at_ms - (double)now_real.us / 1000.0) : 0;
}

int64_t judge_unix_time_ms(const char *value, struct wall now_real)
{
    double at_s;
    return read_number(value, &at_s) ? bounded_ms(at_s * 1000.0 - (double)now_real.us / 1000.0) : 0;
}

int64_t judge_retry_after_ms(const char *value, struct wall now_real)
{
    double seconds;
    if (value == NULL || read_number(value, &seconds))
        return judge_seconds_left_ms(value);
    time_t at = curl_getdate(value, NULL);
    return at == (time_t)-1 ? 0 : bounded_ms((double)at * 1000.0 - (double)now_real.us / 1000.0);
}

void judge_later(struct judgement *ret, int64_t wait_ms)
{
    ret->outcome = OUTCOME_RETRY;
    ret->uncounted = ret->overloaded = true;
    ret->retry_after_ms = wait_ms > 0 ? wait_ms : LATER_MS;
}

void judge_rest(struct judgement *ret, int64_t wait_ms, const char *sentence, const char *code)
{
    char text[PROVIDER_DETAIL_BYTES];
    ret->outcome = OUTCOME_RETRY;
    ret->uncounted = ret->refused_us = true;
    ret->retry_after_ms = wait_ms;
    int bytes = snprintf(text, sizeof text, "sending rests: %s (%.100s)", sentence, code);
    judge_copy_text(ret->detail, sizeof ret->detail, text, bytes < (int)sizeof text ? (size_t)bytes : sizeof text - 1);
}

void judge_sender(struct judgement *ret)
{
    ret->outcome = OUTCOME_REJECTED;
    ret->uncounted = ret->refused_us = false;
}

void judge_rewritten_id(struct judgement *ret, const char *domain)
{
    char text[PROVIDER_ID_BYTES];
    int bytes = snprintf(text, sizeof text, "<%s@%s>", ret->provider_message_id, domain);
    if (ret->provider_message_id[0] != '\0' && bytes < (int)sizeof text)
        memcpy(ret->rfc_message_id, text, sizeof text);
}

const char *judge_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

void judge_copy_member(const json_t *object, const char *name, char *ret, size_t bytes)
{
    const char *text = judge_member(object, name);
    if (text[0] != '\0')
        judge_copy_text(ret, bytes, text, strlen(text));
}

/* --- the rules all share ------------------------------------------------------------------------------------------ */

static void judge_no_answer(const struct transport_answer *a, struct judgement *ret)
{
    ret->outcome = a->end == TRANSPORT_NOT_SENT ? OUTCOME_RETRY : OUTCOME_IN_DOUBT;
    ret->called_off = a->called_off;
    ret->unreachable = !a->called_off;
    ret->overloaded = a->timed_out;
    /* A provider that cannot be reached is not the message's fault: it keeps its key and its number of attempts. */
    ret->uncounted = a->end == TRANSPORT_NOT_SENT;
    judge_copy_text(ret->detail, sizeof ret->detail, a->detail, strlen(a->detail));
}

static void judge_status(const struct provider_type *type, const struct transport_answer *a, struct wall now_real,
                         struct judgement *ret)
{
    int s = a->http_status;
    int64_t wait_ms = judge_retry_after_ms(transport_header(a, "Retry-After"), now_real);
    snprintf(ret->detail, sizeof ret->detail, "HTTP %d", s);
    if (s >= 200 && s < 300) {
        ret->outcome = OUTCOME_SENT;
        ret->detail[0] = '\0';
    } else if (s == 429 || (s == 503 && wait_ms > 0 && type->declines_by_503)) {
        ret->outcome = OUTCOME_RETRY;
        ret->overloaded = true;
        ret->retry_after_ms = wait_ms;
    } else if (s == 401 || s == 403 || ((s == 404 || s == 405) && type->add_path != NULL)) {
        /* Whoever is there lets us in with no message, or is not the API that we know. */
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

void judge_answer(const struct provider_type *type, const struct provider_config *config,
                  const struct transport_answer *answer, struct wall now_real, struct judgement *ret)
{
    *ret = (struct judgement){ .outcome = OUTCOME_IN_DOUBT };
    if (answer->end != TRANSPORT_ANSWERED) {
        judge_no_answer(answer, ret);
        return;
    }
    judge_status(type, answer, now_real, ret);
    type->read_answer(config, answer, now_real, ret);
}

int64_t judge_wait_ms(const struct provider_type *type, const struct provider_config *config,
                      const struct transport_answer *answer, struct wall now_real)
{
    struct judgement j;
    judge_answer(type, config, answer, now_real, &j);
    if (j.retry_after_ms > 0)
        return j.retry_after_ms;
    return judge_retry_after_ms(transport_header(answer, "Retry-After"), now_real); /* as a 503 has it */
}
