#include "sns.h"

#include <string.h>

#include "strict_json.h"

#define WHAT "ses"

enum status sns_read(const void *body, size_t bytes, struct sns *ret, struct err *e)
{
    struct sns s = { 0 };
    size_t message_bytes = 0;
    const struct {
        const char *key;
        const char **value;
    } members[] = {
        { "Message", &s.message },
        { "MessageId", &s.message_id },
        { "Signature", &s.signature },
        { "SignatureVersion", &s.signature_version },
        { "SigningCertURL", &s.signing_cert_url },
        { "Subject", &s.subject },
        { "SubscribeURL", &s.subscribe_url },
        { "Timestamp", &s.timestamp },
        { "Token", &s.token },
        { "TopicArn", &s.topic_arn },
        { "Type", &s.type },
    };
    enum status st = strict_json(WHAT, JSON_OBJECT, body, bytes, &s.json, e);
    for (size_t i = 0; i < sizeof members / sizeof members[0] && st == OK; i++) {
        size_t value_bytes;
        st = strict_json_text(WHAT, s.json, members[i].key, members[i].value, &value_bytes, e);
        if (members[i].value == &s.message)
            message_bytes = value_bytes;
    }
    s.message_bytes = message_bytes;
    if (st == OK)
        *ret = s;
    else
        json_decref(s.json);
    return st;
}

void sns_fini(struct sns *s)
{
    json_decref(s->json);
    *s = (struct sns){ 0 };
}

static const char *after(const char *text, const char *start)
{
    size_t bytes = strlen(start);
    return strncmp(text, start, bytes) == 0 ? text + bytes : NULL;
}

/* ^https://sns\.[a-zA-Z0-9-]{3,}\.amazonaws\.com(\.cn)?/ and no byte that a reader of URLs might take for an end. */
bool sns_url_is_amazons(const char *url)
{
    static const char region[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    const char *at = after(url, "https://sns.");
    size_t region_bytes = at != NULL ? strspn(at, region) : 0;
    at = region_bytes >= 3 ? after(at + region_bytes, ".amazonaws.com") : NULL;
    if (at != NULL && after(at, ".cn") != NULL)
        at += 3;
    if (at == NULL || *at != '/')
        return false;
    for (; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || *at == '\\' || *at == '#')
            return false;
    }
    return true;
}
