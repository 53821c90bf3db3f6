/* list_page: what the types share when they read a page of a suppression list. Private to src/provider. */
#ifndef FOLLOWUPD_PROVIDER_LIST_PAGE_H
#define FOLLOWUPD_PROVIDER_LIST_PAGE_H

#include "followupd/provider/provider.h"

#define LIST_PAGE_ROWS_MAX 10000
#define LIST_WORDS_MAX     3

/* The provider's names for what an entry holds. */
struct list_names {
    const char *address, *at;
    struct {
        const char *theirs, *ours; /* NULL: no more */
    } words[LIST_WORDS_MAX];       /* texts that go along */
};

/* Appends rows, an array of objects, to entries. type: goes along; NULL: nothing does. E_INVALID: no array, too many, or
 * an entry that is no object, has no address, or holds a member of another type. E_NOMEM. */
MUST_USE enum status list_page_read(const json_t *rows, const struct list_names *names, const char *kind,
                                    const char *type, json_t *entries, struct err *e);
/* The next of `lists` lists. */
void list_page_next(struct list_place *place, size_t lists, bool *over);

#endif
