/* mime: any bytes as a whole mail, by way of SendGrid's "send raw" form, and twice: what is read does not depend on what was
 * read before. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"
#include "followupd/inbound/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static json_t *read_form(const struct buf *form)
{
    json_t *events = NULL;
    struct err e;
    return reply_read("sendgrid", "multipart/form-data; boundary=xYzZY", form->data, form->used, &events, &e) == OK
               ? events
               : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct buf form;
    buf_init(&form, bytes + 200);
    assert(buf_text(&form, "--xYzZY\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n") == OK);
    assert(buf_add(&form, data, bytes) == OK);
    assert(buf_text(&form, "\r\n--xYzZY--\r\n") == OK);
    json_t *first = read_form(&form), *second = read_form(&form);
    assert((first == NULL && second == NULL) || json_equal(first, second));
    char *text = first != NULL ? json_dumps(first, JSON_COMPACT) : NULL;
    json_t *again = text != NULL ? json_loads(text, 0, NULL) : NULL; /* refuses a NUL */
    assert(first == NULL || json_equal(first, again));
    json_decref(again);
    free(text);
    json_decref(first);
    json_decref(second);
    buf_fini(&form);
    return 0;
}
