#include "followupd/base/json_text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/* A byte that JSON wants escaped among eight; a byte over 0x7f may be taken for one. */
static bool maybe_special(const char *text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t eight;
    memcpy(&eight, text, sizeof eight);
    uint64_t quote = eight ^ ones * '"', backslash = eight ^ ones * '\\';
    return (((eight - ones * ' ') | (quote - ones) | (backslash - ones)) & tops) != 0;
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
        while (bytes - i >= 8 && !maybe_special(text + i))
            i += 8;
        if (i == bytes)
            break;
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

enum status json_add_format(struct buf *out, const char *format, ...)
{
    va_list texts;
    enum status st = OK;
    va_start(texts, format);
    while (*format != '\0' && st == OK) {
        size_t bytes = strcspn(format, "%");
        st = buf_add(out, format, bytes);
        format += bytes;
        if (*format == '%' && st == OK) {
            st = json_add_text(out, va_arg(texts, const char *));
            format++;
        }
    }
    va_end(texts);
    return st;
}

enum status json_add_members(struct buf *out, const json_t *strings)
{
    const char *name, *comma = "";
    json_t *value;
    enum status st = OK;
    json_object_foreach ((json_t *)strings, name, value) {
        if (st == OK)
            st = buf_text(out, comma);
        if (st == OK)
            st = json_add_format(out, "%:%", name, json_string_value(value));
        comma = ",";
    }
    return st;
}

enum status json_add_pairs(struct buf *out, const json_t *strings, const char *name, const char *value,
                           const char *without)
{
    const char *header, *comma = "";
    json_t *text;
    enum status st = buf_text(out, "[");
    json_object_foreach ((json_t *)strings, header, text) {
        if (st != OK || (without != NULL && strcasecmp(header, without) == 0))
            continue;
        st = buf_text(out, comma);
        if (st == OK)
            st = json_add_format(out, "{%:%,%:%}", name, header, value, json_string_value(text));
        comma = ",";
    }
    return st == OK ? buf_text(out, "]") : st;
}
