#include "strict_json.h"

#include <stdbool.h>

/* jansson's own bound is 2048 and fixed. Counts brackets outside strings: exact for whatever is JSON. */
static bool too_deep(const char *text, size_t bytes)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']'))
            depth--;
        if (depth > STRICT_JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

enum status strict_json(const char *what, json_type type, const void *text, size_t bytes, json_t **ret, struct err *e)
{
    if (bytes == 0)
        return err_set(e, E_INVALID, "%s: empty", what);
    if (too_deep(text, bytes))
        return err_set(e, E_INVALID, "%s: JSON deeper than %d", what, STRICT_JSON_DEPTH_MAX);
    json_error_t why;
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &why);
    if (json == NULL) /* its text would quote the input */
        return err_set(e, E_INVALID, "%s: no JSON that we take, at byte %d", what, why.position);
    if (json_typeof(json) != type) {
        json_decref(json);
        return err_set(e, E_INVALID, "%s: no JSON %s", what, type == JSON_OBJECT ? "object" : "array");
    }
    *ret = json;
    return OK;
}

static json_t *member(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

enum status strict_json_text(const char *what, const json_t *object, const char *key, const char **ret,
                             size_t *ret_bytes, struct err *e)
{
    const json_t *value = member(object, key);
    if (value != NULL && !json_is_string(value))
        return err_set(e, E_INVALID, "%s: %s is no string", what, key);
    *ret = json_string_value(value);
    *ret_bytes = json_string_length(value);
    return OK;
}

enum status strict_json_object(const char *what, const json_t *object, const char *key, json_t **ret, struct err *e)
{
    json_t *value = member(object, key);
    if (value != NULL && !json_is_object(value))
        return err_set(e, E_INVALID, "%s: %s is no object", what, key);
    *ret = value;
    return OK;
}

enum status strict_json_array(const char *what, const json_t *object, const char *key, json_t **ret, struct err *e)
{
    json_t *value = member(object, key);
    if (value != NULL && !json_is_array(value))
        return err_set(e, E_INVALID, "%s: %s is no array", what, key);
    *ret = value;
    return OK;
}
