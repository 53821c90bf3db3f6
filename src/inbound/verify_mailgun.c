/* Mailgun, webhooks (JSON) and routes (a form): HMAC-SHA256, in lower-case hex, over timestamp and token, with nothing between.
 * It does not cover the event: whoever sees one request can send others with its three fields, so the token is given out
 * to be kept, and to be refused with other content. */
#include <sodium.h>
#include <string.h>
#include <strings.h>

#include "followupd/inbound/form.h"
#include "source.h"
#include "strict_json.h"

#define TIMESTAMP_BYTES_MAX 20

/* Of JSON or of the form; copied, because both go before the answer is known. */
struct fields {
    char timestamp[TIMESTAMP_BYTES_MAX + 1];
    char token[WEBHOOK_TOKEN_BYTES_MAX + 1];
    char signature[2 * SIGNATURE_HMAC_BYTES + 1];
};

/* False: there is none, it is longer than it may be, or holds other characters. */
static bool field_take(char *ret, size_t room, const char *allowed, const char *value, size_t bytes)
{
    if (value == NULL || bytes == 0 || bytes >= room)
        return false;
    memcpy(ret, value, bytes);
    ret[bytes] = '\0';
    return strspn(ret, allowed) == bytes;
}

static bool fields_take(struct fields *f, const char *const values[3], const size_t bytes[3])
{
    static const char token[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    return field_take(f->timestamp, sizeof f->timestamp, "0123456789", values[0], bytes[0]) &&
           field_take(f->token, sizeof f->token, token, values[1], bytes[1]) &&
           field_take(f->signature, sizeof f->signature, "0123456789abcdef", values[2], bytes[2]);
}

static const char *const names[3] = { "timestamp", "token", "signature" };

static enum status read_json(const struct webhook_request *r, struct fields *f, bool *ret_complete)
{
    json_t *body = NULL, *signature = NULL;
    const char *values[3] = { NULL };
    size_t bytes[3] = { 0 };
    enum status st = strict_json("mailgun", JSON_OBJECT, r->body, r->bytes, &body, NULL);
    if (st == OK)
        st = strict_json_object("mailgun", body, "signature", &signature, NULL);
    for (size_t i = 0; i < 3 && st == OK; i++)
        st = strict_json_text("mailgun", signature, names[i], &values[i], &bytes[i], NULL);
    if (st == OK)
        *ret_complete = fields_take(f, values, bytes);
    json_decref(body);
    return st;
}

static enum status read_form(const struct webhook_request *r, struct fields *f, bool *ret_complete)
{
    struct form form;
    const char *values[3] = { NULL };
    size_t bytes[3] = { 0 };
    enum status st = form_parse(r->content_type, r->body, r->bytes, &form, NULL);
    if (st != OK)
        return st;
    for (size_t i = 0; i < 3; i++) {
        const struct form_field *field = form_find(&form, names[i]);
        if (field != NULL) {
            values[i] = field->value;
            bytes[i] = field->bytes;
        }
    }
    *ret_complete = fields_take(f, values, bytes);
    form_fini(&form);
    return OK;
}

VERIFY(verify_mailgun)
{
    struct fields f;
    bool complete = false;
    uint8_t hmac[SIGNATURE_HMAC_BYTES];
    size_t hmac_bytes;
    struct wall signed_at;
    (void)certificates;
    bool is_json = r->content_type != NULL && strncasecmp(r->content_type, "application/json", 16) == 0;
    enum status st = is_json ? read_json(r, &f, &complete) : read_form(r, &f, &complete);
    if (st == E_NOMEM)
        return WEBHOOK_NO_MEMORY;
    if (st != OK)
        return webhook_malformed(ret, "neither JSON nor a form that can be read");
    if (!complete)
        return webhook_refuse(ret, "timestamp, token or signature is missing or not of its form");
    if (!webhook_seconds(f.timestamp, &signed_at) || !webhook_fresh(s, signed_at, now))
        return webhook_refuse(ret, "the timestamp is stale, in the future, or no number");
    if (sodium_hex2bin(hmac, sizeof hmac, f.signature, strlen(f.signature), NULL, &hmac_bytes, NULL) != 0)
        return webhook_refuse(ret, "the signature is no hex");
    struct piece pieces[] = { { f.timestamp, strlen(f.timestamp) }, { f.token, strlen(f.token) } };
    if (!webhook_hmac_matches(s, pieces, 2, hmac, hmac_bytes))
        return webhook_refuse(ret, "the signature is wrong");
    memcpy(ret->token, f.token, sizeof f.token);
    return WEBHOOK_AUTHENTIC;
}
