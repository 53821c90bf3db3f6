#include "hooks.h"

#include <assert.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/clock.h"
#include "followupd/base/list.h"
#include "followupd/base/log.h"
#include "hook_body.h"

#define BATCH_MAX      64
#define BODY_BYTES_MAX (1u << 20)

/* One webhook, from its making until it is taken or given up. */
struct post {
    struct list node; /* of waiting, ready or the batch */
    struct hooks *hooks;
    uv_timer_t timer;
    const struct api *api;
    bool inbound;
    char *url;
    const char *type; /* content type; static */
    struct buf body;
    char id[64]; /* of Svix */
    int tries;
    long http_status; /* of the last try; 0: no answer */
};

struct hooks {
    uv_loop_t *loop; /* borrowed */
    struct hooks_options options;
    struct keys *keys;
    struct list waiting, ready;
    struct hooks_stats stats;
    bool stopping;

    uv_work_t work;
    bool working;
    struct list batch; /* the pool thread's while working */
    CURL *curl;        /* the same */
    atomic_bool batch_must_end;
};

/* ---- on the pool thread ---- */

static void add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[1024];
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer != NULL)
        *list = longer; /* without it the receiver refuses the post, and it is repeated */
}

/* What is signed over the body as it goes out, now: an age limit counts from here. */
static void add_signature(const struct post *p, struct curl_slist **headers)
{
    char stamp[24], signature[KEYS_SIGNATURE_BYTES], value[KEYS_SIGNATURE_BYTES + 8];
    struct buf text;
    snprintf(stamp, sizeof stamp, "%" PRId64, wall_now().us / 1000000);
    buf_init(&text, BODY_BYTES_MAX + 256);
    if (p->api == &api_sendgrid) {
        if (buf_text(&text, stamp) == OK && buf_add(&text, p->body.data, p->body.used) == OK) {
            keys_sign_sendgrid(p->hooks->keys, text.data, text.used, signature);
            add_header(headers, "X-Twilio-Email-Event-Webhook-Timestamp", stamp);
            add_header(headers, "X-Twilio-Email-Event-Webhook-Signature", signature);
        }
    } else if (p->api == &api_resend) {
        if (buf_format(&text, "%s.%s.", p->id, stamp) == OK && buf_add(&text, p->body.data, p->body.used) == OK) {
            keys_sign_resend(p->hooks->keys, text.data, text.used, signature);
            snprintf(value, sizeof value, "v1,%s", signature);
            add_header(headers, "svix-id", p->id);
            add_header(headers, "svix-timestamp", stamp);
            add_header(headers, "svix-signature", value);
        }
    } else if (p->api == &api_ses) {
        add_header(headers, "x-amz-sns-message-type", "Notification");
        add_header(headers, "x-amz-sns-topic-arn", KEYS_TOPIC_ARN);
    }
    buf_fini(&text);
}

static size_t drop_answer(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static void post_send(struct post *p)
{
    struct hooks *h = p->hooks;
    struct curl_slist *headers = NULL;
    p->http_status = 0;
    if (h->curl == NULL)
        return;
    curl_easy_reset(h->curl);
    add_header(&headers, "Content-Type", p->type);
    add_header(&headers, "Expect", "");
    add_signature(p, &headers);
    curl_easy_setopt(h->curl, CURLOPT_URL, p->url);
    curl_easy_setopt(h->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, p->body.data);
    curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE, (long)p->body.used);
    curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(h->curl, CURLOPT_TIMEOUT, (long)HOOKS_POST_S);
    curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, drop_answer);
    if (p->api == &api_postmark)
        curl_easy_setopt(h->curl, CURLOPT_USERPWD, keys_postmark(h->keys));
    if (curl_easy_perform(h->curl) == CURLE_OK)
        curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &p->http_status);
    curl_slist_free_all(headers);
}

static void batch_work(uv_work_t *work)
{
    struct hooks *h = container_of(work, struct hooks, work);
    list_for_each (node, &h->batch) {
        struct post *p = container_of(node, struct post, node);
        if (!atomic_load(&h->batch_must_end))
            post_send(p);
    }
}

/* ---- a post: is made, waits, is tried, ends ---- */

static void batch_start(struct hooks *h);

static void post_on_closed(uv_handle_t *handle)
{
    struct post *p = container_of(handle, struct post, timer);
    buf_fini(&p->body);
    free(p->url);
    free(p);
}

static void post_end(struct post *p)
{
    list_remove(&p->node);
    p->hooks->stats.waiting--;
    uv_close((uv_handle_t *)&p->timer, post_on_closed);
}

static void post_on_time(uv_timer_t *timer)
{
    struct post *p = container_of(timer, struct post, timer);
    list_remove(&p->node);
    list_append(&p->hooks->ready, &p->node);
    batch_start(p->hooks);
}

/* Does the provider stop asking after this answer, other than a 2xx? */
static bool is_final(const struct post *p)
{
    long s = p->http_status;
    if (p->api == &api_mailgun)
        return s == 406;
    if (p->api == &api_postmark)
        return s == 403;
    return (p->api == &api_ses || (p->api == &api_sendgrid && p->inbound)) && s >= 400 && s < 500;
}

static void post_judge(struct post *p)
{
    struct hooks *h = p->hooks;
    p->tries++;
    if (p->http_status >= 200 && p->http_status < 300) {
        h->stats.posted++;
        post_end(p);
    } else if (h->stopping) {
        h->stats.dropped++;
        post_end(p);
    } else if (is_final(p) || p->tries == HOOKS_TRIES) {
        h->stats.given_up++;
        log_warn("webhook_given_up", kv("api", p->api->name), kv("inbound", (int64_t)p->inbound),
                 kv("http_status", (int64_t)p->http_status), kv("tries", (int64_t)p->tries));
        post_end(p);
    } else {
        int64_t wait_ms = h->options.retry_ms;
        for (int i = 1; i < p->tries; i++)
            wait_ms *= 3;
        h->stats.repeated++;
        list_remove(&p->node);
        list_append(&h->waiting, &p->node);
        uv_timer_start(&p->timer, post_on_time, (uint64_t)wait_ms, 0);
    }
}

static void batch_on_done(uv_work_t *work, int status)
{
    struct hooks *h = container_of(work, struct hooks, work);
    assert(status == 0); /* nobody cancels it */
    h->working = false;
    while (!list_empty(&h->batch))
        post_judge(container_of(h->batch.next, struct post, node));
    batch_start(h);
}

static void batch_start(struct hooks *h)
{
    if (h->working || h->stopping || list_empty(&h->ready))
        return;
    for (int i = 0; i < BATCH_MAX && !list_empty(&h->ready); i++)
        list_append(&h->batch, list_take_first(&h->ready));
    h->working = true;
    int failed = uv_queue_work(h->loop, &h->work, batch_work, batch_on_done);
    assert(failed == 0); /* it fails only without a work function */
}

/* The URL for that account; NULL: out of memory. */
static char *write_url(const char *pattern, int64_t account)
{
    static const char mark[] = "{account}";
    const char *at = strstr(pattern, mark);
    char *url = NULL;
    if (at == NULL)
        return strdup(pattern);
    return asprintf(&url, "%.*s%" PRId64 "%s", (int)(at - pattern), pattern, account, at + strlen(mark)) >= 0 ? url
                                                                                                              : NULL;
}

static struct post *post_new(struct hooks *h, const struct api *api, const char *pattern, int64_t account)
{
    struct post *p = !h->stopping && h->stats.waiting < HOOKS_WAITING_MAX ? calloc(1, sizeof *p) : NULL;
    if (p != NULL)
        p->url = write_url(pattern, account);
    if (p == NULL || p->url == NULL) {
        h->stats.dropped++;
        free(p);
        return NULL;
    }
    p->hooks = h;
    p->api = api;
    p->type = api == &api_ses ? "text/plain; charset=UTF-8" : "application/json";
    buf_init(&p->body, BODY_BYTES_MAX);
    return p;
}

static bool post_start(struct post *p, enum status st)
{
    struct hooks *h = p->hooks;
    if (st != OK) {
        buf_fini(&p->body);
        free(p->url);
        free(p);
        return false;
    }
    h->stats.waiting++;
    uv_timer_init(h->loop, &p->timer);
    list_append(&h->ready, &p->node);
    batch_start(h);
    return true;
}

bool hooks_tell(const struct hooks *h, const struct message *m)
{
    const struct api *api = api_find(m->api);
    return h != NULL && api != NULL && h->options.webhooks[api->which] != NULL;
}

bool hooks_event(struct hooks *h, enum hook_kind kind, const struct message *m, int64_t seq, const char *words)
{
    const struct api *api = api_find(m->api);
    struct post *p = hooks_tell(h, m) ? post_new(h, api, h->options.webhooks[api->which], m->account_id) : NULL;
    if (p == NULL)
        return false;
    const struct hook_about about = {
        .keys = h->keys, .message = m, .seq = seq, .now_us = wall_now().us, .words = words
    };
    snprintf(p->id, sizeof p->id, "msg_sandbox_%" PRId64 "_%d", seq, (int)kind);
    return post_start(p, hook_event_body(&about, api, kind, &p->body));
}

bool hooks_reply(struct hooks *h, const struct message *m, int64_t seq, const char *text)
{
    const struct api *api = api_find(m->api);
    struct post *p = api != NULL && h->options.inbound[api->which] != NULL
                         ? post_new(h, api, h->options.inbound[api->which], m->account_id)
                         : NULL;
    if (p == NULL)
        return false;
    const struct hook_about about = { .keys = h->keys, .message = m, .seq = seq, .now_us = wall_now().us };
    p->inbound = true;
    return post_start(p, hook_reply_body(&about, api, text, &p->body, &p->type));
}

/* ---- start and stop ---- */

enum status hooks_new(uv_loop_t *loop, const struct hooks_options *options, struct hooks **ret, struct err *e)
{
    struct hooks *h = calloc(1, sizeof *h);
    if (h == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    h->loop = loop;
    h->options = *options;
    list_init(&h->waiting);
    list_init(&h->ready);
    list_init(&h->batch);
    enum status st = keys_open(options->keys, &h->keys, e);
    if (st == OK && (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (h->curl = curl_easy_init()) == NULL))
        st = err_set(e, E_NOMEM, "libcurl does not start");
    if (st == OK)
        *ret = h;
    else
        hooks_free(h);
    return st;
}

const struct keys *hooks_keys(const struct hooks *h)
{
    return h->keys;
}

void hooks_stop(struct hooks *h)
{
    if (h == NULL)
        return;
    h->stopping = true;
    atomic_store(&h->batch_must_end, true);
    struct list *const lists[] = { &h->waiting, &h->ready };
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        while (!list_empty(lists[i])) {
            h->stats.dropped++;
            post_end(container_of(lists[i]->next, struct post, node));
        }
    }
}

void hooks_free(struct hooks *h)
{
    if (h == NULL)
        return;
    assert(!h->working && h->stats.waiting == 0);
    curl_easy_cleanup(h->curl);
    keys_free(h->keys);
    free(h);
}

void hooks_stats(const struct hooks *h, struct hooks_stats *ret)
{
    *ret = h != NULL ? h->stats : (struct hooks_stats){ 0 };
}
