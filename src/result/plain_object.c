#include "plain_object.h"

#include <stdbool.h>

#include "followupd/base/utf8.h"

struct span {
    const char *at;
    size_t bytes;
};

static const char *skip_blanks(const char *at)
{
    while (*at == ' ')
        at++;
    return at;
}

/* What follows the closing quote; NULL: no text, or one with an escape. */
static const char *read_text(const char *at, struct span *ret)
{
    if (*at++ != '"')
        return NULL;
    const char *begin = at;
    while ((unsigned char)*at >= ' ' && *at != '"' && *at != '\\')
        at++;
    *ret = (struct span){ begin, (size_t)(at - begin) };
    return *at == '"' && utf8_valid(begin, ret->bytes) ? at + 1 : NULL;
}

static const char *read_pair(const char *at, json_t *object)
{
    struct span name, value;
    at = read_text(at, &name);
    if (at == NULL || *(at = skip_blanks(at)) != ':')
        return NULL;
    at = read_text(skip_blanks(at + 1), &value);
    if (at == NULL)
        return NULL;
    json_t *text = json_stringn_nocheck(value.at, value.bytes);
    return json_object_setn_new_nocheck(object, name.at, name.bytes, text) == 0 ? at : NULL;
}

static bool read_pairs(const char *at, json_t *object)
{
    if (*at != '{')
        return false;
    for (size_t pairs = 1;; pairs++) {
        at = read_pair(skip_blanks(at + 1), object);
        if (at == NULL || json_object_size(object) != pairs) /* a name twice: the general reader refuses it */
            return false;
        at = skip_blanks(at);
        if (*at != ',')
            break;
    }
    return *at == '}' && *skip_blanks(at + 1) == '\0';
}

json_t *plain_object_read(const char *text)
{
    json_t *object = json_object();
    if (object != NULL && read_pairs(text, object))
        return object;
    json_decref(object);
    return NULL;
}
