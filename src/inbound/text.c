#include "followupd/inbound/text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "followupd/base/utf8.h"

#define CHARSET_BYTES_MAX 40
#define CHUNK_BYTES       4096

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Characters on their way into a buffer: what the last one was decides what the next becomes. */
struct sink {
    struct buf *out;
    enum text_shape shape;
    size_t begin; /* of ours in out */
    bool cr;      /* the last was one: an LF that follows is the same line break */
    bool full;
};

static enum status put(struct sink *s, const char *character, size_t bytes)
{
    if (s->out->bytes_max - s->out->used < bytes)
        s->full = true;
    return s->full ? OK : buf_add(s->out, character, bytes);
}

static enum status put_character(struct sink *s, const char *character, size_t bytes)
{
    unsigned char c = (unsigned char)character[0];
    bool after_cr = s->cr;
    s->cr = c == '\r';
    if (c == '\n' && after_cr)
        return OK;
    if (c == '\r')
        c = '\n';
    if (s->shape == TEXT_LINE && (c == '\n' || c == '\t' || c == ' ')) {
        bool first = s->out->used == s->begin || s->out->data[s->out->used - 1] == ' ';
        return first ? OK : put(s, " ", 1);
    }
    if (c == '\n' || c == '\t')
        return put(s, c == '\n' ? "\n" : "\t", 1);
    bool control = c < 0x20 || c == 0x7f || (bytes == 2 && c == 0xc2 && (unsigned char)character[1] < 0xa0) ||
                   (bytes == 3 && memcmp(character, "\xef\xbb\xbf", 3) == 0);
    return control ? OK : put(s, character, bytes);
}

/* text: UTF-8 in which any byte may be wrong. */
static enum status put_utf8(struct sink *s, const char *text, size_t bytes)
{
    size_t i = 0;
    enum status st = OK;
    while (i < bytes && st == OK && !s->full) {
        size_t run = 0; /* of what needs no thought, added at once */
        while (i + run < bytes && (unsigned char)text[i + run] > ' ' && (unsigned char)text[i + run] < 0x7f)
            run++;
        if (run > 0 && run <= s->out->bytes_max - s->out->used) {
            s->cr = false;
            st = buf_add(s->out, text + i, run);
            i += run;
            continue;
        }
        size_t n = utf8_length(text + i, bytes - i);
        st = n > 0 ? put_character(s, text + i, n) : put_character(s, replacement, sizeof replacement - 1);
        i += n > 0 ? n : 1;
    }
    return st;
}

static enum status put_converted(struct sink *s, iconv_t converter, const char *bytes, size_t count)
{
    char *from = (char *)bytes; /* iconv only reads it */
    size_t left = count;
    enum status st = OK;
    bool flushed = false;
    while (st == OK && !s->full && !flushed) {
        char chunk[CHUNK_BYTES], *to = chunk;
        size_t room = sizeof chunk;
        flushed = left == 0; /* what a stateful charset still holds back */
        size_t answer = iconv(converter, flushed ? NULL : &from, flushed ? NULL : &left, &to, &room);
        int why = answer == (size_t)-1 ? errno : 0;
        st = put_utf8(s, chunk, sizeof chunk - room);
        if (st != OK || why == 0 || why == E2BIG)
            continue;
        st = put_character(s, replacement, sizeof replacement - 1);
        size_t skipped = why == EILSEQ && left > 0 ? 1 : left; /* EINVAL: it ends inside a character */
        from += skipped;
        left -= skipped;
    }
    return st;
}

/* The charset that iconv is asked for; NULL: none is known, the bytes decide. */
static const char *charset_to_ask(const char *charset)
{
    static const char *const read_as[][2] = {
        { "us-ascii", NULL },
        { "ascii", NULL },
        { "ansi_x3.4-1968", NULL },
        { "utf8", "UTF-8" },
        { "utf-8", "UTF-8" },
        { "iso-8859-1", "CP1252" },
        { "iso8859-1", "CP1252" },
        { "latin1", "CP1252" },
        { "iso-8859-9", "CP1254" },
        { "gb2312", "GB18030" },
        { "gbk", "GB18030" },
        { "x-gbk", "GB18030" },
        { "shift_jis", "CP932" },
        { "shift-jis", "CP932" },
        { "x-sjis", "CP932" },
        { "euc-kr", "CP949" },
        { "big5", "BIG5-HKSCS" },
        { "ks_c_5601-1987", "CP949" },
        { "iso-8859-8-i", "ISO-8859-8" },
    };
    if (charset == NULL || *charset == '\0' || strlen(charset) > CHARSET_BYTES_MAX)
        return NULL;
    for (size_t i = 0; i < sizeof read_as / sizeof read_as[0]; i++) {
        if (strcasecmp(charset, read_as[i][0]) == 0)
            return read_as[i][1];
    }
    /* A slash would speak to iconv itself (//TRANSLIT). */
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";
    return charset[strspn(charset, letters)] == '\0' ? charset : NULL;
}

enum status text_add(struct buf *out, enum text_shape shape, const char *charset, const void *bytes, size_t count,
                     bool *cut)
{
    if (count == 0)
        return OK;
    struct sink s = { .out = out, .shape = shape, .begin = out->used };
    const char *ask = charset_to_ask(charset);
    iconv_t converter = (iconv_t)-1;
    if (ask != NULL && strcmp(ask, "UTF-8") != 0) {
        converter = iconv_open("UTF-8", ask);
        ask = converter != (iconv_t)-1 ? ask : NULL;
    }
    if (ask == NULL && !utf8_valid(bytes, count))
        converter = iconv_open("UTF-8", "CP1252");
    enum status st = converter != (iconv_t)-1 ? put_converted(&s, converter, bytes, count) : put_utf8(&s, bytes, count);
    if (converter != (iconv_t)-1)
        iconv_close(converter);
    while (shape == TEXT_LINE && out->used > s.begin && out->data[out->used - 1] == ' ')
        out->data[--out->used] = '\0';
    if (s.full && cut != NULL)
        *cut = true;
    return st;
}

bool text_blank(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        bool nbsp = bytes - i >= 2 && memcmp(text + i, "\xc2\xa0", 2) == 0;
        if (strchr(" \t\n", text[i]) == NULL && !nbsp)
            return false;
        i += nbsp;
    }
    return true;
}

char *text_copy(const char *text, size_t bytes)
{
    char *copy = malloc(bytes + 1);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
        copy[bytes] = '\0';
    }
    return copy;
}
