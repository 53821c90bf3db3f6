#include "draft.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "followupd/base/utf8.h"
#include "followupd/inbound/html.h"
#include "followupd/inbound/quote.h"
#include "followupd/inbound/reply.h"
#include "followupd/inbound/text.h"
#include "gmime.h"

#define VALUE_BYTES_MAX      1000
#define HEADER_BYTES_READ    16384 /* of one header; the rest is not looked at */
#define ADDRESSES_BYTES_READ 4096  /* GMime calls itself for a group in a group, so this bounds its stack */
#define EVENT_ID_BYTES_MAX   400
#define YEAR_10000_S         INT64_C(253402300800)

enum status draft_init(struct draft *d, const char *type)
{
    *d = (struct draft){ .type = type };
    buf_init(&d->text, DRAFT_TEXT_BYTES_MAX);
    buf_init(&d->html, DRAFT_HTML_BYTES_MAX);
    buf_init(&d->stripped, DRAFT_TEXT_BYTES_MAX);
    d->values = json_object();
    json_t **const lists[] = { &d->headers, &d->envelope, &d->to, &d->references, &d->reports };
    bool failed = d->values == NULL;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        *lists[i] = json_array();
        failed = failed || *lists[i] == NULL;
    }
    return failed ? E_NOMEM : OK;
}

void draft_fini(struct draft *d)
{
    buf_fini(&d->text);
    buf_fini(&d->html);
    buf_fini(&d->stripped);
    json_decref(d->values);
    json_decref(d->headers);
    json_decref(d->envelope);
    json_decref(d->to);
    json_decref(d->references);
    json_decref(d->reports);
    free(d->provider_id);
    free(d->reported_id);
    *d = (struct draft){ 0 };
}

/* ---- values ---- */

static enum status set(json_t *object, const char *key, const char *text, size_t bytes)
{
    return json_object_set_new(object, key, json_stringn(text, bytes)) == 0 ? OK : E_NOMEM;
}

enum status draft_put(struct draft *d, const char *key, const char *charset, const void *bytes, size_t count)
{
    if (json_object_get(d->values, key) != NULL)
        return OK;
    struct buf line;
    buf_init(&line, VALUE_BYTES_MAX);
    enum status st = text_add(&line, TEXT_LINE, charset, bytes, count, NULL);
    if (st == OK && line.used > 0)
        st = set(d->values, key, line.data, line.used);
    buf_fini(&line);
    return st;
}

static enum status put_utf8(struct draft *d, const char *key, const char *text)
{
    return text == NULL ? OK : draft_put(d, key, "utf-8", text, strlen(text));
}

enum status draft_time(struct draft *d, struct wall at)
{
    char text[WALL_TEXT_BYTES];
    if (at.us < 0 || at.us / 1000000 >= YEAR_10000_S)
        return OK;
    wall_text(at, text, sizeof text);
    return put_utf8(d, "occurred_at", text);
}

enum status draft_verdict(struct draft *d, const char *key, const char *word, size_t bytes)
{
    static const char *const words[] = { "pass", "fail" };
    for (size_t i = 0; i < 2; i++) {
        if (bytes == 4 && strncasecmp(word, words[i], 4) == 0)
            return put_utf8(d, key, words[i]);
    }
    return OK;
}

enum status draft_provider_id(struct draft *d, const char *id, size_t bytes)
{
    if (d->provider_id != NULL || bytes == 0)
        return OK;
    struct buf line;
    buf_init(&line, VALUE_BYTES_MAX);
    enum status st = text_add(&line, TEXT_LINE, NULL, id, bytes, NULL);
    if (st == OK && line.used > 0 && (d->provider_id = buf_take(&line)) == NULL)
        st = E_NOMEM;
    buf_fini(&line);
    return st;
}

enum status draft_body(struct draft *d, struct buf *target, const char *charset, const void *bytes, size_t count)
{
    return text_add(target, TEXT_BODY, charset, bytes, count, &d->cut);
}

/* ---- addresses ---- */

/* Called with each mailbox of a list; name may be NULL. */
typedef enum status mailbox_visit(struct draft *d, const char *address, const char *name);

static enum status visit_list(struct draft *d, InternetAddressList *list, mailbox_visit *visit, int groups_left)
{
    enum status st = OK;
    int count = internet_address_list_length(list);
    for (int i = 0; i < count && i < REPLY_RECIPIENTS_MAX && st == OK; i++) {
        InternetAddress *address = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_GROUP(address) && groups_left > 0)
            st = visit_list(d, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)), visit,
                            groups_left - 1);
        else if (INTERNET_ADDRESS_IS_MAILBOX(address))
            st = visit(d, internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address)),
                       internet_address_get_name(address));
    }
    return st;
}

static enum status visit_mailboxes(struct draft *d, const char *value, size_t bytes, mailbox_visit *visit)
{
    char *text = text_copy(value, bytes < ADDRESSES_BYTES_READ ? bytes : ADDRESSES_BYTES_READ);
    if (text == NULL)
        return E_NOMEM;
    enum status st = OK;
    InternetAddressList *list = internet_address_list_parse(gmime_options(), text);
    if (list != NULL) {
        st = visit_list(d, list, visit, 1);
        g_object_unref(list);
    }
    free(text);
    return st;
}

static enum status take_from(struct draft *d, const char *address, const char *name)
{
    if (address == NULL || strchr(address, '@') == NULL || json_object_get(d->values, "from") != NULL)
        return OK;
    char *lower = strdup(address);
    if (lower == NULL)
        return E_NOMEM;
    for (char *p = lower; *p != '\0'; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
    enum status st = put_utf8(d, "from", lower);
    if (st == OK)
        st = put_utf8(d, "from_name", name);
    free(lower);
    return st;
}

static enum status take_sender(struct draft *d, const char *address, const char *name)
{
    (void)name;
    return address != NULL && strchr(address, '@') != NULL ? put_utf8(d, "sender", address) : OK;
}

static enum status add_address(json_t *list, const char *address)
{
    if (address == NULL || strchr(address, '@') == NULL || json_array_size(list) >= REPLY_RECIPIENTS_MAX)
        return OK;
    struct buf line;
    buf_init(&line, VALUE_BYTES_MAX);
    enum status st = text_add(&line, TEXT_LINE, "utf-8", address, strlen(address), NULL);
    if (st == OK && line.used > 0 && json_array_append_new(list, json_stringn(line.data, line.used)) != 0)
        st = E_NOMEM;
    buf_fini(&line);
    return st;
}

static enum status take_recipient(struct draft *d, const char *address, const char *name)
{
    (void)name;
    return add_address(d->envelope, address);
}

static enum status take_to(struct draft *d, const char *address, const char *name)
{
    (void)name;
    return add_address(d->to, address);
}

enum status draft_from(struct draft *d, const char *value, size_t bytes)
{
    return visit_mailboxes(d, value, bytes, take_from);
}

enum status draft_sender(struct draft *d, const char *value, size_t bytes)
{
    if (json_object_get(d->values, "sender") != NULL)
        return OK;
    bool null_path = bytes == 0 || (bytes == 2 && memcmp(value, "<>", 2) == 0);
    return null_path ? set(d->values, "sender", "", 0) : visit_mailboxes(d, value, bytes, take_sender);
}

enum status draft_recipient(struct draft *d, const char *value, size_t bytes)
{
    return visit_mailboxes(d, value, bytes, take_recipient);
}

/* ---- headers ---- */

static enum status put_message_id(struct draft *d, const char *key, const char *value)
{
    GMimeReferences *ids = g_mime_references_parse(gmime_options(), value);
    const char *id = g_mime_references_length(ids) > 0 ? g_mime_references_get_message_id(ids, 0) : NULL;
    char *bracketed = id != NULL ? g_strdup_printf("<%s>", id) : NULL;
    enum status st = put_utf8(d, key, bracketed);
    g_free(bracketed);
    g_mime_references_free(ids);
    return st;
}

static enum status add_references(struct draft *d, const char *value)
{
    GMimeReferences *ids = g_mime_references_parse(gmime_options(), value);
    enum status st = OK;
    int count = g_mime_references_length(ids);
    for (int i = 0; i < count && st == OK; i++) {
        if (i > 0 && i <= count - REPLY_REFERENCES_MAX) /* the first names the conversation, the last are the nearest */
            continue;
        struct buf id;
        buf_init(&id, VALUE_BYTES_MAX);
        st = buf_add(&id, "<", 1);
        const char *text = g_mime_references_get_message_id(ids, i);
        if (st == OK)
            st = text_add(&id, TEXT_LINE, "utf-8", text, strlen(text), NULL);
        if (st == OK && id.used < id.bytes_max && buf_add(&id, ">", 1) == OK &&
            json_array_append_new(d->references, json_stringn(id.data, id.used)) != 0)
            st = E_NOMEM;
        buf_fini(&id);
    }
    g_mime_references_free(ids);
    return st;
}

static enum status put_date(struct draft *d, const char *value)
{
    GDateTime *date = g_mime_utils_header_decode_date(value);
    if (date == NULL)
        return OK;
    int64_t seconds = g_date_time_to_unix(date);
    g_date_time_unref(date);
    return seconds > 0 && seconds < YEAR_10000_S ? draft_time(d, (struct wall){ seconds * 1000000 }) : OK;
}

static void look_at_type(struct draft *d, const char *value)
{
    GMimeContentType *type = g_mime_content_type_parse(gmime_options(), value);
    const char *report = g_mime_content_type_get_parameter(type, "report-type");
    if (g_mime_content_type_is_type(type, "multipart", "report"))
        d->is_report = report == NULL || strcasecmp(report, "delivery-status") == 0;
    g_object_unref(type);
}

/* raw: with its folds and encoded words; decoded: without. */
static enum status look_at_header(struct draft *d, const char *name, const char *raw, const struct buf *decoded)
{
    if (strcasecmp(name, "From") == 0)
        return draft_from(d, raw, strlen(raw));
    if (strcasecmp(name, "To") == 0)
        return visit_mailboxes(d, raw, strlen(raw), take_to);
    if (strcasecmp(name, "Return-Path") == 0)
        return draft_sender(d, decoded->data, decoded->used);
    if (strcasecmp(name, "Subject") == 0)
        return draft_put(d, "subject", "utf-8", decoded->data, decoded->used);
    if (strcasecmp(name, "Message-ID") == 0)
        return put_message_id(d, "message_id", raw);
    if (strcasecmp(name, "In-Reply-To") == 0)
        return put_message_id(d, "in_reply_to", raw);
    if (strcasecmp(name, "References") == 0 && json_array_size(d->references) == 0)
        return add_references(d, raw);
    if (strcasecmp(name, "Date") == 0)
        return put_date(d, raw);
    if (strcasecmp(name, "Content-Type") == 0)
        look_at_type(d, raw);
    return OK;
}

static enum status keep_header(struct draft *d, const char *name, const struct buf *decoded)
{
    struct buf line;
    buf_init(&line, VALUE_BYTES_MAX);
    enum status st = text_add(&line, TEXT_LINE, "utf-8", name, strlen(name), NULL);
    size_t bytes = line.used + decoded->used;
    if (st == OK && line.used > 0 && json_array_size(d->headers) < REPLY_HEADERS_MAX &&
        bytes <= REPLY_HEADERS_BYTES_MAX - d->headers_bytes) {
        d->headers_bytes += bytes;
        json_t *pair =
            json_pack("[s%, s%]", line.data, line.used, decoded->used > 0 ? decoded->data : "", decoded->used);
        if (json_array_append_new(d->headers, pair) != 0)
            st = E_NOMEM;
    }
    buf_fini(&line);
    return st;
}

/* Encoded words become text. GMime 3.2.13 decodes neighbours in base64 as one and stops at the padding of the first, so
 * they are handed over apart there; the blanks between words are none (RFC 2047 6.2). */
static enum status decode_words(char *unfolded, struct buf *ret)
{
    enum status st = OK;
    while (*unfolded != '\0' && st == OK) {
        char *stop = unfolded, *next = NULL;
        while (next == NULL && (stop = strstr(stop, "=?=")) != NULL) {
            stop += 3;
            next = stop + strspn(stop, " \t");
            next = next > stop && strncmp(next, "=?", 2) == 0 ? next : NULL;
        }
        if (next != NULL)
            *stop = '\0';
        char *words = g_mime_utils_header_decode_text(gmime_options(), unfolded);
        st = buf_text(ret, words);
        g_free(words);
        unfolded = next != NULL ? next : unfolded + strlen(unfolded);
    }
    return st == E_LIMIT ? OK : st; /* what is longer is cut */
}

enum status draft_header(struct draft *d, const char *name, const char *value, size_t bytes)
{
    char *raw = text_copy(value, bytes < HEADER_BYTES_READ ? bytes : HEADER_BYTES_READ);
    if (raw == NULL)
        return E_NOMEM;
    struct buf words, decoded;
    buf_init(&words, 4 * HEADER_BYTES_READ);
    buf_init(&decoded, HEADER_BYTES_READ);
    char *unfolded = g_mime_utils_header_unfold(raw);
    enum status st = decode_words(unfolded, &words);
    if (st == OK)
        st = text_add(&decoded, TEXT_LINE, "utf-8", words.data, words.used, NULL);
    if (st == OK)
        st = keep_header(d, name, &decoded);
    if (st == OK)
        st = look_at_header(d, name, raw, &decoded);
    g_free(unfolded);
    buf_fini(&words);
    buf_fini(&decoded);
    free(raw);
    return st;
}

const char *draft_header_value(const struct draft *d, const char *name)
{
    size_t i;
    json_t *pair;
    json_array_foreach (d->headers, i, pair) {
        if (strcasecmp(json_string_value(json_array_get(pair, 0)), name) == 0)
            return json_string_value(json_array_get(pair, 1));
    }
    return NULL;
}

/* ---- what it all comes to ---- */

static enum status set_sha256(json_t *object, const char *what, const void *bytes, size_t count)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];
    crypto_hash_sha256(hash, bytes, count);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return json_object_set_new(object, what, json_sprintf("sha256:%s", hex)) == 0 ? OK : E_NOMEM;
}

/* The id of the mail, and what tells this event from others of it; long ones are hashed. */
static enum status set_event_id(json_t *object, const char *id, const char *part)
{
    char *text = g_strdup_printf("%s%s%s", id, part[0] != '\0' ? " " : "", part);
    size_t bytes = strlen(text);
    enum status st = bytes <= EVENT_ID_BYTES_MAX ? set(object, "event_id", text, bytes)
                                                 : set_sha256(object, "event_id", text, bytes);
    g_free(text);
    return st;
}

static const char *text_value(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static json_t *recipients(const struct draft *d)
{
    return json_array_size(d->envelope) > 0 ? d->envelope : d->to;
}

static enum status put_cut(struct draft *d, const char *key, const struct buf *text)
{
    size_t bytes = utf8_cut(text->data, text->used, REPLY_TEXT_BYTES_MAX);
    d->cut = d->cut || bytes < text->used;
    return text->used == 0 ? OK : set(d->values, key, text->data, bytes);
}

static enum status finish_text(struct draft *d)
{
    struct buf own;
    buf_init(&own, DRAFT_TEXT_BYTES_MAX);
    enum status st = OK;
    if (text_blank(d->text.data, d->text.used)) {
        d->from_html = true;
        buf_clear(&d->text);
        st = html_text(d->html.data, d->html.used, &d->text, &d->cut);
    }
    if (st == OK && !text_blank(d->text.data, d->text.used)) {
        st = put_cut(d, "full_text", &d->text);
        if (st == OK && text_blank(d->stripped.data, d->stripped.used))
            st = quote_remove(d->text.data, d->text.used, &own);
        if (st == OK)
            st = put_cut(d, "text", own.used > 0 ? &own : &d->stripped);
    }
    if (st == OK && d->from_html)
        st = put_cut(d, "html", &d->html);
    if (st == OK && d->cut)
        st = put_utf8(d, "text_cut", "true");
    buf_fini(&own);
    return st;
}

static enum status finish_reply(struct draft *d, const void *body, size_t bytes, json_t *events)
{
    const char *message_id = text_value(d->values, "message_id");
    const char *first = json_string_value(json_array_get(recipients(d), 0));
    enum status st;
    if (d->provider_id != NULL)
        st = set_event_id(d->values, d->provider_id, "");
    else if (message_id[0] != '\0')
        st = set_event_id(d->values, message_id, first != NULL ? first : "");
    else
        st = set_sha256(d->values, "event_id", body, bytes);
    if (st == OK)
        st = finish_text(d);
    if (st == OK && (json_object_set(d->values, "recipients", recipients(d)) != 0 ||
                     json_object_set(d->values, "references", d->references) != 0 ||
                     json_object_set(d->values, "headers", d->headers) != 0 ||
                     json_object_set_new(d->values, "provider_type", json_string(d->type)) != 0 ||
                     json_object_set_new(d->values, "kind", json_string("replied")) != 0 ||
                     json_array_append(events, d->values) != 0))
        st = E_NOMEM;
    return st;
}

/* One recipient of a delivery report: what report.c read, and what the mail says of itself. */
static enum status finish_reported(struct draft *d, json_t *reported, const char *id, json_t *events)
{
    static const char *const of_mail[] = { "occurred_at", "from", "spf", "dkim", "dmarc" };
    enum status st = set_event_id(reported, id, text_value(reported, "recipient"));
    for (size_t i = 0; i < sizeof of_mail / sizeof of_mail[0] && st == OK; i++) {
        json_t *value = json_object_get(d->values, of_mail[i]);
        if (value != NULL && json_object_set(reported, of_mail[i], value) != 0)
            st = E_NOMEM;
    }
    if (st == OK && d->reported_id != NULL)
        st = set(reported, "rfc_message_id", d->reported_id, strlen(d->reported_id));
    if (st == OK && (json_object_set(reported, "recipients", recipients(d)) != 0 ||
                     json_object_set_new(reported, "provider_type", json_string(d->type)) != 0 ||
                     json_array_append(events, reported) != 0))
        st = E_NOMEM;
    return st;
}

static enum status finish_reports(struct draft *d, const void *body, size_t bytes, json_t *events)
{
    enum status st = OK;
    if (d->provider_id == NULL && json_object_get(d->values, "message_id") == NULL)
        st = set_sha256(d->values, "message_id", body, bytes);
    const char *id = d->provider_id != NULL ? d->provider_id : text_value(d->values, "message_id");
    size_t i;
    json_t *reported;
    json_array_foreach (d->reports, i, reported) {
        if (st == OK)
            st = finish_reported(d, reported, id, events);
    }
    return st;
}

enum status draft_finish(struct draft *d, const void *body, size_t bytes, json_t **ret, struct err *e)
{
    json_t *events = json_array();
    enum status st = events == NULL                    ? E_NOMEM
                     : json_array_size(d->reports) > 0 ? finish_reports(d, body, bytes, events)
                                                       : finish_reply(d, body, bytes, events);
    if (st == OK) {
        *ret = events;
        return OK;
    }
    json_decref(events);
    return err_set(e, st, "%s: the reply cannot be made: %s", d->type, status_text(st));
}
