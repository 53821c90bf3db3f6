#include "followupd/inbound/classify.h"

#include <string.h>

#include "strict_json.h"

/* The one reply among the events; NULL: they are a delivery report. */
static json_t *reply_of(const json_t *events)
{
    json_t *event = json_array_get(events, 0);
    const char *kind = json_string_value(json_object_get(event, "kind"));
    return kind != NULL && strcmp(kind, "replied") == 0 ? event : NULL;
}

enum status classify_question(const json_t *events, char **ret)
{
    const json_t *reply = reply_of(events);
    json_t *text = json_object_get(reply, "text"), *subject = json_object_get(reply, "subject");
    if (text == NULL)
        return E_NOT_FOUND;
    json_t *question = json_pack("{s:O?, s:O}", "subject", subject, "text", text);
    char *body = question != NULL ? json_dumps(question, JSON_COMPACT) : NULL;
    json_decref(question);
    if (body == NULL)
        return E_NOMEM;
    *ret = body;
    return OK;
}

enum status classify_answer(json_t *events, int http_status, const void *answer, size_t bytes, struct err *e)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:";
    json_t *reply = reply_of(events), *object = NULL;
    const char *outcome;
    size_t outcome_bytes;
    if (http_status != 200)
        return err_set(e, E_INVALID, "classifier: HTTP %d", http_status);
    enum status st = strict_json("classifier", JSON_OBJECT, answer, bytes, &object, e);
    if (st == OK)
        st = strict_json_text("classifier", object, "outcome", &outcome, &outcome_bytes, e);
    if (st == OK && outcome == NULL)
        st = err_set(e, E_NOT_FOUND, "classifier: no outcome");
    if (st == OK &&
        (outcome_bytes == 0 || outcome_bytes > CLASSIFY_OUTCOME_BYTES_MAX || strspn(outcome, letters) != outcome_bytes))
        st = err_set(e, E_INVALID, "classifier: outcome is no word of 1 to %d letters", CLASSIFY_OUTCOME_BYTES_MAX);
    if (st == OK &&
        (reply == NULL || json_object_set_new(reply, "classified", json_stringn(outcome, outcome_bytes)) != 0))
        st = err_set(e, E_NOMEM, "classifier: out of memory");
    json_decref(object);
    return st;
}
