#include "followupd/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t bytes_max)
{
    *b = (struct buf){ .bytes_max = bytes_max };
}

void buf_fini(struct buf *b)
{
    free(b->data);
    *b = (struct buf){ .bytes_max = b->bytes_max };
}

void buf_clear(struct buf *b)
{
    b->used = 0;
    if (b->data != NULL)
        b->data[0] = '\0';
}

static enum status make_room(struct buf *b, size_t bytes)
{
    if (bytes > b->bytes_max - b->used)
        return E_LIMIT;
    size_t need = b->used + bytes + 1;
    if (need <= b->room)
        return OK;
    size_t room = b->room < 64 ? 64 : b->room * 2;
    while (room < need)
        room *= 2;
    if (room > b->bytes_max + 1)
        room = b->bytes_max + 1;
    char *data = realloc(b->data, room);
    if (data == NULL)
        return E_NOMEM;
    b->data = data;
    b->room = room;
    return OK;
}

enum status buf_reserve(struct buf *b, size_t bytes)
{
    return make_room(b, bytes);
}

enum status buf_add(struct buf *b, const void *data, size_t bytes)
{
    enum status st = make_room(b, bytes);
    if (st != OK)
        return st;
    if (bytes > 0)
        memcpy(b->data + b->used, data, bytes);
    b->used += bytes;
    b->data[b->used] = '\0';
    return OK;
}

enum status buf_text(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

enum status buf_format(struct buf *b, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (bytes < 0)
        return E_INVALID;
    enum status st = make_room(b, (size_t)bytes);
    if (st != OK)
        return st;
    va_start(arguments, format);
    vsnprintf(b->data + b->used, (size_t)bytes + 1, format, arguments);
    va_end(arguments);
    b->used += (size_t)bytes;
    return OK;
}

char *buf_take(struct buf *b)
{
    char *data = b->data != NULL ? b->data : calloc(1, 1);
    *b = (struct buf){ .bytes_max = b->bytes_max };
    return data;
}
