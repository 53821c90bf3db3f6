/* mail_text: a charset (the first line) and bytes, through text, html and quote; what comes out is UTF-8 and within
 * its bound. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/utf8.h"
#include "followupd/inbound/html.h"
#include "followupd/inbound/quote.h"
#include "followupd/inbound/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const uint8_t *line_end = memchr(data, '\n', bytes);
    size_t charset_bytes = line_end != NULL ? (size_t)(line_end - data) : bytes;
    size_t skipped = line_end != NULL ? charset_bytes + 1 : bytes;
    char *charset = text_copy((const char *)data, charset_bytes);
    struct buf text, plain, own;
    buf_init(&text, 4096);
    buf_init(&plain, 1024);
    buf_init(&own, 4096);
    bool cut = false;
    if (charset != NULL && text_add(&text, TEXT_BODY, charset, data + skipped, bytes - skipped, &cut) == OK) {
        assert(utf8_valid(text.data, text.used) && (text.used == 0 || strlen(text.data) == text.used));
        assert(html_text(text.data, text.used, &plain, &cut) == OK && utf8_valid(plain.data, plain.used));
        assert(quote_remove(text.data, text.used, &own) == OK && own.used <= text.used);
        assert(utf8_valid(own.data, own.used));
    }
    buf_fini(&text);
    buf_fini(&plain);
    buf_fini(&own);
    free(charset);
    return 0;
}
