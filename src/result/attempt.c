#include "followupd/result/attempt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/crash_point.h"
#include "followupd/result/letter.h"

void attempt_key(const struct claim_row *row, char ret[ATTEMPT_KEY_BYTES])
{
    snprintf(ret, ATTEMPT_KEY_BYTES, "fu/%" PRId64 "/%" PRId64 "/%d", row->ref.account_id, row->ref.message_id,
             row->attempts);
}

static void release(struct attempt *a)
{
    rendered_fini(&a->rendered);
    provider_request_fini(&a->request);
}

static void say(struct kept_result *k, const char *text)
{
    judge_copy_text(k->detail, sizeof k->detail, text, strlen(text));
    k->result.detail = k->detail[0] != '\0' ? k->detail : NULL;
}

struct kept_result *attempt_not_posted(const struct claim_row *row, enum outcome outcome, const char *reason)
{
    struct kept_result *k = kept_result_new(row);
    if (k == NULL)
        return NULL;
    k->result.outcome = outcome;
    k->result.started_real = k->result.ended_real = wall_now();
    say(k, reason);
    return k;
}

static char *move_text(char **from)
{
    char *text = *from;
    *from = NULL;
    return text;
}

/* What left is kept for those who ask later what was said. */
static void keep_letter(struct kept_result *k, struct rendered *r)
{
    k->result.subject = k->subject = move_text(&r->subject);
    k->result.text = k->text = move_text(&r->text);
    k->result.html = k->html = move_text(&r->html);
}

/* A key that came before with another body. Of a message in doubt that was our earlier POST: its lead changed in between,
 * and now there is no doubt. At a key's first POST it was somebody else's, whose key should not be ours: a person has to
 * look, because neither "sent" nor another key would be right. */
static enum outcome judge_reused_key(const struct kept_result *k)
{
    return k->result.posts > 1 ? OUTCOME_SENT : OUTCOME_REJECTED;
}

/* The only place an attempt ends. */
static void on_answer(void *arg, const struct transport_answer *answer)
{
    struct attempt *a = arg;
    struct kept_result *k = a->kept;
    struct judgement j;
    CRASH_POINT(post_answered);
    k->result.ended_real = wall_now();
    judge_answer(a->provider->type, &a->provider->config, answer, k->result.ended_real, &j);
    if (j.key_reused)
        j.outcome = judge_reused_key(k);
    a->begun_us = answer->begun_us;
    a->ended_us = mono_now_us();
    k->result.outcome = j.outcome;
    k->result.uncounted = j.uncounted;
    k->result.http_status = answer->http_status;
    k->result.retry_after_ms = j.retry_after_ms;
    say(k, j.detail);
    if (j.provider_message_id[0] != '\0') {
        memcpy(k->provider_message_id, j.provider_message_id, sizeof k->provider_message_id);
        k->result.provider_message_id = k->provider_message_id;
    }
    if (j.rfc_message_id[0] != '\0') {
        memcpy(k->rfc_message_id, j.rfc_message_id, sizeof k->rfc_message_id);
        k->result.rfc_message_id = k->rfc_message_id;
    }
    if (j.outcome == OUTCOME_SENT && !j.key_reused) /* what arrived then is not this letter */
        keep_letter(k, &a->rendered);
    release(a);
    a->kept = NULL;
    CRASH_POINT(outcome_known);
    a->cb(a, &j, k);
}

static enum status prepare(struct attempt *a, const struct claim_row *row, const char *public_url, struct err *e)
{
    char key[ATTEMPT_KEY_BYTES], fu_id[PROVIDER_FU_ID_BYTES];
    enum status st = letter_render(row, public_url, &a->rendered, e);
    if (st != OK)
        return st;
    attempt_key(row, key);
    provider_fu_id(row->ref.account_id, row->ref.message_id, row->attempts, fu_id);
    struct outgoing m = {
        .account_id = row->ref.account_id,
        .message_id = row->ref.message_id,
        .due = row->due,
        .key = key,
        .fu_id = fu_id,
        .from_name = row->from_name,
        .from_address = row->from_address,
        .from = a->rendered.from,
        .to = a->rendered.to,
        .reply_to = a->rendered.reply_to,
        .subject = a->rendered.subject,
        .text = a->rendered.text,
        .html = a->rendered.html,
        .headers = a->rendered.headers,
    };
    return a->provider->type->build(&a->provider->config, &m, &a->request, e);
}

enum status attempt_prepare(struct attempt *a, const struct claim_row *row, const struct provider *provider,
                            const char *public_url, attempt_cb cb, struct kept_result **ret_rejected)
{
    struct err e = { "" };
    *a = (struct attempt){ .provider = provider, .cb = cb };
    a->kept = kept_result_new(row);
    if (a->kept == NULL)
        return E_NOMEM;
    enum status st = prepare(a, row, public_url, &e);
    if (st == E_INVALID || st == E_LIMIT) {
        a->kept->result.outcome = OUTCOME_REJECTED;
        a->kept->result.started_real = a->kept->result.ended_real = wall_now();
        say(a->kept, e.text);
        *ret_rejected = a->kept;
        a->kept = NULL;
    }
    if (st != OK) {
        attempt_drop(a);
        return st;
    }
    a->post = provider_request_transport(&a->request, &provider->config);
    if (a->post.url == NULL)
        a->post.url = provider->send_url;
    CRASH_POINT(post_rendered);
    return OK;
}

static bool may_begin(void *arg)
{
    struct attempt *a = arg;
    return a->may_begin(a);
}

enum status attempt_post(struct attempt *a, struct transport *transport)
{
    a->post.may_begin = a->may_begin != NULL ? may_begin : NULL;
    a->started_us = mono_now_us();
    a->kept->result.started_real = wall_now();
    enum status st = transport_send(transport, &a->post, on_answer, a);
    CRASH_POINT(post_called);
    if (st == OK)
        return OK;
    attempt_drop(a);
    /* The transport's own limit is no property of the message. */
    return st == E_LIMIT || st == E_INVALID ? E_BUSY : st;
}

void attempt_drop(struct attempt *a)
{
    release(a);
    kept_result_free(a->kept);
    a->kept = NULL;
}
