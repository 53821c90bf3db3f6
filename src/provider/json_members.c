#include "json_members.h"

#include <strings.h>

#include "followupd/base/json_text.h"

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
