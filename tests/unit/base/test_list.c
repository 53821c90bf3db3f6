#include <criterion/criterion.h>

#include "followupd/base/list.h"

struct item {
    int value;
    struct list node;
};

static void is(struct list *head, const char *expected)
{
    char got[20];
    size_t n = 0;
    list_for_each (node, head)
        got[n++] = (char)('0' + container_of(node, struct item, node)->value);
    got[n] = '\0';
    cr_assert_str_eq(got, expected);
}

Test(list, keeps_the_order_of_appending)
{
    struct list head;
    struct item items[4];
    list_init(&head);
    cr_assert(list_empty(&head));
    cr_assert_null(list_take_first(&head));
    for (int i = 0; i < 4; i++) {
        items[i].value = i;
        list_append(&head, &items[i].node);
    }
    is(&head, "0123");
    list_remove(&items[2].node);
    is(&head, "013");
    list_remove(&items[2].node); /* twice is harmless */
    is(&head, "013");
    cr_assert_eq(container_of(list_take_first(&head), struct item, node)->value, 0);
    list_append(&head, &items[0].node);
    is(&head, "130");
}

Test(list, a_walk_may_remove_the_node_it_is_at)
{
    struct list head;
    struct item items[5];
    list_init(&head);
    for (int i = 0; i < 5; i++) {
        items[i].value = i;
        list_append(&head, &items[i].node);
    }
    list_for_each (node, &head) {
        if (container_of(node, struct item, node)->value % 2 == 0)
            list_remove(node);
    }
    is(&head, "13");
    list_for_each (node, &head)
        list_remove(node);
    cr_assert(list_empty(&head));
}
