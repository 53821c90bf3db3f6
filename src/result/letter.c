#include "followupd/result/letter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"
#include "plain_object.h"

#define LINK_BYTES_MAX 512

static enum status read_object(const char *what, const char *text, json_t **ret, struct err *e)
{
    json_error_t why;
    json_t *object = text != NULL ? plain_object_read(text) : json_object();
    if (object == NULL && text == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    if (object == NULL)
        object = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(object)) {
        json_decref(object);
        return err_set(e, E_INVALID, "%s is not a JSON object", what);
    }
    *ret = object;
    return OK;
}

static enum status add_tags(const struct claim_row *row, json_t *values, struct err *e)
{
    for (size_t i = 0; i < CLAIM_TAGS; i++) {
        if (row->tags[i] != NULL && json_object_set_new(values, claim_tags[i], json_string(row->tags[i])) != 0)
            return err_set(e, E_INVALID, "the value of merge tag %s is not valid UTF-8", claim_tags[i]);
    }
    return OK;
}

static enum status add_link(const struct claim_row *row, const char *public_url, json_t *values, char *link,
                            struct err *e)
{
    link[0] = '\0';
    if (public_url == NULL || public_url[0] == '\0' || row->unsubscribe_token == NULL)
        return OK;
    int bytes = snprintf(link, LINK_BYTES_MAX, "%s/u/%s", public_url, row->unsubscribe_token);
    if (bytes < 0 || bytes >= LINK_BYTES_MAX)
        return err_set(e, E_LIMIT, "the unsubscribe link is longer than %d bytes", LINK_BYTES_MAX);
    if (json_object_set_new(values, "unsubscribe_link", json_string(link)) != 0)
        return err_set(e, E_INVALID, "the unsubscribe link is not valid UTF-8");
    return OK;
}

enum status letter_render(const struct claim_row *row, const char *public_url, struct rendered *ret, struct err *e)
{
    char link[LINK_BYTES_MAX];
    json_t *values = NULL, *payload = NULL;
    if (strcmp(row->kind, "webhook") == 0)
        return err_set(e, E_INVALID, "messages of kind webhook cannot be sent by a mail provider");
    enum status st = read_object("fields", row->fields, &values, e);
    if (st == OK)
        st = add_tags(row, values, e);
    if (st == OK)
        st = read_object("payload", row->payload, &payload, e);
    if (st == OK)
        st = add_link(row, public_url, values, link, e);
    if (st != OK)
        goto out;
    bool from_payload = row->subject == NULL && row->body_text == NULL;
    struct render_input in = {
        .from_name = row->from_name,
        .from_address = row->from_address,
        .reply_to = row->reply_to,
        .to = row->recipient,
        .subject = from_payload ? json_string_value(json_object_get(payload, "subject")) : row->subject,
        .text = from_payload ? json_string_value(json_object_get(payload, "text")) : row->body_text,
        .html = from_payload ? json_string_value(json_object_get(payload, "html")) : row->body_html,
        .values = values,
        .rfc_message_id = row->rfc_message_id,
        .in_reply_to = row->in_reply_to,
        .references = row->references,
        .unsubscribe_url = link[0] != '\0' ? link : NULL,
    };
    if (in.from_address == NULL || in.to == NULL || in.subject == NULL || in.text == NULL || in.rfc_message_id == NULL)
        st = err_set(e, E_INVALID, "the message has no %s",
                     in.from_address == NULL     ? "sender"
                     : in.to == NULL             ? "recipient"
                     : in.subject == NULL        ? "subject"
                     : in.rfc_message_id == NULL ? "Message-ID"
                                                 : "text");
    else
        st = message_render(&in, ret, e);
out:
    json_decref(values);
    json_decref(payload);
    return st;
}
