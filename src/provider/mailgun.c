/* mailgun: Mailgun v3, POST /v3/<domain>/messages as multipart/form-data.
 *
 * Accepted   200 {"id"}.
 * Doubt      it knows no keys, and a 5xx does not prove that nothing was sent; its log, asked for our Message-ID, shows
 *            what it has accepted.
 * Lists      GET /v3/<domain>/bounces, complaints, unsubscribes: from their beginning, page after page by paging.next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "followupd/base/json_text.h"
#include "followupd/base/list.h"
#include "followupd/base/utf8.h"
#include "judge.h"
#include "list_page.h"
#include "request.h"

#define BOUNDARY_BYTES 96

static enum status mailgun_add_url(const struct provider_config *config, struct buf *out, struct err *e)
{
    const char *region = config->region != NULL ? config->region : "us";
    if (strcmp(region, "us") == 0)
        return buf_text(out, "https://api.mailgun.net");
    if (strcmp(region, "eu") == 0)
        return buf_text(out, "https://api.eu.mailgun.net");
    return err_set(e, E_INVALID, "region is '%s', known are: us, eu", region);
}

static enum status mailgun_add_path(const struct provider_config *config, struct buf *out)
{
    return buf_format(out, "/v3/%s/messages", config->domain);
}

/* --- the form ------------------------------------------------------------------------------------------------------ */

static bool holds(const char *text, const char *boundary)
{
    return text != NULL && strstr(text, boundary) != NULL;
}

/* The same for the same message, and in none of its texts; headers have no room for one. */
static void choose_boundary(const struct outgoing *m, char ret[BOUNDARY_BYTES])
{
    int n = 0;
    do {
        snprintf(ret, BOUNDARY_BYTES, "followupd-%s-%d", m->fu_id, n++);
    } while (holds(m->text, ret) || holds(m->html, ret) || holds(m->subject, ret));
}

static enum status add_field(struct buf *out, const char *boundary, const char *prefix, const char *name,
                             const char *value)
{
    size_t bytes = strlen(value);
    if (!utf8_valid(value, bytes))
        return E_INVALID;
    enum status st =
        buf_format(out, "--%s\r\nContent-Disposition: form-data; name=\"%s%s\"\r\n\r\n", boundary, prefix, name);
    if (st == OK)
        st = buf_add(out, value, bytes);
    return st == OK ? buf_add(out, "\r\n", 2) : st;
}

static enum status add_header_fields(struct buf *out, const char *boundary, const struct outgoing *m)
{
    const char *name;
    json_t *value;
    enum status st = m->reply_to != NULL ? add_field(out, boundary, "h:", "Reply-To", m->reply_to) : OK;
    json_object_foreach ((json_t *)m->headers, name, value) {
        if (st == OK)
            st = add_field(out, boundary, "h:", name, json_string_value(value));
    }
    return st;
}

static enum status add_body(const struct provider_config *config, const struct outgoing *m, const char *boundary,
                            struct buf *out)
{
    enum status st = request_reserve(out, m);
    if (st == OK)
        st = add_field(out, boundary, "", "from", m->from);
    if (st == OK)
        st = add_field(out, boundary, "", "to", m->to);
    if (st == OK)
        st = add_field(out, boundary, "", "subject", m->subject);
    if (st == OK)
        st = add_field(out, boundary, "", "text", m->text);
    if (st == OK && m->html != NULL)
        st = add_field(out, boundary, "", "html", m->html);
    if (st == OK)
        st = add_header_fields(out, boundary, m);
    if (st == OK)
        st = add_field(out, boundary, "v:", "fu_id", m->fu_id);
    if (st == OK)
        st = add_field(out, boundary, "o:", "tag", "followup");
    if (st == OK)
        st = add_field(out, boundary, "o:", "tracking", config->tracking ? "yes" : "no");
    return st == OK ? buf_format(out, "--%s--\r\n", boundary) : st;
}

static enum status add_content_type(struct provider_request *r, const char *boundary)
{
    char type[BOUNDARY_BYTES + 40];
    snprintf(type, sizeof type, "multipart/form-data; boundary=%s", boundary);
    return provider_request_header(r, "Content-Type", type);
}

static enum status mailgun_build(const struct provider_config *config, const struct outgoing *m,
                                 struct provider_request *ret, struct err *e)
{
    struct provider_request r = { 0 };
    char boundary[BOUNDARY_BYTES];
    struct buf body;
    buf_init(&body, PROVIDER_BODY_BYTES_MAX);
    choose_boundary(m, boundary);
    enum status st = add_body(config, m, boundary, &body);
    if (st == OK)
        st = add_content_type(&r, boundary);
    if (st == OK)
        st = request_pair("api", config->key, &r.user_password);
    return request_finish(&r, &body, st, ret, e);
}

/* --- the answer ---------------------------------------------------------------------------------------------------- */

/* What X-RateLimit-Reset counts is nowhere said: a small number is seconds left, a large one a time in seconds or ms. */
static int64_t reset_wait_ms(const char *value, struct wall now_real)
{
    double number = value != NULL ? strtod(value, NULL) : 0;
    if (number < 1e9)
        return judge_seconds_left_ms(value);
    if (number < 1e11)
        return judge_unix_time_ms(value, now_real);
    return judge_unix_ms_ms(value, now_real);
}

static void mailgun_read_answer(const struct provider_config *config, const struct transport_answer *answer,
                                struct wall now_real, struct judgement *ret)
{
    (void)config;
    json_t *body = json_loadb(answer->body, answer->body_bytes, 0, NULL);
    if (ret->outcome == OUTCOME_SENT)
        judge_copy_member(body, "id", ret->provider_message_id, sizeof ret->provider_message_id);
    else
        judge_copy_member(body, "message", ret->detail, sizeof ret->detail);
    json_decref(body);
    int s = answer->http_status;
    if (s == 429)
        judge_later(ret, ret->retry_after_ms > 0
                             ? ret->retry_after_ms
                             : reset_wait_ms(transport_header(answer, "X-RateLimit-Reset"), now_real));
    else if (s == 401 || s == 403)
        judge_rest(ret, 0, "Mailgun refuses the key", ret->detail);
}

/* --- in doubt -------------------------------------------------------------------------------------------------------- */

#define LOOK_BEFORE_S (60 * 60) /* its clock and ours need not agree */
#define LOOK_AFTER_S  (60 * 60)

/* RFC 2822, as its log wants it. */
static void write_date(struct wall at, int64_t more_s, char *ret, size_t bytes)
{
    time_t seconds = (time_t)(at.us / 1000000 + more_s);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(ret, bytes, "%a, %d %b %Y %H:%M:%S -0000", &utc); /* LC_TIME stays "C" in the daemon */
}

static enum status add_look_up(const struct doubt *doubt, struct buf *out)
{
    char start[64], end[64], id[PROVIDER_ID_BYTES];
    const char *angled = doubt->rfc_message_id; /* the log has it without its <> */
    snprintf(id, sizeof id, "%.*s", (int)strcspn(angled + 1, ">"), angled + 1);
    write_date(doubt->first_post, -LOOK_BEFORE_S, start, sizeof start);
    write_date(doubt->now, LOOK_AFTER_S, end, sizeof end);
    return json_add_format(out,
                           "{\"start\":%,\"end\":%,\"filter\":{\"AND\":[{\"attribute\":\"message-id\","
                           "\"comparator\":\"=\",\"values\":[{\"label\":%,\"value\":%}]}]},"
                           "\"include_subaccounts\":false,\"pagination\":{\"limit\":10}}",
                           start, end, id, id);
}

static enum status mailgun_build_look_up(const struct provider_config *config, const struct doubt *doubt,
                                         struct provider_request *ret, struct err *e)
{
    struct provider_request r = { 0 };
    struct buf body;
    if (doubt->rfc_message_id == NULL || doubt->rfc_message_id[0] != '<')
        return err_set(e, E_INVALID, "a message without a Message-ID cannot be looked up");
    buf_init(&body, PROVIDER_BODY_BYTES_MAX);
    enum status st = add_look_up(doubt, &body);
    if (st == OK)
        st = request_url(&r, config, "/v1/analytics/logs");
    if (st == OK)
        st = provider_request_header(&r, "Content-Type", "application/json");
    if (st == OK)
        st = request_pair("api", config->key, &r.user_password);
    return request_finish(&r, &body, st, ret, e);
}

/* {"items": [...]}: whatever became of it, it was accepted. */
static enum look_up_answer mailgun_read_look_up(const struct transport_answer *answer,
                                                char provider_message_id[PROVIDER_ID_BYTES])
{
    (void)provider_message_id;
    json_t *body = json_loadb(answer->body, answer->body_bytes, 0, NULL);
    const json_t *items = json_object_get(body, "items");
    bool told = answer->http_status == 200 && json_is_array(items);
    enum look_up_answer ret = !told ? LOOK_UP_UNKNOWN : json_array_size(items) > 0 ? LOOK_UP_FOUND : LOOK_UP_ABSENT;
    json_decref(body);
    return ret;
}

/* --- suppression lists ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    struct list_shape shape;
} lists[] = {
    { "bounces",
      { "address",
        "created_at",
        NULL,
        { { NULL, "bounced", "{\"severity\":\"permanent\",\"reason\":\"bounce\"}" } },
        { { "code", "smtp_code" }, { "error", "detail" } } } },
    { "complaints", { "address", "created_at", NULL, { { NULL, "complained", NULL } }, { { NULL } } } },
    { "unsubscribes", { "address", "created_at", NULL, { { NULL, "unsubscribed", NULL } }, { { NULL } } } },
};

static enum status mailgun_build_list(const struct provider_config *config, const struct list_place *place,
                                      struct wall since, struct provider_request *ret, struct err *e)
{
    (void)since;
    struct provider_request r = { .method = TRANSPORT_GET };
    char path[PROVIDER_URL_BYTES_MAX + LIST_CURSOR_BYTES];
    struct buf none;
    buf_init(&none, 1);
    snprintf(path, sizeof path, "/v3/%s/%s?%s", config->domain, lists[place->list].name,
             place->cursor[0] != '\0' ? place->cursor : "limit=1000");
    enum status st = request_url(&r, config, path);
    if (st == OK)
        st = request_pair("api", config->key, &r.user_password);
    return request_finish(&r, &none, st, ret, e);
}

/* Of the address that it names, only the query is used: the key goes to nobody but whom the configuration names. */
static enum status go_to_next(const json_t *body, struct list_place *place, struct err *e)
{
    const char *next = json_string_value(json_object_get(json_object_get(body, "paging"), "next"));
    const char *query = next != NULL ? strchr(next, '?') : NULL;
    if (query == NULL || !list_page_cursor(place, query + 1, strcspn(query + 1, "#")))
        return err_set(e, E_INVALID, "a page names no next one");
    return OK;
}

/* {"items": [{"address", "code", "error", "created_at"}], "paging": {"next"}}; behind the last page comes an empty one. */
static enum status mailgun_read_list(const struct transport_answer *answer, struct list_place *place, bool *over,
                                     json_t *entries, struct err *e)
{
    json_t *body = json_loadb(answer->body, answer->body_bytes, JSON_REJECT_DUPLICATES, NULL);
    const json_t *items = json_object_get(body, "items");
    enum status st = list_page_read(items, &lists[place->list].shape, entries, e);
    if (st == OK && json_array_size(items) > 0)
        st = go_to_next(body, place, e);
    else if (st == OK)
        list_page_next(place, COUNT_OF(lists), over);
    json_decref(body);
    return st;
}

const struct provider_type provider_mailgun = {
    .name = "mailgun",
    .takes = PROVIDER_REGION,
    .needs = PROVIDER_KEY | PROVIDER_DOMAIN,
    .add_url = mailgun_add_url,
    .add_path = mailgun_add_path,
    .build = mailgun_build,
    .read_answer = mailgun_read_answer,
    .build_look_up = mailgun_build_look_up,
    .read_look_up = mailgun_read_look_up,
    .build_list = mailgun_build_list,
    .read_list = mailgun_read_list,
};
