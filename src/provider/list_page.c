#include "list_page.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct list_kind unreadable = { NULL, "bounced", NULL };

/* NULL: it says no text. */
static const struct list_kind *kind_of(const json_t *row, const struct list_shape *shape)
{
    if (shape->by == NULL)
        return &shape->kinds[0];
    const char *value = json_string_value(json_object_get(row, shape->by));
    if (value == NULL)
        return NULL;
    for (size_t i = 0; i < LIST_WORDS_MAX && shape->kinds[i].value != NULL; i++) {
        if (strcmp(shape->kinds[i].value, value) == 0)
            return &shape->kinds[i];
    }
    return &unreadable;
}

/* False: one of another type. A number, as some give a code, is a text. */
static bool add_words(const json_t *row, const struct list_shape *shape, json_t *entry)
{
    for (size_t i = 0; i < LIST_WORDS_MAX && shape->words[i].theirs != NULL; i++) {
        const json_t *word = json_object_get(row, shape->words[i].theirs);
        char text[PROVIDER_DETAIL_BYTES];
        if (word == NULL || json_is_null(word))
            continue;
        if (json_is_string(word))
            judge_copy_text(text, sizeof text, json_string_value(word), json_string_length(word));
        else if (json_is_integer(word))
            snprintf(text, sizeof text, "%lld", (long long)json_integer_value(word));
        else
            return false;
        json_object_set_new(entry, shape->words[i].ours, json_string(text));
    }
    return true;
}

/* NULL: the row is none. */
static json_t *read_entry(const json_t *row, const struct list_shape *shape)
{
    const char *address = json_string_value(json_object_get(row, shape->address));
    json_t *at = json_object_get(row, shape->at);
    const struct list_kind *kind = kind_of(row, shape);
    if (address == NULL || address[0] == '\0' || kind == NULL ||
        (at != NULL && !json_is_string(at) && !json_is_number(at)))
        return NULL;
    json_t *entry = kind->adds != NULL ? json_loads(kind->adds, 0, NULL) : json_object();
    json_object_set_new(entry, "address", json_string(address));
    json_object_set_new(entry, "kind", json_string(kind->kind));
    if (at != NULL)
        json_object_set(entry, "at", at);
    if (!add_words(row, shape, entry)) {
        json_decref(entry);
        return NULL;
    }
    return entry;
}

enum status list_page_read(const json_t *rows, const struct list_shape *shape, json_t *entries, struct err *e)
{
    if (!json_is_array(rows))
        return err_set(e, E_INVALID, "the answer is no list");
    if (json_array_size(rows) > LIST_PAGE_ROWS_MAX)
        return err_set(e, E_INVALID, "a page of more than %d entries", LIST_PAGE_ROWS_MAX);
    size_t i;
    json_t *row;
    json_array_foreach ((json_t *)rows, i, row) {
        json_t *entry = read_entry(row, shape);
        if (entry == NULL)
            return err_set(e, E_INVALID, "entry %zu of a page is none", i + 1);
        if (json_array_append_new(entries, entry) != 0)
            return err_set(e, E_NOMEM, "out of memory");
    }
    return OK;
}

void list_page_next(struct list_place *place, size_t lists, bool *over)
{
    *place = (struct list_place){ .list = place->list + 1 };
    *over = (size_t)place->list == lists;
}

bool list_page_cursor(struct list_place *place, const char *text, size_t bytes)
{
    if (text == NULL || bytes == 0 || bytes >= sizeof place->cursor)
        return false;
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
            return false;
    }
    memcpy(place->cursor, text, bytes);
    place->cursor[bytes] = '\0';
    return true;
}

void list_page_date(struct wall at, bool time, char *ret, size_t bytes)
{
    time_t seconds = (time_t)(at.us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    if (time)
        strftime(ret, bytes, "%Y-%m-%dT%H:%M:%SZ", &utc);
    else
        strftime(ret, bytes, "%Y-%m-%d", &utc);
}
