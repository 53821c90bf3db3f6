/* api_ses: SES v2, POST /v2/email/outbound-emails, signed with SigV4. The error's name stands in x-amzn-ErrorType. The
 * mail gets a Message-ID of SES's own, which names the region, and as SES does it a Feedback-ID that names it too. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "followupd/base/clock.h"
#include "message.h"
#include "server.h"
#include "sigv4.h"

#define FEEDBACK_BYTES 96

static bool authorized(const struct exchange *x, const char *credential)
{
    return credential != NULL && sigv4_verify(x, credential, "ses", wall_now());
}

static enum status read_body(const json_t *body, json_t **ret, struct err *e)
{
    const json_t *simple = json_object_get(json_object_get(body, "Content"), "Simple");
    const json_t *to = json_object_get(json_object_get(body, "Destination"), "ToAddresses");
    const json_t *content = json_object_get(simple, "Body");
    if (simple == NULL)
        return err_set(e, E_INVALID, "The sandbox takes Content.Simple only.");
    if (json_array_size(to) != 1)
        return err_set(e, E_INVALID, "The sandbox takes one recipient.");
    json_t *tags = api_pairs(json_object_get(body, "EmailTags"), "Name", "Value");
    struct api_mail mail = {
        .from = api_text(body, "FromEmailAddress"),
        .to = json_string_value(json_array_get(to, 0)),
        .reply_to = json_string_value(json_array_get(json_object_get(body, "ReplyToAddresses"), 0)),
        .subject = api_text(json_object_get(simple, "Subject"), "Data"),
        .text = api_text(json_object_get(content, "Text"), "Data"),
        .html = api_text(json_object_get(content, "Html"), "Data"),
        .fu_id = api_text(tags, "fu_id"),
        .headers = api_pairs(json_object_get(simple, "Headers"), "Name", "Value"),
    };
    enum status st = api_document(&api_ses, &mail, ret, e);
    json_decref(mail.headers);
    json_decref(tags);
    return st;
}

static enum status read_request(const struct exchange *x, json_t **ret, struct err *e)
{
    char region[SIGV4_REGION_BYTES], feedback[FEEDBACK_BYTES];
    enum status st = api_read_json(x, read_body, ret, e);
    if (st != OK)
        return st;
    sigv4_region(x, region);
    snprintf(feedback, sizeof feedback, "::1.%s.sandbox:AmazonSES", region);
    json_object_set_new(json_object_get(*ret, "headers"), "Feedback-ID", json_string(feedback));
    return OK;
}

void ses_region(const struct message *m, char ret[SIGV4_REGION_BYTES])
{
    const char *feedback = message_header(m, "Feedback-ID");
    if (feedback == NULL || sscanf(feedback, "::1.%47[^.].", ret) != 1)
        snprintf(ret, SIGV4_REGION_BYTES, "us-east-1");
}

static void id_domain(const struct message *m, char ret[API_DOMAIN_BYTES])
{
    char region[SIGV4_REGION_BYTES];
    ses_region(m, region);
    snprintf(ret, API_DOMAIN_BYTES, "%s.amazonses.com", strcmp(region, "us-east-1") == 0 ? "email" : region);
}

static void id(const struct message *m, int64_t seq, char ret[API_ID_BYTES])
{
    (void)m;
    snprintf(ret, API_ID_BYTES, "0100%012" PRIx64 "-sandbox-000000", (uint64_t)seq);
}

static void answer_accepted(struct exchange *x, const struct message *m, int64_t seq)
{
    char text[API_ID_BYTES];
    id(m, seq, text);
    api_answer(x, MHD_HTTP_OK, json_pack("{s:s}", "MessageId", text));
}

static void answer_refused(struct exchange *x, enum api_refusal why, const char *text, int64_t retry_after_s)
{
    static const struct {
        int http_status;
        const char *name, *text;
    } answers[] = {
        [API_UNAUTHORIZED] = { 403, "SignatureDoesNotMatch",
                               "The request signature we calculated does not match the signature you provided." },
        [API_INVALID] = { 400, "BadRequestException", NULL },
        [API_KEY_INVALID] = { 400, "BadRequestException", NULL },
        [API_KEY_REUSED] = { 400, "BadRequestException", NULL },
        [API_KEY_IN_USE] = { 400, "BadRequestException", NULL },
        [API_RATE_LIMITED] = { 429, "TooManyRequestsException", "Maximum sending rate exceeded." },
        [API_QUOTA] = { 400, "LimitExceededException", "Daily message quota exceeded." },
        [API_INACTIVE] = { 400, "MessageRejected", NULL },
        [API_SUSPENDED] = { 400, "AccountSuspendedException", "The account is suspended." },
        [API_BUSY] = { 503, "ServiceUnavailable", NULL },
        [API_BROKEN] = { 500, "InternalFailure", NULL },
        [API_FULL] = { 503, "ServiceUnavailable", NULL },
    };
    if (retry_after_s >= 0)
        exchange_retry_after(x, retry_after_s);
    exchange_answer_header(x, "x-amzn-ErrorType", answers[why].name);
    api_answer(x, answers[why].http_status,
               json_pack("{s:s}", "message", answers[why].text != NULL ? answers[why].text : text));
}

const struct api api_ses = { .name = "ses",
                             .which = API_SES,
                             .authorized = authorized,
                             .read = read_request,
                             .accept = answer_accepted,
                             .refuse = answer_refused,
                             .id = id,
                             .id_domain = id_domain };
