/* api_postmark: POST /email. 200 with ErrorCode 0; refused content 422 with an ErrorCode, 406 for an inactive
 * recipient; no header tells how long to wait. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "followupd/base/clock.h"
#include "message.h"
#include "server.h"

static bool authorized(const struct exchange *x, const char *credential)
{
    return api_same(exchange_header(x, "X-Postmark-Server-Token"), credential);
}

static enum status read_body(const json_t *body, json_t **ret, struct err *e)
{
    struct api_mail mail = {
        .from = api_text(body, "From"),
        .to = api_text(body, "To"),
        .reply_to = api_text(body, "ReplyTo"),
        .subject = api_text(body, "Subject"),
        .text = api_text(body, "TextBody"),
        .html = api_text(body, "HtmlBody"),
        .fu_id = api_text(json_object_get(body, "Metadata"), "fu_id"),
        .headers = api_pairs(json_object_get(body, "Headers"), "Name", "Value"),
    };
    enum status st = api_document(&api_postmark, &mail, ret, e);
    json_decref(mail.headers);
    return st;
}

static enum status read_request(const struct exchange *x, json_t **ret, struct err *e)
{
    return api_read_json(x, read_body, ret, e);
}

static void answer_accepted(struct exchange *x, const struct message *m, int64_t seq)
{
    char id[API_ID_BYTES], at[40];
    api_uuid(m, seq, id);
    api_time(wall_now().us, at, sizeof at);
    api_answer(x, MHD_HTTP_OK,
               json_pack("{s:s,s:s,s:s,s:i,s:s}", "To", m->to, "SubmittedAt", at, "MessageID", id, "ErrorCode", 0,
                         "Message", "OK"));
}

static void answer_refused(struct exchange *x, enum api_refusal why, const char *text, int64_t retry_after_s)
{
    static const struct {
        int http_status, code;
    } answers[] = {
        [API_UNAUTHORIZED] = { 401, 10 }, [API_INVALID] = { 422, 300 },    [API_KEY_INVALID] = { 422, 300 },
        [API_KEY_REUSED] = { 422, 300 },  [API_KEY_IN_USE] = { 422, 300 }, [API_RATE_LIMITED] = { 429, 0 },
        [API_QUOTA] = { 429, 0 },         [API_INACTIVE] = { 422, 406 },   [API_SUSPENDED] = { 422, 405 },
        [API_BUSY] = { 503, 0 },          [API_BROKEN] = { 500, 0 },       [API_FULL] = { 503, 0 },
    };
    if (retry_after_s >= 0)
        exchange_retry_after(x, retry_after_s);
    api_answer(
        x, answers[why].http_status,
        json_pack("{s:i,s:s}", "ErrorCode", answers[why].code, "Message",
                  why == API_INACTIVE ? "You tried to send to recipient(s) that have been marked as inactive." : text));
}

const struct api api_postmark = { .name = "postmark",
                                  .which = API_POSTMARK,
                                  .authorized = authorized,
                                  .read = read_request,
                                  .accept = answer_accepted,
                                  .refuse = answer_refused,
                                  .id = api_uuid };
