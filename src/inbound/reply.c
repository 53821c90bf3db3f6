#include "followupd/inbound/reply.h"

#include <string.h>

#include "draft.h"
#include "reply_providers.h"
#include "strict_json.h"

static reply_reader *reader_of(const char *type)
{
    static const struct {
        const char *type;
        reply_reader *read;
    } readers[] = { { "sendgrid", reply_sendgrid },
                    { "mailgun", reply_mailgun },
                    { "postmark", reply_postmark },
                    { "ses", reply_ses } };
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (strcmp(readers[i].type, type) == 0)
            return readers[i].read;
    }
    return NULL;
}

enum status reply_read(const char *type, const char *content_type, const void *body, size_t bytes, json_t **ret,
                       struct err *e)
{
    reply_reader *read = reader_of(type);
    if (read == NULL)
        return err_set(e, E_INVALID, "%s: a provider whose inbound mail is not read", type);
    struct draft d;
    enum status st = draft_init(&d, type);
    if (st == OK)
        st = read(&d, content_type, body, bytes, e);
    else
        err_set(e, st, "%s: out of memory", type);
    if (st == OK)
        st = draft_finish(&d, body, bytes, ret, e);
    draft_fini(&d);
    return st;
}

enum status reply_json_headers(struct draft *d, const char *what, const json_t *mail, const char *key,
                               const char *name_key, const char *value_key, struct err *e)
{
    json_t *headers, *header;
    size_t i;
    enum status st = strict_json_array(what, mail, key, &headers, e);
    json_array_foreach (st == OK ? headers : NULL, i, header) {
        const json_t *name = json_object_get(header, name_key), *value = json_object_get(header, value_key);
        if (!json_is_string(name) || !json_is_string(value))
            st = err_set(e, E_INVALID, "%s: %s[%zu] has no %s and %s that are strings", what, key, i, name_key,
                         value_key);
        else
            st = draft_header(d, json_string_value(name), json_string_value(value), json_string_length(value));
    }
    return st;
}
