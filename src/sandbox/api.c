#include "api.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "followupd/base/list.h"
#include "message.h"
#include "server.h"

const struct api *api_find(const char *name)
{
    static const struct api *const all[] = { &api_sendgrid, &api_mailgun, &api_postmark, &api_ses, &api_resend };
    for (size_t i = 0; name != NULL && i < COUNT_OF(all); i++) {
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    }
    return NULL;
}

void api_rfc_message_id(const struct message *m, int64_t seq, char ret[API_ID_BYTES])
{
    char id[API_ID_BYTES], domain[API_DOMAIN_BYTES];
    const char *own = message_header(m, "Message-ID");
    const struct api *api = api_find(m->api);
    if (own != NULL && (api == NULL || api->id_domain == NULL)) {
        snprintf(ret, API_ID_BYTES, "%s", own);
    } else if (api != NULL && api->id_domain != NULL) {
        api->id(m, seq, id);
        api->id_domain(m, domain);
        snprintf(ret, API_ID_BYTES, "<%.150s@%s>", id, domain);
    } else {
        snprintf(ret, API_ID_BYTES, "<sb-%" PRId64 "@sandbox.invalid>", seq);
    }
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

/* account and message of "<account>-<message>-<attempt>"; 0 and 0: it is something else */
static void read_fu_id(const char *fu_id, int64_t *ret_account, int64_t *ret_message)
{
    long long account, message;
    int attempt, end = 0;
    *ret_account = *ret_message = 0;
    if (fu_id == NULL || sscanf(fu_id, "%18lld-%18lld-%9d%n", &account, &message, &attempt, &end) != 3 ||
        fu_id[end] != '\0' || account < 1 || message < 1)
        return;
    *ret_account = account;
    *ret_message = message;
}

enum status api_document(const struct api *api, const struct api_mail *mail, json_t **ret, struct err *e)
{
    int64_t account, message;
    char message_id[32];
    if (mail->from == NULL || mail->to == NULL || mail->subject == NULL)
        return err_set(e, E_INVALID, "%s is missing",
                       mail->from == NULL ? "the sender"
                       : mail->to == NULL ? "the recipient"
                                          : "the subject");
    if (mail->text == NULL && mail->html == NULL)
        return err_set(e, E_INVALID, "the content is missing");
    read_fu_id(mail->fu_id, &account, &message);
    snprintf(message_id, sizeof message_id, "m-%" PRId64, message);
    *ret = json_pack("{s:s,s:I,s:i,s:s,s:s,s:s?,s:s,s:s,s:s?,s:O,s:s,s:s?}", "message_id", message_id, "account_id",
                     (json_int_t)account, "due_ms", 0, "from", mail->from, "to", mail->to, "reply_to", mail->reply_to,
                     "subject", mail->subject, "text", mail->text != NULL ? mail->text : "", "html", mail->html,
                     "headers", mail->headers, "api", api->name, "fu_id", mail->fu_id);
    return *ret != NULL ? OK : err_set(e, E_INVALID, "the message holds a text that is no UTF-8");
}

enum status api_json(const struct exchange *x, json_t **ret, struct err *e)
{
    const struct buf *body = exchange_body(x);
    const char *type = exchange_header(x, "Content-Type");
    json_error_t error;
    if (type == NULL || strncasecmp(type, "application/json", strlen("application/json")) != 0)
        return err_set(e, E_INVALID, "Content-Type must be application/json");
    json_t *document = json_loadb(body->used > 0 ? body->data : "", body->used, JSON_REJECT_DUPLICATES, &error);
    if (document == NULL)
        return err_set(e, E_INVALID, "no JSON: line %d, column %d: %s", error.line, error.column, error.text);
    if (!json_is_object(document)) {
        json_decref(document);
        return err_set(e, E_INVALID, "the body must be a JSON object");
    }
    *ret = document;
    return OK;
}

enum status api_read_json(const struct exchange *x,
                          enum status (*read_body)(const json_t *body, json_t **ret_document, struct err *e),
                          json_t **ret_document, struct err *e)
{
    json_t *body;
    enum status st = api_json(x, &body, e);
    if (st != OK)
        return st;
    st = read_body(body, ret_document, e);
    json_decref(body);
    return st;
}

json_t *api_pairs(const json_t *list, const char *name, const char *value)
{
    json_t *object = json_object(), *pair;
    size_t i;
    json_array_foreach ((json_t *)list, i, pair) {
        const char *key = api_text(pair, name);
        if (key != NULL)
            json_object_set(object, key, json_object_get(pair, value));
    }
    return object;
}

const char *api_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

bool api_same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strlen(a) == strlen(b) && sodium_memcmp(a, b, strlen(a)) == 0;
}

bool api_bearer(const struct exchange *x, const char *credential)
{
    const char *given = exchange_header(x, "Authorization");
    return given != NULL && strncasecmp(given, "Bearer ", 7) == 0 && api_same(given + 7, credential);
}

/* --- answering ------------------------------------------------------------------------------------------------------- */

void api_answer(struct exchange *x, int http_status, json_t *document)
{
    char *text = document != NULL ? json_dumps(document, JSON_COMPACT) : NULL;
    if (text != NULL)
        exchange_answer(x, http_status, text);
    else
        exchange_cut(x); /* out of memory */
    free(text);
    json_decref(document);
}

void api_uuid(const struct message *m, int64_t seq, char ret[API_ID_BYTES])
{
    (void)m;
    snprintf(ret, API_ID_BYTES, "00000000-0000-4000-8000-%012" PRIx64, (uint64_t)seq & 0xffffffffffff);
}

void api_time(int64_t at_us, char *ret, size_t bytes)
{
    time_t seconds = (time_t)(at_us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    snprintf(ret, bytes, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
             utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(at_us / 1000 % 1000));
}
