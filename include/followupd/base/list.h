/* list: intrusive doubly linked lists, and the way back from a member to the struct that holds it. A node is in one
 * list at a time; list_remove leaves it pointing at itself, so removing twice is harmless. */
#ifndef FOLLOWUPD_BASE_LIST_H
#define FOLLOWUPD_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
#define COUNT_OF(array)                     (sizeof(array) / sizeof((array)[0]))

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}
static inline void list_append(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}
/* First node taken out, or NULL when the list is empty. */
static inline struct list *list_take_first(struct list *head)
{
    if (list_empty(head))
        return NULL;
    struct list *node = head->next;
    list_remove(node);
    return node;
}

/* The body may remove `node` itself, nothing else. */
#define list_for_each(node, head)                                                                                      \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head);                                  \
         node = node##_next, node##_next = node->next)

#endif
