/* list_page: what the types share when they ask for a page of a suppression list and read it. Private to src/provider. */
#ifndef FOLLOWUPD_PROVIDER_LIST_PAGE_H
#define FOLLOWUPD_PROVIDER_LIST_PAGE_H

#include "followupd/provider/provider.h"

#define LIST_PAGE_ROWS_MAX 10000
#define LIST_WORDS_MAX     3

/* What an entry is: what its webhook would be, so that the same rules say what it means. */
struct list_kind {
    const char *value; /* of the member `by` */
    const char *kind;  /* followup.event_kind */
    const char *adds;  /* members of the typed event, a JSON object; NULL: none */
};

/* The provider's names for what an entry holds. */
struct list_shape {
    const char *address, *at;
    const char *by; /* the member that says which of the kinds; NULL: all are the first. Another value than theirs: a
                     * bounce whose reason nobody can read */
    struct list_kind kinds[LIST_WORDS_MAX];
    struct {
        const char *theirs, *ours; /* NULL: no more */
    } words[LIST_WORDS_MAX];       /* texts that go along */
};

/* Appends rows, an array of objects, to entries. E_INVALID: no array, too many, or an entry that is no object, has no
 * address, or holds a member of another type. E_NOMEM. */
MUST_USE enum status list_page_read(const json_t *rows, const struct list_shape *shape, json_t *entries, struct err *e);
/* The next of `lists` lists. */
void list_page_next(struct list_place *place, size_t lists, bool *over);
/* A copy of what the provider says the next request is to hold. False: NULL, too long, or with a blank or a control
 * character in it. */
bool list_page_cursor(struct list_place *place, const char *text, size_t bytes);
/* 2026-03-01, or 2026-03-01T12:00:00Z; UTC. */
void list_page_date(struct wall at, bool time, char *ret, size_t bytes);

#endif
