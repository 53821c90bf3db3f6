/* ses: Amazon SES v2, POST /v2/email/outbound-emails, signed with SigV4.
 *
 * Accepted    200 {"MessageId"}.
 * Message-ID  SES writes its own, <MessageId@REGION.amazonses.com> (us-east-1: email.amazonses.com), so ours is not sent:
 *             a reply and the next message of the conversation name the one that arrived.
 * Content     Simple: its headers may be any printable ASCII of 995 bytes, which ours always are (render/header.h).
 * Doubt       it knows no keys and has no search: only its Send event, which carries the tag fu_id, proves that a
 *             message arrived.
 * List        GET /v2/email/suppression/addresses, of the account, by StartDate and NextToken. Nobody unsubscribes there. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/json_text.h"
#include "followupd/base/utf8.h"
#include "judge.h"
#include "list_page.h"
#include "request.h"

#define ENCODED_WORD_BYTES 45 /* of text in a =?UTF-8?B?...?=, which may have 75 characters (RFC 2047, 2) */

static enum status ses_add_url(const struct provider_config *config, struct buf *out, struct err *e)
{
    (void)e;
    return buf_format(out, "https://email.%s.amazonaws.com", config->region);
}

static enum status ses_add_path(const struct provider_config *config, struct buf *out)
{
    (void)config;
    return buf_text(out, "/v2/email/outbound-emails");
}

/* --- the message ---------------------------------------------------------------------------------------------------- */

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text > 0x7e)
            return false;
    }
    return true;
}

/* As much of the name as an encoded word holds, ending between two characters. */
static size_t word_bytes(const char *name, size_t left)
{
    size_t bytes = 0;
    while (bytes < left) {
        size_t n = utf8_length(name + bytes, left - bytes);
        if (n == 0 || bytes + n > ENCODED_WORD_BYTES)
            break;
        bytes += n;
    }
    return bytes;
}

/* A name of other letters has to come as encoded words; the others take it as it is. */
static enum status add_encoded_sender(const struct outgoing *m, struct buf *sender)
{
    const char *name = m->from_name;
    size_t left = strlen(name);
    enum status st = utf8_valid(name, left) ? OK : E_INVALID;
    while (left > 0 && st == OK) {
        char word[ENCODED_WORD_BYTES * 2];
        size_t bytes = word_bytes(name, left);
        sodium_bin2base64(word, sizeof word, (const unsigned char *)name, bytes, sodium_base64_VARIANT_ORIGINAL);
        st = buf_format(sender, "=?UTF-8?B?%s?= ", word);
        name += bytes;
        left -= bytes;
    }
    return st == OK ? buf_format(sender, "<%s>", m->from_address) : st;
}

static enum status add_sender(const struct outgoing *m, struct buf *out)
{
    struct buf sender;
    if (m->from_name == NULL || is_ascii(m->from))
        return json_add_format(out, ",\"FromEmailAddress\":%", m->from);
    buf_init(&sender, PROVIDER_URL_BYTES_MAX);
    enum status st = add_encoded_sender(m, &sender);
    if (st == OK)
        st = json_add_format(out, ",\"FromEmailAddress\":%", sender.data);
    buf_fini(&sender);
    return st;
}

static enum status add_content(const struct outgoing *m, struct buf *out)
{
    enum status st = json_add_format(out,
                                     "{\"Content\":{\"Simple\":{\"Subject\":{\"Data\":%,\"Charset\":\"UTF-8\"},"
                                     "\"Body\":{\"Text\":{\"Data\":%,\"Charset\":\"UTF-8\"}",
                                     m->subject, m->text);
    if (st == OK && m->html != NULL)
        st = json_add_format(out, ",\"Html\":{\"Data\":%,\"Charset\":\"UTF-8\"}", m->html);
    if (st == OK)
        st = buf_text(out, "},\"Headers\":");
    if (st == OK)
        st = json_add_pairs(out, m->headers, "Name", "Value", "Message-ID");
    return st == OK ? buf_text(out, "}}") : st;
}

static enum status add_body(const struct provider_config *config, const struct outgoing *m, struct buf *out)
{
    enum status st = request_reserve(out, m);
    if (st == OK)
        st = add_content(m, out);
    if (st == OK)
        st = add_sender(m, out);
    if (st == OK)
        st = json_add_format(out, ",\"Destination\":{\"ToAddresses\":[%]}", m->to);
    if (st == OK && m->reply_to != NULL)
        st = json_add_format(out, ",\"ReplyToAddresses\":[%]", m->reply_to);
    if (st == OK)
        st = json_add_format(out, ",\"EmailTags\":[{\"Name\":\"fu_id\",\"Value\":%}]", m->fu_id);
    if (st == OK && config->configuration_set != NULL)
        st = json_add_format(out, ",\"ConfigurationSetName\":%", config->configuration_set);
    return st == OK ? buf_text(out, "}") : st;
}

/* --- the request ----------------------------------------------------------------------------------------------------- */

static enum status sign(const struct provider_config *config, struct provider_request *r)
{
    struct buf scope;
    buf_init(&scope, PROVIDER_URL_BYTES_MAX);
    enum status st = buf_format(&scope, "aws:amz:%s:ses", config->region);
    r->aws_sigv4 = st == OK ? buf_take(&scope) : NULL;
    buf_fini(&scope);
    if (st == OK)
        st = request_pair(config->access_key, config->key, &r->user_password);
    if (st == OK && config->session_token != NULL) /* among the headers, and so signed with them */
        st = provider_request_header(r, "X-Amz-Security-Token", config->session_token);
    return st;
}

static enum status ses_build(const struct provider_config *config, const struct outgoing *m,
                             struct provider_request *ret, struct err *e)
{
    struct provider_request r = { 0 };
    struct buf body;
    buf_init(&body, PROVIDER_BODY_BYTES_MAX);
    enum status st = add_body(config, m, &body);
    if (st == OK)
        st = provider_request_header(&r, "Content-Type", "application/json");
    if (st == OK)
        st = sign(config, &r);
    return request_finish(&r, &body, st, ret, e);
}

/* --- the answer ------------------------------------------------------------------------------------------------------ */

#define ERROR_BYTES 80

/* The exception's name: the header up to its ':', or the body's __type behind its '#'. */
static void read_error(const struct transport_answer *answer, const json_t *body, char ret[ERROR_BYTES])
{
    const char *name = transport_header(answer, "x-amzn-errortype");
    if (name == NULL || name[0] == '\0') {
        name = judge_member(body, "__type");
        if (strchr(name, '#') != NULL)
            name = strchr(name, '#') + 1;
    }
    judge_copy_text(ret, ERROR_BYTES, name, strcspn(name, ":"));
}

static bool is_one_of(const char *error, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(error, *names) == 0)
            return true;
    }
    return false;
}

static void judge_error(int http_status, const char *error, struct judgement *ret)
{
    static const char *const account[] = { "AccountSuspendedException", "SendingPausedException",
                                           "LimitExceededException", NULL };
    static const char *const throttled[] = { "TooManyRequestsException", "ThrottlingException", NULL };
    if (is_one_of(error, account))
        judge_rest(ret, 0, "SES has stopped sending for the account", error);
    else if (is_one_of(error, throttled) || http_status == 429)
        judge_later(ret, ret->retry_after_ms);
    else if (http_status == 401 || http_status == 403)
        judge_rest(ret, 0, "SES refuses the access key or its signature", error);
}

static void rewrite_id(const struct provider_config *config, struct judgement *ret)
{
    char domain[PROVIDER_ID_BYTES];
    bool first = strcmp(config->region, "us-east-1") == 0;
    snprintf(domain, sizeof domain, "%.200s.amazonses.com", first ? "email" : config->region);
    judge_rewritten_id(ret, config->message_id_domain != NULL ? config->message_id_domain : domain);
}

static void ses_read_answer(const struct provider_config *config, const struct transport_answer *answer,
                            struct wall now_real, struct judgement *ret)
{
    char error[ERROR_BYTES];
    (void)now_real;
    json_t *body = json_loadb(answer->body, answer->body_bytes, 0, NULL);
    if (ret->outcome == OUTCOME_SENT) {
        judge_copy_member(body, "MessageId", ret->provider_message_id, sizeof ret->provider_message_id);
        rewrite_id(config, ret);
    } else {
        read_error(answer, body, error);
        judge_copy_member(body, "message", ret->detail, sizeof ret->detail);
        judge_error(answer->http_status, error, ret);
    }
    json_decref(body);
}

/* --- suppression list -------------------------------------------------------------------------------------------------- */

#define LIST_ROWS 100

/* As RFC 3986 has it, and the signature wants it. */
static enum status add_encoded(struct buf *out, const char *text)
{
    enum status st = OK;
    for (; *text != '\0' && st == OK; text++) {
        bool plain = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", *text) != NULL;
        st = plain ? buf_add(out, text, 1) : buf_format(out, "%%%02X", (unsigned char)*text);
    }
    return st;
}

/* The parameters sorted by name: transport.h. */
static enum status add_list_path(const struct list_place *place, struct wall since, struct buf *out)
{
    char start[32];
    enum status st = buf_text(out, "/v2/email/suppression/addresses?");
    if (st == OK && place->cursor[0] != '\0')
        st = buf_text(out, "NextToken=");
    if (st == OK && place->cursor[0] != '\0')
        st = add_encoded(out, place->cursor);
    if (st == OK)
        st = buf_format(out, "%sPageSize=%d&StartDate=", place->cursor[0] != '\0' ? "&" : "", LIST_ROWS);
    list_page_date(since, true, start, sizeof start);
    return st == OK ? add_encoded(out, start) : st;
}

static enum status ses_build_list(const struct provider_config *config, const struct list_place *place,
                                  struct wall since, struct provider_request *ret, struct err *e)
{
    struct provider_request r = { .method = TRANSPORT_GET };
    struct buf path, none;
    buf_init(&path, PROVIDER_URL_BYTES_MAX + 3 * LIST_CURSOR_BYTES);
    buf_init(&none, 1);
    enum status st = add_list_path(place, since, &path);
    if (st == OK)
        st = request_url(&r, config, path.data);
    if (st == OK)
        st = sign(config, &r);
    buf_fini(&path);
    return request_finish(&r, &none, st, ret, e);
}

/* {"SuppressedDestinationSummaries": [{"EmailAddress", "Reason", "LastUpdateTime"}], "NextToken"?} */
static enum status ses_read_list(const struct transport_answer *answer, struct list_place *place, bool *over,
                                 json_t *entries, struct err *e)
{
    static const struct list_shape shape = { "EmailAddress",
                                             "LastUpdateTime",
                                             "Reason",
                                             { { "BOUNCE", "bounced",
                                                 "{\"type\":\"Permanent\",\"subtype\":\"OnAccountSuppressionList\"}" },
                                               { "COMPLAINT", "complained", NULL } },
                                             { { NULL } } };
    json_t *body = json_loadb(answer->body, answer->body_bytes, JSON_REJECT_DUPLICATES, NULL);
    const json_t *next = json_object_get(body, "NextToken");
    enum status st = list_page_read(json_object_get(body, "SuppressedDestinationSummaries"), &shape, entries, e);
    if (st == OK && (next == NULL || json_is_null(next)))
        list_page_next(place, 1, over);
    else if (st == OK && !list_page_cursor(place, json_string_value(next), json_string_length(next)))
        st = err_set(e, E_INVALID, "NextToken is none");
    json_decref(body);
    return st;
}

const struct provider_type provider_ses = {
    .name = "ses",
    .takes = PROVIDER_CONFIGURATION_SET | PROVIDER_SESSION_TOKEN | PROVIDER_MESSAGE_ID_DOMAIN,
    .needs = PROVIDER_KEY | PROVIDER_REGION | PROVIDER_ACCESS_KEY,
    .add_url = ses_add_url,
    .add_path = ses_add_path,
    .build = ses_build,
    .read_answer = ses_read_answer,
    .build_list = ses_build_list,
    .read_list = ses_read_list,
};
