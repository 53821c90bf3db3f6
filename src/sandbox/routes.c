#include "routes.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ledger.h"
#include "message.h"
#include "people.h"

/* One POST /send, from its checked message to its answer. */
struct sending {
    struct provider *provider;
    struct exchange *exchange;
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
    char answer[64];
    if (s->fault.action == FAULT_CUT) {
        exchange_cut(s->exchange);
        return;
    }
    if (s->fault.action == FAULT_GARBAGE) {
        exchange_answer(s->exchange, MHD_HTTP_OK, "{\"id\":\"sb-");
        return;
    }
    snprintf(answer, sizeof answer, "{\"id\":\"sb-%lld\"}", (long long)s->entry.seq);
    exchange_answer(s->exchange, MHD_HTTP_OK, answer);
}

static void sending_on_written(struct ledger_entry *entry, enum status st)
{
    struct sending *s = container_of(entry, struct sending, entry);
    struct provider *p = s->provider;
    if (st != OK) {
        exchange_cut(s->exchange); /* whether the line survives is not known, and that is what a cut says */
        p->on_ledger_failed(p->context);
        return;
    }
    p->stats.accepted++;
    if (p->people != NULL)
        people_on_accepted(p->people, &s->message);
    sending_answer(s);
}

/* ---- to the ledger ---- */

static void sending_accept(struct sending *s, const char *key)
{
    struct provider *p = s->provider;
    s->entry.on_written = sending_on_written;
    switch (ledger_accept(p->ledger, &s->message, key, &s->entry)) {
    case LEDGER_ACCEPTED:
        return;
    case LEDGER_REPLAYED:
        p->stats.replayed++;
        sending_answer(s);
        return;
    case LEDGER_KEY_REUSED:
        p->stats.key_reused++;
        exchange_error(s->exchange, MHD_HTTP_CONFLICT, "Idempotency-Key: was used with another body");
        return;
    case LEDGER_KEY_IN_USE:
        p->stats.key_in_use++;
        exchange_error(s->exchange, MHD_HTTP_CONFLICT, "key in use");
        return;
    case LEDGER_BEHIND:
        p->stats.turned_away++;
        exchange_error(s->exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "the ledger is behind");
        return;
    case LEDGER_FULL:
        p->stats.turned_away++;
        exchange_error(s->exchange, MHD_HTTP_INSUFFICIENT_STORAGE, "the ledger is full");
        return;
    case LEDGER_FAILED:
        p->stats.turned_away++;
        exchange_error(s->exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, "the ledger cannot be written");
        return;
    }
}

/* true: the fault has ended the request, or will */
static bool sending_fails(struct sending *s)
{
    struct exchange *x = s->exchange;
    int http_status = fault_http_status(s->fault.action);
    exchange_delay(x, s->fault.delay_ms);
    if (http_status != 0) {
        if (s->fault.retry_after_s >= 0)
            exchange_retry_after(x, s->fault.retry_after_s);
        exchange_error(x, http_status, "a fault rule says so");
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

static void on_send(void *context, struct exchange *x)
{
    struct provider *p = context;
    const struct buf *body = exchange_body(x);
    const char *key = exchange_header(x, "Idempotency-Key");
    const char *problem = key != NULL ? key_problem(key) : NULL;
    struct err e;
    if (!is_json(exchange_header(x, "Content-Type"))) {
        refuse(p, x, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "Content-Type: must be application/json");
        return;
    }
    if (problem != NULL) {
        refuse(p, x, MHD_HTTP_BAD_REQUEST, problem);
        return;
    }
    struct sending *s = calloc(1, sizeof *s);
    if (s == NULL) {
        exchange_error(x, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
        return;
    }
    if (message_parse(body->used > 0 ? body->data : "", body->used, &s->message, &e) != OK) {
        free(s);
        refuse(p, x, MHD_HTTP_BAD_REQUEST, e.text);
        return;
    }
    s->provider = p;
    s->exchange = x;
    exchange_own(x, s, sending_free);
    s->fault = faults_pick(p->faults, &s->message);
    p->stats.faults[s->fault.action]++;
    if (!sending_fails(s))
        sending_accept(s, key);
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
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "replies", (json_int_t)l.done[PEOPLE_REPLY], "bounces",
                     (json_int_t)l.done[PEOPLE_BOUNCE], "unsubscribes", (json_int_t)l.done[PEOPLE_UNSUBSCRIBE],
                     "refused", (json_int_t)l.refused, "failed", (json_int_t)l.failed, "dropped", (json_int_t)l.dropped,
                     "other_account", (json_int_t)l.other_account, "waiting", (json_int_t)l.waiting);
}

static json_t *all_counters(const struct provider *p)
{
    const struct server_stats *s = server_stats(p->server);
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I, s:I,s:I,s:I,s:I,s:I,s:I,s:I, s:o,s:o,s:o}", "accepted",
                     (json_int_t)p->stats.accepted, "replayed", (json_int_t)p->stats.replayed, "refused",
                     (json_int_t)p->stats.refused, "key_reused", (json_int_t)p->stats.key_reused, "key_in_use",
                     (json_int_t)p->stats.key_in_use, "turned_away", (json_int_t)p->stats.turned_away,
                     /* of the server */
                     "requests", (json_int_t)s->requests, "in_flight", (json_int_t)s->in_flight, "in_flight_peak",
                     (json_int_t)s->in_flight_peak, "connections", (json_int_t)s->connections, "connections_peak",
                     (json_int_t)s->connections_peak, "cut", (json_int_t)s->cut, "deadlines_missed",
                     (json_int_t)s->deadlines_missed,
                     /* by part */
                     "faults", fault_counters(p), "ledger", ledger_counters(p), "people", people_counters(p));
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

static void on_healthz(void *context, struct exchange *x)
{
    (void)context;
    exchange_answer(x, MHD_HTTP_OK, "{\"status\":\"ok\"}");
}

const struct server_route provider_routes[] = {
    { "POST", "/send", on_send },
    { "PUT", "/faults", on_faults },
    { "GET", "/stats", on_stats },
    { "GET", "/healthz", on_healthz },
    { 0 },
};
