/* api_mailgun: POST /v3/<domain>/messages, a form. 200 with the Message-ID as its id; errors {"message"}. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api.h"
#include "followupd/base/clock.h"
#include "form.h"
#include "message.h"
#include "server.h"

static bool authorized(const struct exchange *x, const char *credential)
{
    const char *given = exchange_header(x, "Authorization");
    char plain[256], encoded[512];
    int length = credential != NULL ? snprintf(plain, sizeof plain, "api:%s", credential) : -1;
    if (given == NULL || strncasecmp(given, "Basic ", 6) != 0 || length < 0 || (size_t)length >= sizeof plain)
        return false;
    sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)plain, (size_t)length,
                      sodium_base64_VARIANT_ORIGINAL);
    return api_same(given + 6, encoded);
}

static enum status read_form(const json_t *form, json_t **ret, struct err *e)
{
    const char *name;
    json_t *value;
    if (form_value(form, "recipient-variables") != NULL)
        return err_set(e, E_INVALID, "the sandbox takes one recipient, without recipient-variables");
    json_t *headers = form_values(form, "h:"), *kept = json_object();
    struct api_mail mail = {
        .from = form_value(form, "from"),
        .to = form_value(form, "to"),
        .subject = form_value(form, "subject"),
        .text = form_value(form, "text"),
        .html = form_value(form, "html"),
        .fu_id = form_value(form, "v:fu_id"),
        .headers = kept,
    };
    json_object_foreach (headers, name, value) {
        if (strcasecmp(name, "Reply-To") == 0)
            mail.reply_to = json_string_value(value);
        else
            json_object_set(kept, name, value);
    }
    enum status st = api_document(&api_mailgun, &mail, ret, e);
    json_decref(kept);
    json_decref(headers);
    return st;
}

static enum status read_request(const struct exchange *x, json_t **ret, struct err *e)
{
    const struct buf *body = exchange_body(x);
    json_t *form;
    enum status st =
        form_parse(exchange_header(x, "Content-Type"), body->used > 0 ? body->data : "", body->used, &form, e);
    if (st != OK)
        return st;
    st = read_form(form, ret, e);
    json_decref(form);
    return st;
}

static void answer_accepted(struct exchange *x, const struct message *m, int64_t seq)
{
    char id[API_ID_BYTES];
    api_rfc_message_id(m, seq, id);
    api_answer(x, MHD_HTTP_OK, json_pack("{s:s,s:s}", "id", id, "message", "Queued. Thank you."));
}

static void answer_refused(struct exchange *x, enum api_refusal why, const char *text, int64_t retry_after_s)
{
    static const int statuses[] = {
        [API_UNAUTHORIZED] = 401, [API_INVALID] = 400,      [API_KEY_INVALID] = 400, [API_KEY_REUSED] = 400,
        [API_KEY_IN_USE] = 400,   [API_RATE_LIMITED] = 429, [API_QUOTA] = 429,       [API_INACTIVE] = 400,
        [API_SUSPENDED] = 403,    [API_BUSY] = 503,         [API_BROKEN] = 500,      [API_FULL] = 503,
    };
    char reset[32];
    if (statuses[why] == 429) {
        int64_t wait_s = retry_after_s >= 0 ? retry_after_s : 1;
        snprintf(reset, sizeof reset, "%" PRId64, wall_now().us / 1000 + 1000 * wait_s);
        exchange_answer_header(x, "X-RateLimit-Limit", "300");
        exchange_answer_header(x, "X-RateLimit-Remaining", "0");
        exchange_answer_header(x, "X-RateLimit-Reset", reset);
    }
    if (retry_after_s >= 0)
        exchange_retry_after(x, retry_after_s);
    api_answer(x, statuses[why], json_pack("{s:s}", "message", why == API_UNAUTHORIZED ? "Forbidden" : text));
}

const struct api api_mailgun = { .name = "mailgun",
                                 .which = API_MAILGUN,
                                 .authorized = authorized,
                                 .read = read_request,
                                 .accept = answer_accepted,
                                 .refuse = answer_refused,
                                 .id = api_rfc_message_id };
