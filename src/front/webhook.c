#include "webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/log.h"
#include "followupd/front/sources.h"
#include "followupd/inbound/classify.h"
#include "followupd/inbound/reply.h"
#include "stand_in.h"

#define ACCOUNT_DIGITS_MAX  18
#define FETCH_EVERY_MS      1000 /* anybody can name a URL on Amazon's hosts: so rarely do we follow one */
#define FETCH_TIMEOUT_MS    5000
#define LOG_EVERY_MS        1000
#define CERTIFICATE_FETCHES 2 /* of one request: the first one may have been of another URL */

struct webhooks {
    struct webhooks_config config;
    struct sources *sources;
    uv_mutex_t lock; /* of certificates: read in the pool */
    struct webhook_certificates *certificates;
    size_t in_pool, under_way, fetching, classifying;
    struct mono fetch_after, log_after;
    uint64_t unlogged;
    bool closed;
    struct webhook_stats stats;
};

/* One request: from its handler to its answer. */
struct work {
    uv_work_t pool;
    struct webhooks *webhooks;
    struct exchange *exchange;
    struct sources *sources;     /* holds `source` */
    const struct source *source; /* NULL: there is none of that name */
    int64_t account_id;
    bool inbound;
    /* what the pool found */
    enum webhook_verdict verdict;
    struct webhook_verified verified;
    enum status read; /* of events, when authentic */
    struct err why;
    size_t count;
    json_t *found;  /* owned; the events, while somebody is asked about them */
    char *events;   /* owned; the same, to be stored */
    char *question; /* owned; NULL: nobody is asked */
    /* on its way */
    struct inbox_entry entry;
    struct transport_request fetch;
    char url[WEBHOOK_URL_BYTES_MAX + 1];
    unsigned fetches;
};

/* --- its one end --------------------------------------------------------------------------------------------------- */

static void finish(struct work *k)
{
    struct webhooks *w = k->webhooks;
    webhook_verified_fini(&k->verified);
    sources_unref(k->sources);
    json_decref(k->found);
    free(k->events);
    free(k->question);
    free(k);
    w->under_way--;
    if (w->closed)
        w->config.on_end(w->config.arg); /* w may be gone then */
}

static void answer_done(struct work *k, const char *text)
{
    char body[64];
    int bytes = snprintf(body, sizeof body, "{\"status\":\"%s\"}\n", text);
    k->webhooks->stats.accepted++;
    exchange_answer(k->exchange, &(struct answer){ .http_status = 200,
                                                   .content_type = "application/json",
                                                   .body = body,
                                                   .body_bytes = (size_t)bytes });
    finish(k);
}

/* Whoever guesses at signatures shall not fill the log. */
static void log_refusal(struct work *k, const char *why)
{
    struct webhooks *w = k->webhooks;
    struct mono now = mono_now();
    if (!mono_reached(w->log_after, now)) {
        w->unlogged++;
        return;
    }
    log_warn("webhook_refused", kv("source", k->source != NULL ? (const char *)k->source->name : NULL),
             kv("account", k->account_id), kv("why", why), kv("more_before", w->unlogged));
    w->unlogged = 0;
    w->log_after = mono_add(now, LOG_EVERY_MS);
}

static void answer_unauthentic(struct work *k, const char *why)
{
    static const char body[] = "{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,"
                               "\"detail\":\"the signature or secret is not that of this source\"}\n";
    static const struct answer_header headers[] = { { "WWW-Authenticate", "Basic realm=\"webhooks\"" },
                                                    { NULL, NULL } };
    log_refusal(k, why);
    k->webhooks->stats.unauthentic++;
    exchange_answer(k->exchange, &(struct answer){ .http_status = 401,
                                                   .content_type = "application/problem+json",
                                                   .headers = headers,
                                                   .body = body,
                                                   .body_bytes = sizeof body - 1 });
    finish(k);
}

/* why: for the log. */
static void refuse(struct work *k, const char *why, const struct route_refusal *r)
{
    log_refusal(k, why);
    if (r->http_status == 503)
        k->webhooks->stats.put_off++;
    else
        k->webhooks->stats.malformed++;
    route_problem(k->exchange, r->http_status, r->title, r->detail, "");
    finish(k);
}

static void answer_malformed(struct work *k, const char *why)
{
    refuse(k, why, &(struct route_refusal){ 400, "Bad Request", why });
}

static void answer_missing(struct work *k, const char *why)
{
    static const struct route_refusal r = { 404, "Not Found",
                                            "there is no such source of webhooks, or no such account" };
    refuse(k, why, &r);
}

static void answer_later(struct work *k, const char *why)
{
    static const struct route_refusal r = { 503, "Service Unavailable", "this cannot be stored now, come again" };
    refuse(k, why, &r);
}

/* --- into the database --------------------------------------------------------------------------------------------- */

static void answer_stored(struct work *k, enum status st, enum webhook_stored verdict)
{
    if (st != OK)
        answer_later(k, status_text(st));
    else if (verdict == WEBHOOK_STORED)
        answer_done(k, "stored");
    else if (verdict == WEBHOOK_TOKEN_REUSED)
        answer_unauthentic(k, "its token came before, with other events");
    else if (verdict == WEBHOOK_NO_ACCOUNT)
        answer_missing(k, "there is no such account");
    else
        answer_malformed(k, "the events are not what can be stored");
}

static void on_stored(struct inbox_entry *entry, enum status st, enum webhook_stored verdict)
{
    answer_stored(container_of(entry, struct work, entry), st, verdict);
}

static void on_confirmation(void *arg, enum status st, const struct err *e, const enum webhook_stored *verdicts,
                            size_t count)
{
    struct work *k = arg;
    (void)e;
    if (st == OK && count == 1 && verdicts[0] == WEBHOOK_STORED)
        log_info("webhook_asks_confirmation", kv("source", (const char *)k->source->name), kv("account", k->account_id),
                 kv("see", "followupctl webhook list"));
    answer_stored(k, st == OK && count != 1 ? E_DB : st, count == 1 ? verdicts[0] : WEBHOOK_REFUSED);
}

static void store(struct work *k)
{
    struct webhooks *w = k->webhooks;
    const struct stored_webhook webhook = {
        .account_id = k->account_id,
        .source = k->source->name,
        .events = k->events,
        .token = k->verified.token[0] != '\0' ? k->verified.token : NULL,
    };
    enum status st = k->verdict == WEBHOOK_CONFIRMATION
                         ? w->config.store->ops->receive_confirmation(w->config.store, &webhook, on_confirmation, k)
                         : inbox_put(w->config.inbox, &k->entry, &webhook, on_stored);
    if (st != OK)
        answer_later(k, status_text(st));
}

/* --- in the pool --------------------------------------------------------------------------------------------------- */

static const char *header_of(const void *headers, const char *name)
{
    return exchange_header(headers, name);
}

static void read_events(struct work *k, const struct webhook_request *request)
{
    if (k->inbound)
        k->read = reply_read(webhook_source_type(k->source->webhook), request->content_type, request->body,
                             request->bytes, &k->found, &k->why);
    else
        k->read = webhook_events(k->source->webhook, request, &k->found, &k->why);
    if (k->read != OK)
        return;
    k->count = json_array_size(k->found);
    k->events = k->inbound ? json_dumps(k->found, JSON_COMPACT) : webhook_events_text(k->found);
    if (k->events == NULL)
        k->read = E_NOMEM;
    else if (k->inbound && k->source->classifier_url != NULL && classify_question(k->found, &k->question) != OK)
        k->question = NULL; /* a delivery report, or no text */
    if (k->question == NULL) {
        json_decref(k->found); /* here, where it was made: freed by the loop's thread it would make the others wait */
        k->found = NULL;
    }
}

static void in_pool(uv_work_t *pool)
{
    struct work *k = container_of(pool, struct work, pool);
    struct webhooks *w = k->webhooks;
    struct webhook_request request = {
        .method = exchange_method(k->exchange),
        .path = exchange_path(k->exchange),
        .content_type = exchange_header(k->exchange, "Content-Type"),
        .header = header_of,
        .headers = k->exchange,
    };
    request.body = exchange_body_bytes(k->exchange, &request.bytes);
    bool by_certificate = strcmp(webhook_source_type(k->source->webhook), "ses") == 0;
    if (by_certificate)
        uv_mutex_lock(&w->lock);
    k->verdict = webhook_verify(k->source->webhook, &request, stand_in_now(), w->certificates, &k->verified);
    if (by_certificate)
        uv_mutex_unlock(&w->lock);
    if (k->verdict == WEBHOOK_AUTHENTIC)
        read_events(k, &request);
    else if (k->verdict == WEBHOOK_CONFIRMATION)
        k->events = json_dumps(k->verified.confirmation, JSON_COMPACT);
}

static void on_looked(uv_work_t *pool, int cancelled);

static void look(struct work *k)
{
    k->webhooks->in_pool++;
    if (uv_queue_work(k->webhooks->config.loop, &k->pool, in_pool, on_looked) == 0)
        return;
    k->webhooks->in_pool--;
    answer_later(k, "no worker thread");
}

/* --- certificates -------------------------------------------------------------------------------------------------- */

static void on_certificate(void *arg, const struct transport_answer *answer)
{
    struct work *k = arg;
    struct webhooks *w = k->webhooks;
    struct err e = { "" };
    w->fetching--;
    bool whole = answer->end == TRANSPORT_ANSWERED && answer->http_status == 200 && answer->body_whole;
    enum status st = err_set(&e, E_GONE, "HTTP %d %s", answer->http_status, answer->detail);
    if (whole) {
        uv_mutex_lock(&w->lock);
        st = webhook_certificates_put(w->certificates, k->verified.certificate_url, answer->body, answer->body_bytes,
                                      &e);
        uv_mutex_unlock(&w->lock);
    }
    if (st != OK)
        log_warn("certificate_not_fetched", kv("url", (const char *)k->verified.certificate_url),
                 kv("reason", (const char *)e.text));
    if (st != OK || w->closed) {
        answer_later(k, "its certificate cannot be fetched");
        return;
    }
    webhook_verified_fini(&k->verified);
    look(k);
}

static void fetch_certificate(struct work *k)
{
    struct webhooks *w = k->webhooks;
    struct mono now = mono_now();
    if (k->fetches == CERTIFICATE_FETCHES || w->fetching == FRONT_CERTIFICATES_MAX || !mono_reached(w->fetch_after, now)) {
        answer_later(k, "too many certificates are asked for");
        return;
    }
    k->fetches++;
    k->fetch = (struct transport_request){
        .method = TRANSPORT_GET,
        .url = stand_in_url(k->verified.certificate_url, k->url, sizeof k->url),
        .timeout_ms = FETCH_TIMEOUT_MS,
    };
    if (transport_send(w->config.transport, &k->fetch, on_certificate, k) != OK) {
        answer_later(k, "its certificate cannot be fetched");
        return;
    }
    w->fetching++;
    w->fetch_after = mono_add(now, FETCH_EVERY_MS);
}

/* --- what a reply means, says somebody else ------------------------------------------------------------------------ */

/* Whatever goes wrong here, the reply is stored, and the rules read it. */
static void on_classified(void *arg, const struct transport_answer *answer)
{
    struct work *k = arg;
    struct err e = { "" };
    k->webhooks->classifying--;
    enum status st = answer->end == TRANSPORT_ANSWERED && answer->body_whole
                         ? classify_answer(k->found, answer->http_status, answer->body, answer->body_bytes, &e)
                         : err_set(&e, E_GONE, "%s", answer->detail);
    char *events = st == OK ? json_dumps(k->found, JSON_COMPACT) : NULL;
    if (events != NULL) {
        free(k->events);
        k->events = events;
    } else if (st != E_NOT_FOUND) {
        log_warn("reply_not_classified", kv("source", (const char *)k->source->name), kv("account", k->account_id),
                 kv("reason", (const char *)e.text));
    }
    if (k->webhooks->closed)
        answer_later(k, "closing");
    else
        store(k);
}

static void ask_classifier(struct work *k)
{
    static const char *const headers[] = { "Content-Type: application/json" };
    k->fetch = (struct transport_request){
        .method = TRANSPORT_POST,
        .url = k->source->classifier_url,
        .headers = headers,
        .header_count = 1,
        .body = k->question,
        .body_bytes = strlen(k->question),
        .timeout_ms = k->source->classifier_timeout_ms,
    };
    if (k->webhooks->classifying == FRONT_QUESTIONS_MAX ||
        transport_send(k->webhooks->config.transport, &k->fetch, on_classified, k) != OK) {
        log_warn("reply_not_classified", kv("source", (const char *)k->source->name), kv("account", k->account_id),
                 kv("reason", "too many are asked about"));
        store(k);
        return;
    }
    k->webhooks->classifying++;
}

/* --- what the pool found ------------------------------------------------------------------------------------------- */

static void decide(struct work *k)
{
    switch (k->verdict) {
    case WEBHOOK_AUTHENTIC:
        if (k->read == E_NOMEM)
            answer_later(k, "out of memory");
        else if (k->read != OK)
            answer_malformed(k, k->why.text);
        else if (k->count == 0)
            answer_done(k, "nothing in it for us");
        else if (k->question != NULL)
            ask_classifier(k);
        else
            store(k);
        return;
    case WEBHOOK_UNAUTHENTIC:
        answer_unauthentic(k, k->verified.why);
        return;
    case WEBHOOK_MALFORMED:
        answer_malformed(k, k->verified.why);
        return;
    case WEBHOOK_TOO_LARGE:
        refuse(k, k->verified.why,
               &(struct route_refusal){ 413, "Content Too Large", "the body is larger than this source may send" });
        return;
    case WEBHOOK_WANTS_CERTIFICATE:
        fetch_certificate(k);
        return;
    case WEBHOOK_CONFIRMATION:
        if (k->events != NULL)
            store(k);
        else
            answer_later(k, "out of memory");
        return;
    case WEBHOOK_NO_MEMORY:
        break;
    }
    answer_later(k, "out of memory");
}

static void on_looked(uv_work_t *pool, int cancelled)
{
    struct work *k = container_of(pool, struct work, pool);
    k->webhooks->in_pool--;
    if (cancelled != 0 || k->webhooks->closed)
        answer_later(k, "closing");
    else
        decide(k);
}

/* --- a request ----------------------------------------------------------------------------------------------------- */

/* 0: not the id of an account. */
static int64_t account_of(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= ACCOUNT_DIGITS_MAX && text[digits] == '\0' ? strtoll(text, NULL, 10) : 0;
}

static bool may_tell_of(const struct source *source, int64_t account_id)
{
    return account_id != 0 && (source->account_id == 0 || source->account_id == account_id);
}

bool webhooks_expect(const struct webhooks *w, const struct route_pieces *pieces)
{
    const struct source *source = sources_find(w->sources, pieces->text[0]);
    return source != NULL && may_tell_of(source, account_of(pieces->text[1]));
}

void webhooks_request(struct webhooks *w, struct exchange *x, const struct route_pieces *pieces, bool inbound)
{
    const struct route_refusal *unread = route_unread(x);
    struct work *k = calloc(1, sizeof *k);
    if (k == NULL) {
        w->stats.put_off++;
        route_problem(x, 503, "Service Unavailable", "out of memory", "");
        return;
    }
    k->webhooks = w;
    k->exchange = x;
    k->sources = sources_ref(w->sources);
    k->source = sources_find(w->sources, pieces->text[0]);
    k->account_id = account_of(pieces->text[1]);
    k->inbound = inbound;
    w->under_way++;
    if (k->source == NULL)
        answer_missing(k, "there is no such section");
    else if (!may_tell_of(k->source, k->account_id))
        answer_missing(k, "the section is not for this account");
    else if (unread != NULL)
        refuse(k, unread->detail, unread);
    else if (w->closed)
        answer_later(k, "closing");
    else
        look(k);
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

enum status webhooks_open(const struct webhooks_config *config, struct webhooks **ret, struct err *e)
{
    struct webhooks *w = calloc(1, sizeof *w);
    if (w == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    w->config = *config;
    w->sources = sources_new();
    w->certificates = webhook_certificates_new();
    if (w->sources == NULL || w->certificates == NULL || uv_mutex_init(&w->lock) != 0) {
        sources_unref(w->sources);
        webhook_certificates_free(w->certificates);
        free(w);
        return err_set(e, E_NOMEM, "out of memory");
    }
    json_object_seed(0); /* before the pool's threads would all want to be the first */
    *ret = w;
    return OK;
}

void webhooks_set_sources(struct webhooks *w, struct sources *sources)
{
    sources_unref(w->sources);
    w->sources = sources;
}

const struct webhook_stats *webhooks_stats(const struct webhooks *w)
{
    return &w->stats;
}

bool webhooks_in_pool(const struct webhooks *w)
{
    return w->in_pool > 0;
}

bool webhooks_under_way(const struct webhooks *w)
{
    return w->under_way > 0;
}

void webhooks_close(struct webhooks *w)
{
    w->closed = true;
}

void webhooks_free(struct webhooks *w)
{
    if (w == NULL)
        return;
    sources_unref(w->sources);
    webhook_certificates_free(w->certificates);
    uv_mutex_destroy(&w->lock);
    free(w);
}
