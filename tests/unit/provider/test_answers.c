/* What each provider's answers mean: the rows of docs/providers.md, by status and code, never by the text for people. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../answer_headers.h"
#include "followupd/base/list.h"
#include "followupd/provider/provider.h"

#define NOW_S INT64_C(1764547200) /* Mon, 01 Dec 2025 00:00:00 GMT */
#define NOW   "1764547200"

enum meaning {
    IS_SENT,
    IS_REJECTED, /* will never work */
    IS_LATER,    /* not sent, not the message's fault, the provider is asked less */
    RESTS,       /* the account cannot send: the provider rests and says so */
    IS_RETRIED,  /* not sent, and counted */
    IS_DOUBT,
    KEY_REUSED,
};

struct answer {
    int status;
    const char *body;
    enum meaning meaning;
    int64_t wait_ms;    /* -1: any */
    const char *detail; /* NULL: any; else a part of it */
    struct answer_headers headers;
};

static const char *say(enum meaning meaning)
{
    static const char *const names[] = { "sent", "rejected", "later", "rests", "retried", "in doubt", "key reused" };
    return names[meaning];
}

static enum meaning meaning_of(const struct judgement *j)
{
    if (j->key_reused)
        return KEY_REUSED;
    if (j->outcome == OUTCOME_RETRY && j->refused_us)
        return RESTS;
    if (j->outcome == OUTCOME_RETRY && j->uncounted && j->overloaded)
        return IS_LATER;
    return j->outcome == OUTCOME_SENT       ? IS_SENT
           : j->outcome == OUTCOME_REJECTED ? IS_REJECTED
           : j->outcome == OUTCOME_RETRY    ? IS_RETRIED
                                            : IS_DOUBT;
}

static struct judgement judge_with(const struct provider_type *type, const struct provider_config *config,
                                   const struct answer *row)
{
    struct judgement ret;
    struct transport_answer a = {
        .end = TRANSPORT_ANSWERED,
        .http_status = row->status,
        .body = row->body,
        .body_bytes = strlen(row->body),
        .body_whole = true,
        .begun_us = 1,
        .detail = "",
        .find_header = answer_header_find,
        .headers = (void *)&row->headers,
    };
    judge_answer(type, config, &a, (struct wall){ NOW_S * 1000000 }, &ret);
    return ret;
}

static struct judgement judge(const struct provider_type *type, const struct answer *row)
{
    return judge_with(type, &(struct provider_config){ .region = "us-east-1" }, row);
}

static void check(const struct provider_type *type, const struct answer *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct answer *row = &rows[i];
        struct judgement j = judge(type, row);
        enum meaning got = meaning_of(&j);
        cr_expect_eq(got, row->meaning, "%s %d %s: %s, not %s", type->name, row->status, row->body, say(got),
                     say(row->meaning));
        if (row->wait_ms >= 0)
            cr_expect_eq(j.retry_after_ms, row->wait_ms, "%s %d %s: waits %lld ms", type->name, row->status, row->body,
                         (long long)j.retry_after_ms);
        if (row->detail != NULL)
            cr_expect_not_null(strstr(j.detail, row->detail), "%s %d %s: says '%s'", type->name, row->status, row->body,
                               j.detail);
        cr_expect(j.outcome == OUTCOME_SENT || j.detail[0] != '\0', "%s %d: says nothing", type->name, row->status);
    }
}

#define CHECK(type, rows) check(type, rows, COUNT_OF(rows))

#define SENDGRID_ERROR "{\"errors\":[{\"message\":\"why\",\"field\":null}]}"

Test(answers, sendgrid)
{
    static const struct answer rows[] = {
        { 202, "", IS_SENT },
        { 400, SENDGRID_ERROR, IS_REJECTED, 0, "why" },
        { 401, SENDGRID_ERROR, RESTS, -1, "sending rests: SendGrid refuses the key, or what it may do (why)" },
        { 403, SENDGRID_ERROR, RESTS, -1, "sending rests" },
        { 403, "{\"errors\":[{\"message\":\"no verified sender\",\"field\":\"from\"}]}", IS_REJECTED, 0,
          "no verified sender" }, /* others may send */
        { 404, SENDGRID_ERROR, RESTS, -1, "why" },
        { 405, "", RESTS },
        { 413, SENDGRID_ERROR, IS_REJECTED, 0, "why" },
        { 429, SENDGRID_ERROR, IS_LATER, 90000, "why", { { { "X-RateLimit-Reset", "1764547290" } } } },
        { 429, SENDGRID_ERROR, IS_LATER, 5000, NULL, { { { "X-RateLimit-Reset", NOW } } } },
        { 429, SENDGRID_ERROR, IS_LATER, 3600000, NULL, { { { "X-RateLimit-Reset", "1774547290" } } } },
        { 429,
          SENDGRID_ERROR,
          IS_LATER,
          7000,
          NULL,
          { { { "Retry-After", "7" }, { "X-RateLimit-Reset", "1764547290" } } } },
        { 429, "busy", IS_LATER, 5000 },
        { 500, SENDGRID_ERROR, IS_DOUBT },
        { 503, SENDGRID_ERROR, IS_DOUBT, 0, NULL, { { { "Retry-After", "7" } } } },
        { 504, "", IS_DOUBT },
    };
    CHECK(&provider_sendgrid, rows);
    struct answer accepted = { 202, "", .headers = { { { "X-Message-Id", "14c5d75ce93.dfd.64b469" } } } };
    cr_expect_str_eq(judge(&provider_sendgrid, &accepted).provider_message_id, "14c5d75ce93.dfd.64b469");
}

Test(answers, mailgun)
{
    static const struct answer rows[] = {
        { 200, "{\"id\":\"<1@mg>\",\"message\":\"Queued. Thank you.\"}", IS_SENT },
        { 400, "{\"message\":\"'to' parameter is not a valid address\"}", IS_REJECTED, 0, "'to' parameter" },
        { 401, "Forbidden", RESTS, -1, "sending rests: Mailgun refuses the key" },
        { 403, "{\"message\":\"why\"}", RESTS },
        { 404, "{\"message\":\"Domain not found\"}", RESTS, 0, "Domain not found" },
        { 413, "", IS_REJECTED },
        { 429, "{}", IS_LATER, 30000, NULL, { { { "Retry-After", "30" } } } },
        { 429, "{}", IS_LATER, 30000, NULL, { { { "X-RateLimit-Reset", "30" } } } },
        { 429, "{}", IS_LATER, 30000, NULL, { { { "X-RateLimit-Reset", "1764547230" } } } },
        { 429, "{}", IS_LATER, 30000, NULL, { { { "X-RateLimit-Reset", "1764547230000" } } } },
        { 429, "{}", IS_LATER, 5000 },
        { 500, "{\"message\":\"why\"}", IS_DOUBT, 0, "why" },
        { 502, "", IS_DOUBT },
    };
    CHECK(&provider_mailgun, rows);
    struct answer accepted = { 200, "{\"id\":\"<20260101.1.abc@mg.sender.example>\"}" };
    cr_expect_str_eq(judge(&provider_mailgun, &accepted).provider_message_id, "<20260101.1.abc@mg.sender.example>");
}

Test(answers, postmark)
{
    static const struct answer rows[] = {
        { 200, "{\"ErrorCode\":0,\"Message\":\"OK\",\"MessageID\":\"u-1\"}", IS_SENT },
        { 200, "{\"ErrorCode\":0", IS_SENT }, /* cut: the status has decided */
        { 200, "{\"ErrorCode\":300,\"Message\":\"why\"}", IS_REJECTED, 0, "why" },
        { 401, "{\"ErrorCode\":10,\"Message\":\"bad token\"}", RESTS, -1, "server token (ErrorCode 10)" },
        { 403, "{\"ErrorCode\":10,\"Message\":\"why\"}", RESTS },
        { 404, "<html>", RESTS, -1, "HTTP 404" },
        { 413, "", IS_REJECTED },
        { 422, "{\"ErrorCode\":300,\"Message\":\"invalid\"}", IS_REJECTED, 0, "invalid" },
        { 422, "{\"ErrorCode\":406,\"Message\":\"inactive\"}", IS_REJECTED, 0, "inactive" },
        { 422, "{\"ErrorCode\":400,\"Message\":\"no such sender\"}", IS_REJECTED, 0, "no such sender" },
        { 422, "{\"ErrorCode\":405,\"Message\":\"no credits\"}", RESTS, -1,
          "sending rests: Postmark lets the account send nothing (ErrorCode 405)" },
        { 422, "{\"ErrorCode\":412,\"Message\":\"pending\"}", RESTS },
        { 422, "{\"ErrorCode\":413,\"Message\":\"may not send\"}", RESTS },
        { 429, "{\"ErrorCode\":0,\"Message\":\"slow\"}", IS_LATER, 5000, "slow" },
        { 429, "{}", IS_LATER, 9000, NULL, { { { "Retry-After", "9" } } } },
        { 500, "{\"Message\":\"why\"}", IS_DOUBT, 0, "why" },
        { 503, "", IS_DOUBT, 0, NULL, { { { "Retry-After", "9" } } } },
    };
    CHECK(&provider_postmark, rows);
    struct answer accepted = { 200, "{\"ErrorCode\":0,\"MessageID\":\"00000000-0000-4000-8000-000000000001\"}" };
    cr_expect_str_eq(judge(&provider_postmark, &accepted).provider_message_id, "00000000-0000-4000-8000-000000000001");
}

#define AMZN(name)                                                                                                     \
    {                                                                                                                  \
        {                                                                                                              \
            {                                                                                                          \
                "x-amzn-ErrorType", name                                                                               \
            }                                                                                                          \
        }                                                                                                              \
    }
#define SES_ERROR(status, name, meaning)                                                                               \
    {                                                                                                                  \
        status, "{\"message\":\"why\"}", meaning, -1, NULL, AMZN(name)                                                 \
    }

Test(answers, ses)
{
    static const struct answer rows[] = {
        { 200, "{\"MessageId\":\"010001-test-000000\"}", IS_SENT },
        SES_ERROR(400, "MessageRejected", IS_REJECTED),
        SES_ERROR(400, "MailFromDomainNotVerifiedException", IS_REJECTED),
        SES_ERROR(400, "BadRequestException:http://internal.amazon.com/coral/", IS_REJECTED),
        SES_ERROR(404, "NotFoundException", RESTS), /* the configuration set */
        SES_ERROR(403, "InvalidSignatureException", RESTS),
        SES_ERROR(403, "AccessDeniedException", RESTS),
        SES_ERROR(400, "AccountSuspendedException", RESTS),
        SES_ERROR(400, "SendingPausedException:", RESTS),
        SES_ERROR(400, "LimitExceededException", RESTS),
        SES_ERROR(429, "TooManyRequestsException", IS_LATER),
        SES_ERROR(400, "ThrottlingException", IS_LATER),
        { 400, "{\"__type\":\"com.amazonaws.ses#SendingPausedException\"}", RESTS, -1,
          "sending rests: SES has stopped sending for the account (SendingPausedException)" },
        { 400, "{\"__type\":\"ThrottlingException\"}", IS_LATER, 5000 },
        { 429, "{}", IS_LATER, 5000 },
        { 429, "{}", IS_LATER, 8000, NULL, { { { "Retry-After", "8" } } } },
        { 400, "{\"message\":\"Daily message quota exceeded\"}", IS_LATER, 5000, NULL, AMZN("ThrottlingException") },
        { 400, "{\"message\":\"Daily message quota exceeded\"}", IS_REJECTED }, /* the text decides nothing */
        { 401, "", RESTS },
        SES_ERROR(500, "InternalServiceErrorException", IS_DOUBT),
        { 503, "", IS_DOUBT },
    };
    CHECK(&provider_ses, rows);
    struct answer accepted = { 200, "{\"MessageId\":\"010001-test-000000\"}" };
    cr_expect_str_eq(judge(&provider_ses, &accepted).provider_message_id, "010001-test-000000");
}

/* The next message's In-Reply-To names what arrived, not what we had called it. */
Test(answers, a_provider_that_writes_its_own_message_id_says_which)
{
    static const struct {
        const struct provider_type *type;
        struct provider_config config;
        const char *wanted;
    } rows[] = {
        { &provider_ses, { .region = "us-east-1" }, "<i-1@email.amazonses.com>" },
        { &provider_ses, { .region = "eu-west-1" }, "<i-1@eu-west-1.amazonses.com>" },
        { &provider_ses, { .region = "eu-west-1", .message_id_domain = "mail.example" }, "<i-1@mail.example>" },
        { &provider_postmark, { .message_id_domain = "mail.example" }, "<i-1@mail.example>" },
        { &provider_postmark, { 0 }, "" },
        { &provider_resend, { 0 }, "" },
        { &provider_mailgun, { 0 }, "" },
    };
    struct answer accepted = { 200, "{\"MessageId\":\"i-1\",\"MessageID\":\"i-1\",\"id\":\"i-1\"}" };
    struct answer nameless = { 200, "{}" };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_expect_str_eq(judge_with(rows[i].type, &rows[i].config, &accepted).rfc_message_id, rows[i].wanted);
        cr_expect_str_eq(judge_with(rows[i].type, &rows[i].config, &nameless).rfc_message_id, "");
    }
}

#define RESEND(name) "{\"statusCode\":1,\"name\":\"" name "\",\"message\":\"why\"}"

Test(answers, resend)
{
    static const struct answer rows[] = {
        { 200, "{\"id\":\"r-1\"}", IS_SENT },
        { 400, RESEND("validation_error"), IS_REJECTED, 0, "why" },
        { 400, RESEND("invalid_idempotency_key"), IS_REJECTED },
        { 401, RESEND("missing_api_key"), RESTS, -1, "sending rests: Resend refuses the key (missing_api_key)" },
        { 401, RESEND("restricted_api_key"), RESTS },
        { 403, RESEND("invalid_api_key"), RESTS },
        { 403, RESEND("validation_error"), IS_REJECTED, 0, "why" }, /* the sender's domain */
        { 403, "error code: 1010", RESTS, -1, "HTTP 403" },         /* of whoever stands before Resend */
        { 404, RESEND("not_found"), RESTS },
        { 405, RESEND("method_not_allowed"), RESTS },
        { 409, RESEND("concurrent_idempotent_requests"), IS_DOUBT },
        { 409, RESEND("invalid_idempotent_request"), KEY_REUSED },
        { 422, RESEND("missing_required_field"), IS_REJECTED },
        { 422, RESEND("invalid_from_address"), IS_REJECTED },
        { 429, RESEND("rate_limit_exceeded"), IS_LATER, 2000, NULL, { { { "ratelimit-reset", "2" } } } },
        { 429,
          RESEND("rate_limit_exceeded"),
          IS_LATER,
          3000,
          NULL,
          { { { "retry-after", "3" }, { "ratelimit-reset", "2" } } } },
        { 429, RESEND("rate_limit_exceeded"), IS_LATER, 5000 },
        { 429, RESEND("daily_quota_exceeded"), RESTS, 3600000,
          "sending rests: Resend's quota is used up (daily_quota_exceeded)" },
        { 429, RESEND("monthly_quota_exceeded"), RESTS, 1200000, NULL, { { { "retry-after", "1200" } } } },
        { 500, RESEND("application_error"), IS_DOUBT },
        { 500, RESEND("internal_server_error"), IS_DOUBT },
    };
    CHECK(&provider_resend, rows);
    struct answer accepted = { 200, "{\"id\":\"49a3999c-0ce1-4ea6-ab68-afcd6dc2e794\"}" };
    cr_expect_str_eq(judge(&provider_resend, &accepted).provider_message_id, "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794");
}
