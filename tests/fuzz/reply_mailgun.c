/* reply_mailgun: any body as the inbound webhook of that provider; what comes out is a JSON array that can be
 * written, without a NUL. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/inbound/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    json_t *events = NULL;
    struct err e;
    if (reply_read("mailgun", "multipart/form-data; boundary=xYzZY", data, bytes, &events, &e) == OK) {
        char *text = json_dumps(events, JSON_COMPACT);
        json_t *again = text != NULL ? json_loads(text, 0, NULL) : NULL; /* refuses a NUL */
        assert(again != NULL && json_array_size(events) > 0);
        json_decref(again);
        free(text);
    }
    json_decref(events);
    return 0;
}
