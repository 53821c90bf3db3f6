#include <criterion/criterion.h>
#include <string.h>

#include "../answer_headers.h"
#include "followupd/base/list.h"
#include "followupd/provider/provider.h"

static struct judgement judge(int status, const char *retry_after, const char *body)
{
    struct answer_headers headers = { .all = { { "Retry-After", retry_after } } };
    struct transport_answer a = {
        .end = TRANSPORT_ANSWERED,
        .http_status = status,
        .find_header = answer_header_find,
        .headers = &headers,
        .body = body,
        .body_bytes = strlen(body),
        .body_whole = true,
        .begun_us = 1,
        .detail = "",
    };
    struct wall now = { INT64_C(1764547200) * 1000000 }; /* Mon, 01 Dec 2025 00:00:00 GMT */
    struct judgement ret;
    judge_answer(&provider_generic, &(struct provider_config){ 0 }, &a, now, &ret);
    return ret;
}

Test(judge, every_status_has_the_outcome_of_its_row)
{
    static const struct {
        int status;
        const char *retry_after;
        enum outcome outcome;
        bool uncounted, refused_us, alarm;
        int64_t retry_after_ms;
    } rows[] = {
        { 200, NULL, OUTCOME_SENT },
        { 202, NULL, OUTCOME_SENT },
        { 301, NULL, OUTCOME_IN_DOUBT, .alarm = true },
        { 307, NULL, OUTCOME_IN_DOUBT, .alarm = true },
        { 400, NULL, OUTCOME_REJECTED },
        { 401, NULL, OUTCOME_RETRY, .uncounted = true, .refused_us = true },
        { 403, NULL, OUTCOME_RETRY, .uncounted = true, .refused_us = true },
        { 404, NULL, OUTCOME_REJECTED },
        { 408, NULL, OUTCOME_IN_DOUBT },
        { 409, NULL, OUTCOME_IN_DOUBT },
        { 413, NULL, OUTCOME_REJECTED },
        { 422, NULL, OUTCOME_REJECTED },
        { 429, NULL, OUTCOME_RETRY },
        { 429, "7", OUTCOME_RETRY, .retry_after_ms = 7000 },
        { 429, "1.5", OUTCOME_RETRY, .retry_after_ms = 1500 },
        { 429, "86400", OUTCOME_RETRY, .retry_after_ms = 3600000 },
        { 429, "-5", OUTCOME_RETRY, .retry_after_ms = 0 },
        { 429, "nan", OUTCOME_RETRY, .retry_after_ms = 0 },
        { 429, "soon", OUTCOME_RETRY, .retry_after_ms = 0 },
        { 429, "Mon, 01 Dec 2025 00:00:30 GMT", OUTCOME_RETRY, .retry_after_ms = 30000 },
        { 429, "Mon, 01 Dec 2025 09:00:00 GMT", OUTCOME_RETRY, .retry_after_ms = 3600000 },
        { 429, "Sun, 30 Nov 2025 09:00:00 GMT", OUTCOME_RETRY, .retry_after_ms = 0 },
        { 500, NULL, OUTCOME_IN_DOUBT },
        { 500, "5", OUTCOME_IN_DOUBT },
        { 502, NULL, OUTCOME_IN_DOUBT },
        { 503, NULL, OUTCOME_IN_DOUBT },
        { 503, "5", OUTCOME_RETRY, .retry_after_ms = 5000 },
        { 504, NULL, OUTCOME_IN_DOUBT },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct judgement j = judge(rows[i].status, rows[i].retry_after, "");
        const char *with = rows[i].retry_after != NULL ? rows[i].retry_after : "none";
        cr_expect_eq(j.outcome, rows[i].outcome, "%d, Retry-After %s: %s", rows[i].status, with,
                     outcome_label(j.outcome));
        cr_expect_eq(j.uncounted, rows[i].uncounted, "%d: uncounted", rows[i].status);
        cr_expect_eq(j.refused_us, rows[i].refused_us, "%d: refused_us", rows[i].status);
        cr_expect_eq(j.alarm, rows[i].alarm, "%d: alarm", rows[i].status);
        cr_expect_eq(j.retry_after_ms, rows[i].retry_after_ms, "%d, Retry-After %s: %ld ms", rows[i].status, with,
                     (long)j.retry_after_ms);
    }
}

Test(judge, a_sent_message_has_the_providers_id_when_there_is_one)
{
    cr_assert_str_eq(judge(200, NULL, "{\"id\":\"p-17\"}").provider_message_id, "p-17");
    static const char *const without[] = { "", "}{", "[]", "{\"id\":17}", "{\"id\":\"\"}", "{\"id\":\"p-1" };
    for (size_t i = 0; i < COUNT_OF(without); i++) {
        struct judgement j = judge(200, NULL, without[i]);
        cr_expect_eq(j.outcome, OUTCOME_SENT, "body %s", without[i]);
        cr_expect_str_eq(j.provider_message_id, "", "body %s", without[i]);
    }
}

Test(judge, a_rejection_says_what_the_provider_said_without_control_characters)
{
    struct judgement j = judge(422, NULL, "{\"error\":\"no such\\r\\nmailbox\\u001b[31m \\u00fc\"}");
    cr_assert_str_eq(j.detail, "no such  mailbox [31m \xc3\xbc");
    cr_assert_str_eq(judge(422, NULL, "<html>").detail, "HTTP 422");
}

Test(judge, a_long_error_is_cut_between_characters)
{
    char body[4096] = "{\"error\":\"x";
    for (int i = 0; i < 600; i++)
        strcat(body, "\xc3\xbc");
    strcat(body, "\"}");
    struct judgement j = judge(422, NULL, body);
    size_t bytes = strlen(j.detail);
    cr_assert_lt(bytes, (size_t)PROVIDER_DETAIL_BYTES);
    cr_assert_eq(bytes % 2, 1, "x and whole characters of two bytes");
}

Test(judge, text_that_is_not_utf8_becomes_question_marks)
{
    char ret[32];
    judge_copy_text(ret, sizeof ret, "a\xff\xc0\xaf\xed\xa0\x80z", 8);
    cr_assert_str_eq(ret, "a??????z");
}

Test(judge, not_sent_is_an_uncounted_retry_and_doubt_stays_doubt)
{
    struct transport_answer a = { .end = TRANSPORT_NOT_SENT, .body = "", .detail = "refused" };
    struct judgement j;
    judge_answer(&provider_generic, &(struct provider_config){ 0 }, &a, wall_now(), &j);
    cr_assert_eq(j.outcome, OUTCOME_RETRY);
    cr_assert(j.uncounted && j.unreachable);
    cr_assert_str_eq(j.detail, "refused");
    a = (struct transport_answer){ .end = TRANSPORT_IN_DOUBT, .body = "", .detail = "closed", .begun_us = 1 };
    judge_answer(&provider_generic, &(struct provider_config){ 0 }, &a, wall_now(), &j);
    cr_assert_eq(j.outcome, OUTCOME_IN_DOUBT);
    cr_assert_not(j.uncounted);
}
