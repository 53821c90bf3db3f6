/* message: the JSON document of POST /send, checked field by field, and the text it becomes in the ledger.
 *
 *     {"message_id":"m-17","account_id":1,"due_ms":1795420800000,"from":"Ann <ann@example.com>","to":"bob@example.org",
 *      "reply_to":null,"subject":"...","text":"...","html":null,"headers":{"Message-ID":"<...>"}}
 *
 * Every field must be there and no other; reply_to, html and single headers may be null. What becomes a header of a
 * mail may hold no line break.
 *
 * What came through a provider's own API has two fields more, "api" and "fu_id" (null: it carried none), last in the
 * ledger; its message_id and account_id are read from fu_id, "<account>-<message>-<attempt>", else m-0 and 0.
 *
 * Ownership  struct message owns its document; the texts are borrowed from it.
 * Errors     E_INVALID with a text that begins with the name of the field. */
#ifndef SANDBOX_MESSAGE_H
#define SANDBOX_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "followupd/base/buf.h"
#include "followupd/base/status.h"

struct message {
    json_t *document;
    const char *message_id, *from, *to, *subject, *text;
    const char *reply_to, *html; /* NULL: null */
    const char *api;             /* NULL: POST /send */
    const char *fu_id;           /* NULL: null */
    json_t *headers;
    int64_t id; /* 17 of m-17 */
    int64_t account_id;
    int64_t due_ms; /* business time since 1970 */
};

MUST_USE enum status message_parse(const char *bytes, size_t count, struct message *ret, struct err *e);
/* The same for a document that is parsed already, and may have come through an API; taken on success only. */
MUST_USE enum status message_read(json_t *document, struct message *ret, struct err *e);
void message_fini(struct message *m);
/* The fields in the ledger's order, the key among them, without braces. Equal messages give equal texts, whatever the
 * order and spacing of the request's fields. key NULL: the request had none. */
MUST_USE enum status message_write(const struct message *m, const char *key, struct buf *b);
const char *message_header(const struct message *m, const char *name); /* whatever its case; NULL: not there */
/* The address of a header value such as `Ann <a@example.com>`: where it begins, and its length. */
const char *message_address(const char *value, size_t *ret_bytes);
/* Is this the address of `to`, with or without a name around it? Letter case does not count. */
bool message_goes_to(const struct message *m, const char *address);

#endif
