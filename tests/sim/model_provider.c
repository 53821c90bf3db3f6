#include "model_provider.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "journal.h"

/* generic's member, Postmark's, each read by its own. */
static const char accepted_body[] = "{\"id\":\"x\",\"ErrorCode\":0,\"MessageID\":\"x\"}";

#define WAY_US_MIN     200
#define WAY_US_MAX     20000
#define CONNECT_US_MAX SECOND

struct model_transport {
    struct transport base;
    struct model_provider *provider;
    struct host *host;
    int worker;
    bool dead, closing;
    struct post *under_way;
    unsigned events_pending;
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

struct post {
    struct model_transport *t;
    int worker;
    struct post *next, **at;
    transport_cb cb;
    void *arg;
    int64_t message_id;
    int64_t begun_us, begun; /* the first byte's, 0: none left: on the worker's clock, and in simulated time */
    int64_t called;          /* the call's */
    bool (*may_begin)(void *arg);
    char key[80]; /* POST: the message's; look-up: that is asked about */
    bool is_look_up, over, arrives;
    struct transport_answer answer;
    char body[96];
};

void model_provider_init(struct model_provider *p, enum provider_class class, int64_t lag_us,
                         const struct faults *faults)
{
    *p = (struct model_provider){ .class = class, .lag_us = lag_us, .faults = faults };
}

void model_provider_fini(struct model_provider *p)
{
    free(p->accepted);
}

/* --- the provider -------------------------------------------------------------------------------------------------------- */

/* NULL: nothing was accepted under it. */
static const struct accepted *find_key(const struct model_provider *p, const char *key)
{
    for (size_t i = 0; i < p->accepted_count; i++) {
        if (strcmp(p->accepted[i].key, key) == 0)
            return &p->accepted[i];
    }
    return NULL;
}

static bool repeats(const struct model_provider *p, const char *key)
{
    return p->class == CLASS_KEYS && find_key(p, key) != NULL;
}

static void take(struct model_provider *p, const struct post *post)
{
    if (repeats(p, post->key))
        return;
    if (p->accepted_count == p->accepted_room) {
        p->accepted_room = p->accepted_room > 0 ? 2 * p->accepted_room : 64;
        p->accepted = realloc(p->accepted, p->accepted_room * sizeof *p->accepted);
        assert(p->accepted != NULL);
    }
    struct accepted *a = &p->accepted[p->accepted_count++];
    strcpy(a->key, post->key);
    a->shown_us = p->class == CLASS_LOOK_UP ? sim_now() + sim_between(0, p->lag_us) : 0;
    JOURNAL("accept %" PRId64 " %s %" PRId64 " %" PRId64 " %d\n", post->message_id, post->key, post->begun, sim_now(),
            post->worker);
}

static bool refuses(struct model_provider *p, int64_t message_id)
{
    for (size_t i = 0; i < p->refused_count; i++) {
        if (p->refused[i] == message_id)
            return true;
    }
    if (p->refused_count == COUNT_OF(p->refused) || !sim_chance(p->faults->refused))
        return false;
    p->refused[p->refused_count++] = message_id;
    JOURNAL("refuse %" PRId64 " %" PRId64 "\n", message_id, sim_now());
    return true;
}

static const char *find_header(void *retry_after_s, const char *name)
{
    return strcmp(name, "Retry-After") == 0 ? retry_after_s : NULL;
}

static void answer_with(struct post *post, int status, const char *body)
{
    snprintf(post->body, sizeof post->body, "%s", body);
    post->answer.end = TRANSPORT_ANSWERED;
    post->answer.http_status = status;
    post->answer.body = post->body;
    post->answer.body_bytes = strlen(post->body);
    post->answer.body_whole = true;
}

/* Its page about one key, as Postmark writes it, if nothing goes wrong. */
static void arrive_look_up(struct post *post)
{
    static const char none[] = "{\"TotalCount\":0,\"Messages\":[]}";
    const struct model_provider *p = post->t->provider;
    const struct accepted *a = find_key(p, post->key);
    bool shown = a != NULL && a->shown_us <= sim_now(), fails = sim_chance(p->faults->look_up_fails);
    if (fails && sim_chance(0.3))
        answer_with(post, 429, "{\"ErrorCode\":429,\"Message\":\"later\"}");
    else if (fails && sim_chance(0.5))
        answer_with(post, 500, none);
    else
        answer_with(post, 200, shown ? "{\"TotalCount\":1,\"Messages\":[{\"MessageID\":\"x\"}]}" : none);
    post->answer.body_whole = !(fails && post->answer.http_status == 200);
}

/* The POST has arrived: what it comes to, and what the answer says. */
static void arrive(struct post *post)
{
    struct model_provider *p = post->t->provider;
    const struct faults *f = p->faults;
    if (repeats(p, post->key)) {
        answer_with(post, 200, accepted_body);
    } else if (sim_chance(f->overloaded)) {
        answer_with(post, sim_chance(0.5) ? 429 : 503, "{\"error\":\"later\"}");
        post->answer.find_header = find_header;
        post->answer.headers = sim_chance(0.5) ? "1" : "3";
    } else if (sim_chance(f->broken)) {
        if (sim_chance(0.5))
            take(p, post);
        answer_with(post, 500, "");
    } else if (refuses(p, post->message_id)) {
        answer_with(post, 422, "{\"error\":\"no such mailbox\"}");
    } else {
        take(p, post);
        answer_with(post, 200, accepted_body);
    }
}

/* --- the way there and back ------------------------------------------------------------------------------------------------ */

static void free_if_done(struct model_transport *t)
{
    if (!t->closing || t->events_pending > 0)
        return;
    void (*on_closed)(void *) = t->on_closed;
    void *arg = t->on_closed_arg;
    free(t);
    on_closed(arg);
}

static void call_back(struct post *post)
{
    post->over = true;
    *post->at = post->next;
    if (post->next != NULL)
        post->next->at = post->at;
    post->answer.begun_us = post->begun_us;
    if (post->answer.detail == NULL)
        post->answer.detail = "";
    if (post->answer.body == NULL)
        post->answer.body = "";
    post->cb(post->arg, &post->answer);
}

static void give_up(struct post *post, bool timed_out)
{
    post->answer = (struct transport_answer){ .end = post->arrives ? TRANSPORT_IN_DOUBT : TRANSPORT_NOT_SENT,
                                              .timed_out = timed_out,
                                              .detail = "no answer" };
    call_back(post);
}

static void on_end(void *arg)
{
    struct post *post = arg;
    struct model_transport *t = post->t;
    if (!post->over)
        call_back(post);
    free(post);
    t->events_pending--;
    free_if_done(t);
}

static int64_t way_us(const struct model_provider *p)
{
    int64_t us = sim_between(WAY_US_MIN, WAY_US_MAX);
    return sim_chance(p->faults->slow) ? us + sim_between(0, p->faults->slow_us) : us;
}

static void on_arrive(void *arg)
{
    struct post *post = arg;
    struct model_transport *t = post->t;
    if (post->is_look_up)
        arrive_look_up(post);
    else if (post->arrives)
        arrive(post);
    TRACE("worker %d: %s of message %" PRId64 ", key %s, begun %.6f, arrives: HTTP %d %s", post->worker,
          post->is_look_up ? "look-up" : "POST", post->message_id, post->key, (double)post->begun / (double)SECOND,
          post->answer.http_status, post->body);
    if (!post->over && sim_chance(t->provider->faults->answer_lost))
        post->answer = (struct transport_answer){ .end = TRANSPORT_IN_DOUBT, .detail = "the connection broke" };
    sim_after(t->host, way_us(t->provider), on_end, post);
}

struct patience {
    struct model_transport *t;
    struct post *post;
    int64_t message_id;
    int64_t called;
};

/* Its time is over. The POST may be gone, and another may stand where it was: it is looked for among those under way. */
static void on_timeout(void *arg)
{
    struct patience *w = arg;
    struct model_transport *t = w->t;
    for (struct post *p = t->under_way; p != NULL; p = p->next) {
        if (p == w->post && p->message_id == w->message_id && p->called == w->called) {
            give_up(p, true);
            break;
        }
    }
    free(w);
    t->events_pending--;
    free_if_done(t);
}

/* <account>-<message>-<attempts>, in the body of a POST of Postmark's and in the question of a look-up. */
static void read_fu_id(const char *fu_id, struct post *ret)
{
    int n = sscanf(fu_id, "%*d-%" SCNd64 "-", &ret->message_id);
    assert(n == 1);
    snprintf(ret->key, sizeof ret->key, "%s", fu_id);
}

static void read_generic(const struct transport_request *r, const json_t *body, struct post *ret)
{
    static const char name[] = "Idempotency-Key: ";
    const char *id = json_string_value(json_object_get(body, "message_id"));
    assert(id != NULL && strncmp(id, "m-", 2) == 0);
    ret->message_id = strtoll(id + 2, NULL, 10);
    for (size_t i = 0; i < r->header_count; i++) {
        if (strncmp(r->headers[i], name, sizeof name - 1) == 0)
            snprintf(ret->key, sizeof ret->key, "%s", r->headers[i] + sizeof name - 1);
    }
}

/* Which message and which key. */
static void read_request(const struct transport_request *r, struct post *ret)
{
    if (r->method == TRANSPORT_GET) {
        const char *asked = strstr(r->url, "metadata_fu_id=");
        assert(asked != NULL);
        ret->is_look_up = true;
        read_fu_id(asked + strlen("metadata_fu_id="), ret);
        return;
    }
    json_t *body = json_loadb(r->body, r->body_bytes, 0, NULL);
    const char *fu_id = json_string_value(json_object_get(json_object_get(body, "Metadata"), "fu_id"));
    if (fu_id != NULL)
        read_fu_id(fu_id, ret);
    else
        read_generic(r, body, ret);
    json_decref(body);
    assert(ret->key[0] != '\0');
}

static void begin(struct post *post)
{
    post->begun = sim_now();
    post->begun_us = SECOND + sim_now();
    post->arrives = true;
    sim_after(NULL, way_us(post->t->provider), on_arrive, post);
}

/* The connection stands: on the worker's machine, which may have slept meanwhile. */
static void on_connected(void *arg)
{
    struct post *post = arg;
    bool calls_off = !post->over && post->may_begin != NULL && !post->may_begin(post->arg);
    if (post->over || calls_off) {
        post->answer = (struct transport_answer){ .end = TRANSPORT_NOT_SENT, .called_off = true };
        on_end(post);
        return;
    }
    begin(post);
}

static enum status model_send(struct transport *base, const struct transport_request *r, transport_cb cb, void *arg)
{
    struct model_transport *t = container_of(base, struct model_transport, base);
    const struct faults *f = t->provider->faults;
    if (t->dead || t->closing)
        return E_GONE;
    struct post *p = calloc(1, sizeof *p);
    struct patience *w = calloc(1, sizeof *w);
    assert(p != NULL && w != NULL);
    *p = (struct post){ .t = t, .worker = t->worker, .cb = cb, .arg = arg, .called = sim_now() };
    read_request(r, p);
    p->next = t->under_way;
    p->at = &t->under_way;
    if (p->next != NULL)
        p->next->at = &p->next;
    t->under_way = p;
    p->may_begin = r->may_begin;
    *w = (struct patience){ t, p, p->message_id, p->called };
    t->events_pending += 2;
    sim_after(t->host, r->timeout_ms * MS, on_timeout, w);
    if (sim_chance(f->not_sent)) {
        p->answer = (struct transport_answer){ .end = TRANSPORT_NOT_SENT, .detail = "connection refused" };
        sim_after(t->host, way_us(t->provider), on_end, p);
        return OK;
    }
    if (sim_chance(f->connects))
        sim_after(t->host, sim_between(0, CONNECT_US_MAX), on_connected, p);
    else
        begin(p);
    return OK;
}

static void on_close_later(void *arg)
{
    struct model_transport *t = arg;
    t->events_pending--;
    free_if_done(t);
}

static void give_up_all(struct model_transport *t)
{
    while (t->under_way != NULL)
        give_up(t->under_way, false);
}

static void close_transport(struct transport *base, void (*on_closed)(void *arg), void *arg)
{
    struct model_transport *t = container_of(base, struct model_transport, base);
    t->closing = true;
    t->on_closed = on_closed;
    t->on_closed_arg = arg;
    t->events_pending++;
    sim_after(NULL, 0, on_close_later, t);
    give_up_all(t);
}

static const struct transport_ops ops = { model_send, close_transport };

struct transport *model_transport_open(struct model_provider *p, struct host *host, int worker)
{
    struct model_transport *t = calloc(1, sizeof *t);
    assert(t != NULL);
    *t = (struct model_transport){ .base = { &ops }, .provider = p, .host = host, .worker = worker };
    return &t->base;
}

void model_transport_die(struct transport *base)
{
    struct model_transport *t = container_of(base, struct model_transport, base);
    t->dead = true;
}
