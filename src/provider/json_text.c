#include "json_text.h"

#include <stdio.h>
#include <string.h>

#include "followupd/base/utf8.h"

static enum status add_escape(struct buf *out, unsigned char c)
{
    static const char letters[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
    char escape[8] = { '\\', (char)c };
    if (c >= ' ') /* " or \ */
        return buf_add(out, escape, 2);
    if (c < sizeof letters && letters[c] != '\0') {
        escape[1] = letters[c];
        return buf_add(out, escape, 2);
    }
    snprintf(escape, sizeof escape, "\\u%04X", c);
    return buf_add(out, escape, 6);
}

enum status json_add_text(struct buf *out, const char *text)
{
    if (text == NULL)
        return buf_add(out, "null", 4);
    size_t bytes = strlen(text), begin = 0;
    if (!utf8_valid(text, bytes))
        return E_INVALID;
    enum status st = buf_add(out, "\"", 1);
    for (size_t i = 0; i < bytes && st == OK; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= ' ' && c != '"' && c != '\\')
            continue;
        st = buf_add(out, text + begin, i - begin);
        if (st == OK)
            st = add_escape(out, c);
        begin = i + 1;
    }
    if (st == OK)
        st = buf_add(out, text + begin, bytes - begin);
    return st == OK ? buf_add(out, "\"", 1) : st;
}
