#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"

Test(buf, content_is_what_was_added_and_terminated)
{
    struct buf b;
    buf_init(&b, 100);
    cr_assert_eq(buf_text(&b, "ab"), OK);
    cr_assert_eq(buf_add(&b, "c\0d", 3), OK);
    cr_assert_eq(buf_add(&b, NULL, 0), OK);
    cr_assert_eq(buf_format(&b, "%d-%s", 7, "x"), OK);
    cr_assert_eq(b.used, 8);
    cr_assert_eq(memcmp(b.data, "abc\0d7-x", 9), 0);
    buf_clear(&b);
    cr_assert_eq(b.used, 0);
    cr_assert_str_eq(b.data, "");
    buf_fini(&b);
}

Test(buf, going_past_the_maximum_is_refused_and_changes_nothing)
{
    struct buf b;
    buf_init(&b, 10);
    cr_assert_eq(buf_text(&b, "12345678"), OK);
    cr_assert_eq(buf_text(&b, "abc"), E_LIMIT);
    cr_assert_eq(buf_format(&b, "%d", 123), E_LIMIT);
    cr_assert_str_eq(b.data, "12345678");
    cr_assert_eq(buf_format(&b, "%d", 90), OK);
    cr_assert_eq(buf_add(&b, "x", 1), E_LIMIT);
    cr_assert_eq(buf_add(&b, "", 0), OK);
    cr_assert_str_eq(b.data, "1234567890");
    buf_fini(&b);
    buf_init(&b, 0);
    cr_assert_eq(buf_text(&b, "x"), E_LIMIT);
    cr_assert_eq(buf_text(&b, ""), OK);
    buf_fini(&b);
}

Test(buf, grows_a_byte_at_a_time_to_its_maximum)
{
    struct buf b;
    buf_init(&b, 5000);
    for (int i = 0; i < 5000; i++)
        cr_assert_eq(buf_add(&b, &(char){ (char)('a' + i % 26) }, 1), OK);
    cr_assert_eq(buf_add(&b, "x", 1), E_LIMIT);
    cr_assert_leq(b.room, 5001);
    for (int i = 0; i < 5000; i++)
        cr_assert_eq(b.data[i], 'a' + i % 26);
    buf_fini(&b);
}

Test(buf, taking_empties_it_and_gives_text_even_when_nothing_was_written)
{
    struct buf b;
    buf_init(&b, 10);
    char *empty = buf_take(&b);
    cr_assert_str_eq(empty, "");
    cr_assert_eq(buf_text(&b, "abc"), OK);
    char *taken = buf_take(&b);
    cr_assert_str_eq(taken, "abc");
    cr_assert_eq(b.used, 0);
    cr_assert_null(b.data);
    cr_assert_eq(buf_text(&b, "0123456789"), OK, "the maximum stays");
    free(empty);
    free(taken);
    buf_fini(&b);
    buf_fini(&b);
}
