#include "list_page.h"

/* NULL: the entry is not one. */
static json_t *read_entry(const json_t *row, const struct list_names *names, const char *kind, const char *type)
{
    const char *address = json_string_value(json_object_get(row, names->address));
    json_t *at = json_object_get(row, names->at);
    if (address == NULL || address[0] == '\0' || (at != NULL && !json_is_string(at) && !json_is_number(at)))
        return NULL;
    json_t *entry = json_pack("{s:s,s:s,s:O?,s:s*}", "address", address, "kind", kind, "at", at, "type", type);
    for (size_t i = 0; entry != NULL && i < LIST_WORDS_MAX && names->words[i].theirs != NULL; i++) {
        const json_t *word = json_object_get(row, names->words[i].theirs);
        char text[PROVIDER_DETAIL_BYTES];
        if (word == NULL || json_is_null(word))
            continue;
        if (!json_is_string(word)) {
            json_decref(entry);
            return NULL;
        }
        judge_copy_text(text, sizeof text, json_string_value(word), json_string_length(word));
        json_object_set_new(entry, names->words[i].ours, json_string(text));
    }
    return entry;
}

enum status list_page_read(const json_t *rows, const struct list_names *names, const char *kind, const char *type,
                           json_t *entries, struct err *e)
{
    if (!json_is_array(rows))
        return err_set(e, E_INVALID, "the answer is no list");
    if (json_array_size(rows) > LIST_PAGE_ROWS_MAX)
        return err_set(e, E_INVALID, "a page of more than %d entries", LIST_PAGE_ROWS_MAX);
    size_t i;
    json_t *row;
    json_array_foreach ((json_t *)rows, i, row) {
        json_t *entry = read_entry(row, names, kind, type);
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
