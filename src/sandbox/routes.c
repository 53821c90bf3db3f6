#include "routes.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "followupd/base/clock.h"
#include "hooks.h"
#include "ledger.h"
#include "look_up.h"
#include "message.h"
#include "people.h"
#include "seen.h"
#include "suppressed.h"

/* One message, from its checked request to its answer. */
struct sending {
    struct provider *provider;
    struct exchange *exchange;
    const struct api *api;
    struct message message;
    struct fault fault;
    struct ledger_entry entry;
};

static void sending_free(void *owned)
{
    struct sending *s = owned;
    ledger_release(&s->entry);
    message_fini(&s->message);
    free(s);
}

/* ---- after the ledger ---- */

/* The message has its line; the fault may still spoil the answer. */
static void sending_answer(struct sending *s)
{
    if (s->fault.action == FAULT_CUT)
        exchange_cut(s->exchange);
    else if (s->fault.action == FAULT_GARBAGE)
        exchange_answer(s->exchange, MHD_HTTP_OK, "{\"id\":\"sb-");
    else
        s->api->accept(s->exchange, &s->message, s->entry.seq);
}

static void sending_on_written(struct ledger_entry *entry, enum status st)
{
    struct sending *s = container_of(entry, struct sending, entry);
    struct provider *p = s->provider;
    if (st == OK)
        st = seen_add(p->seen, &s->message, entry->seq, wall_now().us);
    if (st != OK) {
        exchange_cut(s->exchange); /* whether the line survives is not known, and that is what a cut says */
        p->on_ledger_failed(p->context);
        return;
    }
    p->stats.accepted++;
    if (p->people != NULL)
        people_on_accepted(p->people, &s->message, entry->seq);
    sending_answer(s);
}

/* ---- to the ledger ---- */

static void sending_refuse(struct sending *s, enum api_refusal why, const char *text)
{
    s->api->refuse(s->exchange, why, text, -1);
}

static void sending_accept(struct sending *s, const char *key)
{
    struct provider *p = s->provider;
    s->entry.on_written = sending_on_written;
    if (s->message.api != NULL && seen_full(p->seen)) {
        p->stats.turned_away++;
        sending_refuse(s, API_FULL, "the sandbox has too many messages to find them again");
        return;
    }
    switch (ledger_accept(p->ledger, &s->message, key, &s->entry)) {
    case LEDGER_ACCEPTED:
        return;
    case LEDGER_REPLAYED:
        p->stats.replayed++;
        sending_answer(s);
        return;
    case LEDGER_KEY_REUSED:
        p->stats.key_reused++;
        sending_refuse(s, API_KEY_REUSED, "Idempotency-Key: was used with another body");
        return;
    case LEDGER_KEY_IN_USE:
        p->stats.key_in_use++;
        sending_refuse(s, API_KEY_IN_USE, "key in use");
        return;
    case LEDGER_BEHIND:
        p->stats.turned_away++;
        sending_refuse(s, API_BUSY, "the ledger is behind");
        return;
    case LEDGER_FULL:
        p->stats.turned_away++;
        sending_refuse(s, API_FULL, "the ledger is full");
        return;
    case LEDGER_FAILED:
        p->stats.turned_away++;
        sending_refuse(s, API_BROKEN, "the ledger cannot be written");
        return;
    }
}

/* Of those that have an HTTP status of their own. */
static enum api_refusal refusal_of(enum fault_action action)
{
    switch (action) {
    case FAULT_429:
        return API_RATE_LIMITED;
    case FAULT_503:
        return API_BUSY;
    case FAULT_400:
        return API_INVALID;
    case FAULT_401:
        return API_UNAUTHORIZED;
    case FAULT_INACTIVE:
        return API_INACTIVE;
    case FAULT_SUSPENDED:
        return API_SUSPENDED;
    case FAULT_QUOTA:
        return API_QUOTA;
    default:
        return API_BROKEN;
    }
}

/* true: the fault has ended the request, or will */
static bool sending_fails(struct sending *s)
{
    struct exchange *x = s->exchange;
    exchange_delay(x, s->fault.delay_ms);
    if (fault_http_status(s->fault.action) != 0) {
        s->api->refuse(x, refusal_of(s->fault.action), "a fault rule says so", s->fault.retry_after_s);
        return true;
    }
    if (s->fault.action == FAULT_SILENT)
        exchange_silence(x);
    else if (s->fault.action == FAULT_CUT_BEFORE)
        exchange_cut(x);
    return s->fault.action == FAULT_SILENT || s->fault.action == FAULT_CUT_BEFORE;
}

/* ---- the request ---- */

static const char *key_problem(const char *key)
{
    if (key[0] == '\0')
        return "Idempotency-Key: is empty";
    if (strlen(key) > LEDGER_KEY_BYTES_MAX)
        return "Idempotency-Key: is longer than 256 bytes";
    for (; *key != '\0'; key++) {
        if (*key < ' ' || *key > '~')
            return "Idempotency-Key: holds something else than printable ASCII";
    }
    return NULL;
}

static bool is_json(const char *content_type)
{
    size_t length = strlen("application/json");
    return content_type != NULL && strncasecmp(content_type, "application/json", length) == 0 &&
           strchr("; \t", content_type[length]) != NULL; /* the end of the text counts as found */
}

static void refuse(struct provider *p, struct exchange *x, int http_status, const char *text)
{
    p->stats.refused++;
    exchange_error(x, http_status, text);
}

/* The message is the sending's now, or the exchange's answer says why not. */
static void sending_start(struct provider *p, struct exchange *x, const struct api *api, struct message *m,
                          const char *key)
{
    struct sending *s = calloc(1, sizeof *s);
    if (s == NULL) {
        message_fini(m);
        api->refuse(x, API_BUSY, "out of memory", -1);
        return;
    }
    *s = (struct sending){ .provider = p, .exchange = x, .api = api, .message = *m };
    exchange_own(x, s, sending_free);
    s->fault = faults_pick(p->faults, &s->message);
    p->stats.faults[s->fault.action]++;
    if (!sending_fails(s))
        sending_accept(s, key);
}

static void on_send(void *context, struct exchange *x)
{
    struct provider *p = context;
    const struct buf *body = exchange_body(x);
    const char *key = exchange_header(x, "Idempotency-Key");
    const char *problem = key != NULL ? key_problem(key) : NULL;
    struct message m;
    struct err e;
    if (!is_json(exchange_header(x, "Content-Type")))
        refuse(p, x, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "Content-Type: must be application/json");
    else if (problem != NULL)
        refuse(p, x, MHD_HTTP_BAD_REQUEST, problem);
    else if (message_parse(body->used > 0 ? body->data : "", body->used, &m, &e) != OK)
        refuse(p, x, MHD_HTTP_BAD_REQUEST, e.text);
    else
        sending_start(p, x, &api_generic, &m, key);
}

static enum status read_api_message(const struct api *api, const struct exchange *x, struct message *ret, struct err *e)
{
    json_t *document;
    enum status st = api->read(x, &document, e);
    if (st != OK)
        return st;
    st = message_read(document, ret, e);
    if (st != OK)
        json_decref(document);
    return st;
}

bool provider_lets_in(struct provider *p, struct exchange *x, const struct api *api)
{
    if (api->authorized(x, p->credentials[api->which]))
        return true;
    p->stats.unauthorized++;
    api->refuse(x, API_UNAUTHORIZED, "the credentials are not known here", -1);
    return false;
}

/* Through a provider's own API, which is the route's data. */
static void on_api_send(void *context, struct exchange *x)
{
    struct provider *p = context;
    const struct api *api = exchange_route_data(x);
    const char *key = api->keys ? exchange_header(x, "Idempotency-Key") : NULL;
    const char *problem = key != NULL ? key_problem(key) : NULL;
    struct message m;
    struct err e;
    if (!provider_lets_in(p, x, api))
        return;
    if (problem != NULL) {
        p->stats.refused++;
        api->refuse(x, API_KEY_INVALID, problem, -1);
    } else if (read_api_message(api, x, &m, &e) != OK) {
        p->stats.refused++;
        api->refuse(x, API_INVALID, e.text, -1);
    } else {
        sending_start(p, x, api, &m, key);
    }
}

static void on_faults(void *context, struct exchange *x)
{
    struct provider *p = context;
    const struct buf *body = exchange_body(x);
    char answer[64];
    struct err e;
    if (faults_replace(p->faults, body->used > 0 ? body->data : "", body->used, &e) != OK) {
        exchange_error(x, MHD_HTTP_BAD_REQUEST, e.text);
        return;
    }
    snprintf(answer, sizeof answer, "{\"rules\":%zu}", faults_count(p->faults));
    exchange_answer(x, MHD_HTTP_OK, answer);
}

struct order {
    const char *recipient, *act, *text, *api;
    int told;
    enum people_act what;
};

/* What the provider's list says from now on, and unless nobody is told, its webhook. */
static enum status obey(struct provider *p, const struct order *o, struct err *e)
{
    const struct message *last = people_last(p->people, o->recipient);
    const struct api *api = api_find(o->api != NULL ? o->api : last != NULL ? last->api : NULL);
    if (o->told) {
        enum status st = people_act_now(p->people, o->recipient, o->what, o->text, e);
        if (st != OK || !suppressed_lists(api, o->what))
            return st;
    }
    if (api == NULL)
        return err_set(e, E_NOT_FOUND, "recipient: got no message that webhooks are sent for, and no api is named");
    return suppressed_add(p->suppressed, api, o->what, o->recipient, o->text, wall_now().us, e);
}

static enum status read_order(const json_t *body, struct order *ret, struct err *e)
{
    json_error_t error;
    *ret = (struct order){ .told = true };
    if (json_unpack_ex((json_t *)body, &error, 0, "{s:s,s:s,s?s,s?s,s?b!}", "recipient", &ret->recipient, "act",
                       &ret->act, "text", &ret->text, "api", &ret->api, "told", &ret->told) != 0)
        return err_set(e, E_INVALID, "%s", error.text);
    ret->what = people_act_named(ret->act);
    if (ret->what == PEOPLE_NOTHING)
        return err_set(e, E_INVALID, "act: must be one of reply, bounce, unsubscribe, complaint");
    if (ret->text != NULL && ret->what != PEOPLE_REPLY && ret->what != PEOPLE_BOUNCE)
        return err_set(e, E_INVALID, "text: belongs to reply and bounce only");
    if (ret->api != NULL && (ret->told || api_find(ret->api) == NULL))
        return err_set(e, E_INVALID, "api: must be a provider's, and belongs to told false only");
    return OK;
}

static void on_act(void *context, struct exchange *x)
{
    const struct buf *body = exchange_body(x);
    struct order order;
    json_error_t error;
    struct err e;
    json_t *document = json_loadb(body->used > 0 ? body->data : "", body->used, JSON_REJECT_DUPLICATES, &error);
    enum status st = document != NULL ? read_order(document, &order, &e) : err_set(&e, E_INVALID, "%s", error.text);
    if (st == OK)
        st = obey(context, &order, &e);
    if (st == OK)
        exchange_answer(x, MHD_HTTP_OK, "{\"done\":true}");
    else
        exchange_error(x, st == E_NOT_FOUND ? MHD_HTTP_NOT_FOUND : MHD_HTTP_BAD_REQUEST, e.text);
    json_decref(document);
}

static json_t *fault_counters(const struct provider *p)
{
    json_t *counters = json_object();
    for (int i = FAULT_NONE + 1; i < FAULT_ACTIONS; i++)
        json_object_set_new(counters, fault_label((enum fault_action)i), json_integer((json_int_t)p->stats.faults[i]));
    return counters;
}

static json_t *ledger_counters(const struct provider *p)
{
    struct ledger_stats l;
    ledger_stats(p->ledger, &l);
    return json_pack("{s:I,s:I,s:I,s:I}", "lines", (json_int_t)l.lines, "keys", (json_int_t)l.keys, "commits",
                     (json_int_t)l.commits, "bytes", (json_int_t)l.bytes);
}

static json_t *people_counters(const struct provider *p)
{
    struct people_stats l;
    if (p->people == NULL)
        return json_null();
    people_stats(p->people, &l);
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "replies", (json_int_t)l.done[PEOPLE_REPLY], "bounces",
                     (json_int_t)l.done[PEOPLE_BOUNCE], "unsubscribes", (json_int_t)l.done[PEOPLE_UNSUBSCRIBE],
                     "complaints", (json_int_t)l.done[PEOPLE_COMPLAIN], "refused", (json_int_t)l.refused, "failed",
                     (json_int_t)l.failed, "dropped", (json_int_t)l.dropped, "other_account",
                     (json_int_t)l.other_account, "waiting", (json_int_t)l.waiting);
}

static json_t *hook_counters(const struct provider *p)
{
    struct hooks_stats h;
    if (p->hooks == NULL)
        return json_null();
    hooks_stats(p->hooks, &h);
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "posted", (json_int_t)h.posted, "repeated", (json_int_t)h.repeated,
                     "given_up", (json_int_t)h.given_up, "dropped", (json_int_t)h.dropped, "waiting",
                     (json_int_t)h.waiting);
}

static json_t *all_counters(const struct provider *p)
{
    const struct server_stats *s = server_stats(p->server);
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I, s:I,s:I,s:I,s:I,s:I,s:I,s:I, s:o,s:o,s:o,s:o}", "accepted",
                     (json_int_t)p->stats.accepted, "replayed", (json_int_t)p->stats.replayed, "refused",
                     (json_int_t)p->stats.refused, "key_reused", (json_int_t)p->stats.key_reused, "key_in_use",
                     (json_int_t)p->stats.key_in_use, "turned_away", (json_int_t)p->stats.turned_away, "unauthorized",
                     (json_int_t)p->stats.unauthorized,
                     /* of the server */
                     "requests", (json_int_t)s->requests, "in_flight", (json_int_t)s->in_flight, "in_flight_peak",
                     (json_int_t)s->in_flight_peak, "connections", (json_int_t)s->connections, "connections_peak",
                     (json_int_t)s->connections_peak, "cut", (json_int_t)s->cut, "deadlines_missed",
                     (json_int_t)s->deadlines_missed,
                     /* by part */
                     "faults", fault_counters(p), "ledger", ledger_counters(p), "people", people_counters(p), "hooks",
                     hook_counters(p));
}

static void on_stats(void *context, struct exchange *x)
{
    json_t *counters = all_counters(context);
    char *json = counters != NULL ? json_dumps(counters, JSON_COMPACT) : NULL;
    if (json != NULL)
        exchange_answer(x, MHD_HTTP_OK, json);
    else
        exchange_error(x, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    free(json);
    json_decref(counters);
}

/* For a receiver of SNS that is told to fetch certificates here. */
static void on_certificate(void *context, struct exchange *x)
{
    struct provider *p = context;
    if (p->hooks == NULL)
        exchange_error(x, MHD_HTTP_NOT_FOUND, "no webhooks are sent");
    else
        exchange_answer(x, MHD_HTTP_OK, keys_certificate(hooks_keys(p->hooks)));
}

static void on_healthz(void *context, struct exchange *x)
{
    (void)context;
    exchange_answer(x, MHD_HTTP_OK, "{\"status\":\"ok\"}");
}

const struct server_route provider_routes[] = {
    { "POST", "/send", on_send, NULL },
    { "POST", "/v3/mail/send", on_api_send, &api_sendgrid },
    { "POST", "/v3/*/messages", on_api_send, &api_mailgun },
    { "POST", "/email", on_api_send, &api_postmark },
    { "POST", "/v2/email/outbound-emails", on_api_send, &api_ses },
    { "POST", "/emails", on_api_send, &api_resend },
    { "GET", "/messages/outbound", look_up_postmark, NULL },
    { "GET", "/v3/*/events", look_up_mailgun_events, NULL },
    { "POST", "/v1/analytics/logs", look_up_mailgun_logs, NULL },
    { "GET", "/emails/*", look_up_resend, NULL },
    { "GET", "/v3/suppression/bounces", suppressed_sendgrid, NULL },
    { "GET", "/v3/suppression/spam_reports", suppressed_sendgrid, NULL },
    { "GET", "/v3/suppression/unsubscribes", suppressed_sendgrid, NULL },
    { "GET", "/v3/*/bounces", suppressed_mailgun, NULL },
    { "GET", "/v3/*/complaints", suppressed_mailgun, NULL },
    { "GET", "/v3/*/unsubscribes", suppressed_mailgun, NULL },
    { "GET", "/message-streams/*/suppressions/dump", suppressed_postmark, NULL },
    { "GET", "/v2/email/suppression/addresses", suppressed_ses, NULL },
    { "GET", KEYS_CERTIFICATE_PATH, on_certificate, NULL },
    { "PUT", "/faults", on_faults, NULL },
    { "POST", "/acts", on_act, NULL },
    { "GET", "/stats", on_stats, NULL },
    { "GET", "/healthz", on_healthz, NULL },
    { 0 },
};
