/* fakes: a store and a transport that do nothing until a test answers for them. Each keeps what it was asked, oldest
 * first; answering takes the oldest. Texts that a real one copies onto the wire are copied where a test reads them. */
#ifndef TESTS_FAKES_H
#define TESTS_FAKES_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/provider/transport.h"
#include "followupd/store/store.h"

#define FAKE_CALLS 16
#define FAKE_POSTS 1024

struct fake_call {
    struct message_ref refs[STORE_BATCH_MAX];
    struct send_result results[STORE_BATCH_MAX]; /* detail is copied, other texts are not to be read */
    char details[STORE_BATCH_MAX][128];
    struct {
        const char *provider;
        int places;
    } asked[4]; /* of claim_in_doubt */
    size_t count;
    size_t leases; /* under which it is recorded */
    store_claim_cb on_claim;
    store_record_cb on_record;
    store_due_cb on_due;
    void *arg;
};
struct fake_queue {
    struct fake_call *calls[FAKE_CALLS];
    size_t count, total;
};
struct fake_store {
    struct store store;
    bool up;
    struct fake_queue claims, records, unclaims, in_doubt, policies;
};

static inline struct fake_store *fake_of(struct store *s)
{
    return container_of(s, struct fake_store, store);
}

static inline struct fake_call *fake_push(struct fake_queue *q, void *arg, size_t count)
{
    assert(q->count < FAKE_CALLS && count <= STORE_BATCH_MAX);
    struct fake_call *c = calloc(1, sizeof *c);
    c->arg = arg;
    c->count = count;
    q->calls[q->count++] = c;
    q->total++;
    return c;
}

static inline struct fake_call *fake_take(struct fake_queue *q)
{
    assert(q->count > 0);
    struct fake_call *c = q->calls[0];
    memmove(q->calls, q->calls + 1, --q->count * sizeof *q->calls);
    return c;
}

static inline void fake_keep_results(struct fake_call *c, const struct send_result *results)
{
    for (size_t i = 0; i < c->count; i++) {
        c->results[i] = results[i];
        c->refs[i] = results[i].ref;
        snprintf(c->details[i], sizeof c->details[i], "%s", results[i].detail != NULL ? results[i].detail : "");
    }
}

static inline enum status fake_claim(struct store *s, struct lease_set leases, const struct message_ref *refs,
                                     size_t count, store_claim_cb cb, void *arg)
{
    (void)leases;
    if (!fake_of(s)->up)
        return E_GONE;
    struct fake_call *c = fake_push(&fake_of(s)->claims, arg, count);
    memcpy(c->refs, refs, count * sizeof *refs);
    c->on_claim = cb;
    return OK;
}

static inline enum status fake_claim_in_doubt(struct store *s, const struct in_doubt_request *r, store_claim_cb cb,
                                              void *arg)
{
    if (!fake_of(s)->up)
        return E_GONE;
    struct fake_call *c = fake_push(&fake_of(s)->in_doubt, arg, 0);
    assert(r->provider_count <= COUNT_OF(c->asked));
    for (size_t i = 0; i < r->provider_count; i++) {
        c->asked[i].provider = r->providers[i];
        c->asked[i].places = r->places[i];
        c->count += (size_t)r->places[i];
    }
    c->on_claim = cb;
    return OK;
}

static inline enum status fake_unclaim(struct store *s, const struct send_result *claimed, size_t count,
                                       store_due_cb cb, void *arg)
{
    if (!fake_of(s)->up)
        return E_GONE;
    struct fake_call *c = fake_push(&fake_of(s)->unclaims, arg, count);
    fake_keep_results(c, claimed);
    c->on_due = cb;
    return OK;
}

static inline enum status fake_record(struct store *s, struct lease_set leases, const struct send_result *results,
                                      size_t count, store_record_cb cb, void *arg)
{
    if (!fake_of(s)->up)
        return E_GONE;
    struct fake_call *c = fake_push(&fake_of(s)->records, arg, count);
    c->leases = leases.count;
    fake_keep_results(c, results);
    c->on_record = cb;
    return OK;
}

static inline enum status fake_policy(struct store *s, struct lease_set leases, int64_t policy_after_ms,
                                      size_t count_max, store_due_cb cb, void *arg)
{
    (void)leases;
    (void)policy_after_ms;
    (void)count_max;
    if (!fake_of(s)->up)
        return E_GONE;
    fake_push(&fake_of(s)->policies, arg, 0)->on_due = cb;
    return OK;
}

static inline bool fake_is_up(const struct store *s)
{
    return container_of(s, const struct fake_store, store)->up;
}

static const struct store_ops fake_store_ops = {
    .claim = fake_claim,
    .claim_in_doubt = fake_claim_in_doubt,
    .unclaim = fake_unclaim,
    .record = fake_record,
    .settle_by_policy = fake_policy,
    .is_up = fake_is_up,
};

/* A row that can be sent as it is. */
static inline struct claim_row fake_row(struct message_ref ref)
{
    return (struct claim_row){
        .ref = ref,
        .verdict = CLAIM_CLAIMED,
        .shard = 3,
        .epoch = 5,
        .attempts = 1,
        .posts = 1,
        .kind = "sequence",
        .provider = "a",
        .recipient = "bob@example.test",
        .from_name = "Ann",
        .from_address = "ann@example.test",
        .subject = "Hello {{first_name}}",
        .body_text = "Hi {{first_name}}, bye.",
        .fields = "{\"first_name\":\"Bob\"}",
        .rfc_message_id = "<fu-1-1@example.test>",
    };
}

/* Answers the oldest claim: the same verdict (and provider) for all. */
static inline void fake_answer_claim(struct fake_store *s, enum claim_verdict verdict, const char *provider)
{
    struct fake_call *c = fake_take(&s->claims);
    struct claim_row *rows = calloc(c->count, sizeof *rows);
    for (size_t i = 0; i < c->count; i++) {
        rows[i] = fake_row(c->refs[i]);
        rows[i].verdict = verdict;
        rows[i].provider = provider;
    }
    c->on_claim(c->arg, OK, NULL, rows, c->count);
    free(rows);
    free(c);
}

/* Answers the oldest record call; the first `missing` rows are left out (busy). */
static inline void fake_answer_record(struct fake_store *s, size_t missing)
{
    struct fake_call *c = fake_take(&s->records);
    struct recorded_row *rows = calloc(c->count + 1, sizeof *rows);
    for (size_t i = missing; i < c->count; i++)
        rows[i - missing] = (struct recorded_row){ .ref = c->refs[i], .accepted = true };
    c->on_record(c->arg, OK, NULL, rows, c->count - missing);
    free(rows);
    free(c);
}

static inline void fake_fail_record(struct fake_store *s, enum status st)
{
    struct fake_call *c = fake_take(&s->records);
    struct err e = { "failed by the test" };
    c->on_record(c->arg, st, &e, NULL, 0);
    free(c);
}

static inline void fake_fail_claim(struct fake_store *s, enum status st)
{
    struct fake_call *c = fake_take(&s->claims);
    struct err e = { "failed by the test" };
    c->on_claim(c->arg, st, &e, NULL, 0);
    free(c);
}

/* --- transport --------------------------------------------------------------------------------------------------- */

struct fake_transport {
    struct transport transport;
    struct {
        const struct transport_request *request;
        transport_cb cb;
        void *arg;
    } posts[FAKE_POSTS];
    size_t count, total;
    enum status refuse; /* OK: take it */
};

static inline enum status fake_post(struct transport *t, const struct transport_request *r, transport_cb cb, void *arg)
{
    struct fake_transport *f = container_of(t, struct fake_transport, transport);
    if (f->refuse != OK)
        return f->refuse;
    assert(f->count < FAKE_POSTS);
    f->posts[f->count].request = r;
    f->posts[f->count].cb = cb;
    f->posts[f->count++].arg = arg;
    f->total++;
    return OK;
}

static const struct transport_ops fake_transport_ops = { .send = fake_post };

static inline void fake_end_post(struct fake_transport *f, struct transport_answer a)
{
    assert(f->count > 0);
    transport_cb cb = f->posts[0].cb;
    void *arg = f->posts[0].arg;
    memmove(f->posts, f->posts + 1, --f->count * sizeof *f->posts);
    if (a.body == NULL)
        a.body = "";
    if (a.detail == NULL)
        a.detail = "";
    a.body_bytes = strlen(a.body);
    cb(arg, &a);
}

static inline void fake_answer_post(struct fake_transport *f, int http_status)
{
    fake_end_post(f, (struct transport_answer){ .end = TRANSPORT_ANSWERED,
                                                .http_status = http_status,
                                                .body = "{\"id\":\"p-1\"}",
                                                .body_whole = true,
                                                .begun_us = mono_now_us() });
}

#endif
