#include "followupd/inbound/webhook.h"

#include <stdlib.h>
#include <string.h>

#include "followupd/base/json_text.h"
#include "source.h"
#include "tell.h"

#define HOURS_MS(hours) ((int64_t)(hours)*60 * 60 * 1000)

static const struct webhook_scheme schemes[] = {
    { "sendgrid", HOURS_MS(25), .by_public_key = true, .verify = verify_sendgrid, .events = event_sendgrid },
    { "mailgun", HOURS_MS(9), .by_secret = true, .verify = verify_mailgun, .events = event_mailgun },
    { "postmark", 0, .by_secret = true, .verify = verify_postmark, .events = event_postmark },
    { "ses", HOURS_MS(25), .by_topic = true, .verify = verify_sns, .events = event_ses },
    { "resend", 5 * 60 * 1000, .by_secret = true, .verify = verify_svix, .events = event_resend },
};

static const struct webhook_scheme *scheme_find(const char *type)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strcmp(schemes[i].type, type) == 0)
            return &schemes[i];
    }
    return NULL;
}

int64_t webhook_fresh_ms_default(const char *type)
{
    const struct webhook_scheme *scheme = scheme_find(type);
    return scheme != NULL ? scheme->fresh_ms : 0;
}

/* --- settings ------------------------------------------------------------------------------------------------------ */

static enum status secret_add(struct webhook_source *s, const char *text, struct err *e)
{
    struct webhook_secret *secret = &s->secrets[s->secrets_count];
    bool is_svix = s->scheme->verify == verify_svix;
    if (is_svix && strncmp(text, "whsec_", 6) == 0)
        text += 6;
    size_t bytes = strlen(text);
    if (bytes == 0 || bytes > sizeof secret->bytes)
        return err_set(e, E_INVALID, "secret %zu: 1 to %zu bytes", s->secrets_count + 1, sizeof secret->bytes);
    if (is_svix) {
        if (!signature_base64(text, bytes, secret->bytes, sizeof secret->bytes, &secret->count) || secret->count == 0)
            return err_set(e, E_INVALID, "secret %zu: after whsec_ it is no base64", s->secrets_count + 1);
    } else {
        memcpy(secret->bytes, text, bytes);
        secret->count = bytes;
    }
    if (s->scheme->verify == verify_postmark && s->secret_header == NULL && strchr(text, ':') == NULL)
        return err_set(e, E_INVALID, "secret %zu: user:password is wanted", s->secrets_count + 1);
    s->secrets_count++;
    return OK;
}

static enum status keys_add(struct webhook_source *s, const struct webhook_settings *settings, struct err *e)
{
    enum status st = OK;
    for (size_t i = 0; i < WEBHOOK_SECRETS_MAX && st == OK; i++) {
        if (settings->secrets[i] != NULL)
            st = secret_add(s, settings->secrets[i], e);
        if (st != OK || settings->public_keys[i] == NULL)
            continue;
        st = public_key_ecdsa_p256(settings->public_keys[i], &s->keys[s->keys_count], e);
        if (st == OK)
            s->keys_count++;
    }
    return st;
}

/* An empty one would allow the empty topic of a message that has none. */
static bool topics_are_good(const char *arns)
{
    for (const char *at = arns;; at++) {
        size_t bytes = strcspn(at, ",");
        if (strncmp(at, "arn:", 4) != 0 || bytes <= 4 || strcspn(at, " \t\r\n") < bytes)
            return false;
        at += bytes;
        if (*at == '\0')
            return true;
    }
}

/* Either is given exactly where it is needed. */
static enum status need(const char *type, const char *what, bool needed, bool given, struct err *e)
{
    return needed == given ? OK : err_set(e, E_INVALID, "type %s %s %s", type, needed ? "needs a" : "takes no", what);
}

enum status webhook_settings_check(const struct webhook_settings *settings, struct err *e)
{
    const struct webhook_scheme *scheme = settings->type != NULL ? scheme_find(settings->type) : NULL;
    if (scheme == NULL)
        return err_set(e, E_INVALID, "type: sendgrid, mailgun, postmark, ses or resend");
    bool is_postmark = scheme->verify == verify_postmark, secret = false, public_key = false;
    for (size_t i = 0; i < WEBHOOK_SECRETS_MAX; i++) {
        secret |= settings->secrets[i] != NULL;
        public_key |= settings->public_keys[i] != NULL;
    }
    if (settings->secret_header != NULL && (!is_postmark || settings->secret_header[0] == '\0'))
        return err_set(e, E_INVALID, "the header of the secret: a name, and for postmark alone");
    if ((settings->topic_arn != NULL) != scheme->by_topic)
        return err_set(e, E_INVALID, "topic_arn: type ses needs it, and no other takes it");
    if (settings->topic_arn != NULL && !topics_are_good(settings->topic_arn))
        return err_set(e, E_INVALID, "topic_arn: arn:..., several with commas between and no blanks");
    enum status st = need(scheme->type, "secret (secret_file)", scheme->by_secret, secret, e);
    return st == OK ? need(scheme->type, "public key (public_key_file)", scheme->by_public_key, public_key, e) : st;
}

static enum status texts_keep(struct webhook_source *s, const struct webhook_settings *settings, struct err *e)
{
    if (settings->secret_header != NULL && (s->secret_header = strdup(settings->secret_header)) == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    if (settings->topic_arn != NULL && (s->topic_arns = strdup(settings->topic_arn)) == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    return OK;
}

enum status webhook_source_new(const struct webhook_settings *settings, struct webhook_source **ret, struct err *e)
{
    enum status st = webhook_settings_check(settings, e);
    if (st != OK)
        return st;
    struct webhook_source *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    s->scheme = scheme_find(settings->type);
    s->fresh_ms = settings->fresh_ms != 0 ? settings->fresh_ms : s->scheme->fresh_ms;
    s->body_bytes_max = settings->body_bytes_max > 0 ? (size_t)settings->body_bytes_max : WEBHOOK_BODY_BYTES_MAX;
    st = texts_keep(s, settings, e);
    if (st == OK)
        st = keys_add(s, settings, e);
    if (st == OK)
        *ret = s;
    else
        webhook_source_free(s);
    return st;
}

void webhook_source_free(struct webhook_source *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->keys_count; i++)
        public_key_free(s->keys[i]);
    free(s->secret_header);
    free(s->topic_arns);
    secret_wipe(s, sizeof *s);
    free(s);
}

const char *webhook_source_type(const struct webhook_source *s)
{
    return s->scheme->type;
}

/* --- what the schemes share ---------------------------------------------------------------------------------------- */

enum webhook_verdict webhook_refuse(struct webhook_verified *ret, const char *why)
{
    ret->why = why;
    return WEBHOOK_UNAUTHENTIC;
}

enum webhook_verdict webhook_malformed(struct webhook_verified *ret, const char *why)
{
    ret->why = why;
    return WEBHOOK_MALFORMED;
}

bool webhook_seconds(const char *text, struct wall *ret)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 11 || text[digits] != '\0')
        return false;
    *ret = (struct wall){ strtoll(text, NULL, 10) * 1000000 };
    return true;
}

/* By whole seconds, as the providers' own libraries count. */
bool webhook_fresh(const struct webhook_source *s, struct wall signed_at, struct wall now)
{
    int64_t age_s = now.us / 1000000 - signed_at.us / 1000000;
    return s->fresh_ms < 0 || (age_s <= s->fresh_ms / 1000 && -age_s <= WEBHOOK_AHEAD_MS / 1000);
}

bool webhook_hmac_matches(const struct webhook_source *s, const struct piece *pieces, size_t pieces_count,
                          const void *hmac, size_t bytes)
{
    bool matches = false;
    for (size_t i = 0; i < s->secrets_count; i++) {
        uint8_t ours[SIGNATURE_HMAC_BYTES];
        signature_hmac_sha256(s->secrets[i].bytes, s->secrets[i].count, pieces, pieces_count, ours);
        matches |= secret_equal(ours, sizeof ours, hmac, bytes);
    }
    return matches;
}

/* --- the two questions --------------------------------------------------------------------------------------------- */

enum webhook_verdict webhook_verify(const struct webhook_source *s, const struct webhook_request *r, struct wall now,
                                    const struct webhook_certificates *certificates, struct webhook_verified *ret)
{
    memset(ret, 0, sizeof *ret);
    if (r->bytes > s->body_bytes_max) {
        ret->why = "the body is over its limit";
        return WEBHOOK_TOO_LARGE;
    }
    return s->scheme->verify(s, r, now, certificates, ret);
}

void webhook_verified_fini(struct webhook_verified *v)
{
    json_decref(v->confirmation);
    v->confirmation = NULL;
}

enum status webhook_events(const struct webhook_source *s, const struct webhook_request *r, json_t **ret, struct err *e)
{
    struct telling t;
    tell_init(&t, s->scheme->type, e);
    if (t.st == OK)
        s->scheme->events(&t, r);
    return tell_finish(&t, ret);
}

char *webhook_events_text(const json_t *events)
{
    struct buf out;
    json_t *event;
    size_t i;
    buf_init(&out, WEBHOOK_EVENTS_BYTES_MAX);
    enum status st = buf_text(&out, "[");
    json_array_foreach (events, i, event) {
        if (st == OK)
            st = buf_text(&out, i > 0 ? ",{" : "{");
        if (st == OK)
            st = json_add_members(&out, event);
        if (st == OK)
            st = buf_text(&out, "}");
    }
    if (st == OK)
        st = buf_text(&out, "]");
    char *text = st == OK ? buf_take(&out) : NULL;
    buf_fini(&out);
    return text;
}
