#include <criterion/criterion.h>
#include <string.h>

#include "followupd/db/params.h"

static struct db_params p;

static void setup(void)
{
    db_params_init(&p);
}
static void teardown(void)
{
    db_params_fini(&p);
}
TestSuite(params, .init = setup, .fini = teardown);

static void holds(int parameter, const char *bytes, size_t count)
{
    cr_assert_eq(p.st, OK);
    cr_assert_eq(p.at[parameter].length, (int)count);
    cr_assert_eq(memcmp(p.bytes.data + p.at[parameter].offset, bytes, count), 0);
}

Test(params, a_text_array_carries_any_byte_and_tells_null_from_the_word)
{
    db_array(&p, DB_TEXT, 5);
    db_element_text(&p, "a\"b\\,{}");
    db_element_text(&p, NULL);
    db_element_text(&p, "NULL");
    db_element_text(&p, "");
    db_element_text(&p, "it's");
    holds(0,
          "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\5\0\0\0\1"
          "\0\0\0\7a\"b\\,{}\xff\xff\xff\xff\0\0\0\4NULL\0\0\0\0\0\0\0\4it's",
          20 + 11 + 4 + 8 + 4 + 8);
}

Test(params, an_int8_array_is_in_network_order)
{
    db_array(&p, DB_INT8, 2);
    db_element_i64(&p, -2);
    db_element_i64(&p, 0x0102030405060708);
    holds(0,
          "\0\0\0\1\0\0\0\1\0\0\0\x14\0\0\0\2\0\0\0\1"
          "\0\0\0\10\xff\xff\xff\xff\xff\xff\xff\xfe\0\0\0\10\1\2\3\4\5\6\7\10",
          20 + 24);
}

Test(params, an_empty_array_has_no_dimension)
{
    db_array(&p, DB_INT4, 0);
    db_add_bool(&p, true);
    holds(0, "\0\0\0\0\0\0\0\1\0\0\0\x17", 12);
    holds(1, "\1", 1);
}

Test(params, times_keep_their_microsecond_both_ways)
{
    const int64_t instants[] = {
        0, 1, -1, 1700000000123457, DB_EPOCH_US, DB_EPOCH_US - 1, -62135596800000000, 253402300799999999
    };
    for (size_t i = 0; i < sizeof instants / sizeof *instants; i++)
        cr_assert_eq(db_time_to_wall(db_time_from_wall((struct wall){ instants[i] })).us, instants[i]);
    cr_assert_eq(db_time_from_wall((struct wall){ DB_EPOCH_US }), 0);
}

Test(params, the_ends_of_time_are_the_infinities)
{
    cr_assert_eq(db_time_from_wall((struct wall){ INT64_MAX }), INT64_MAX);
    cr_assert_eq(db_time_from_wall((struct wall){ INT64_MIN }), INT64_MIN);
    cr_assert_eq(db_time_from_wall((struct wall){ INT64_MIN + 5 }), INT64_MIN);
    cr_assert_eq(db_time_to_wall(INT64_MAX).us, INT64_MAX);
    cr_assert_eq(db_time_to_wall(INT64_MAX - 5).us, INT64_MAX);
}

Test(params, the_first_error_stays)
{
    for (int i = 0; i < DB_PARAMS_MAX + 3; i++)
        db_add_i64(&p, i);
    cr_assert_eq(p.st, E_LIMIT);
    cr_assert_eq(p.count, DB_PARAMS_MAX);
    db_add_text(&p, "more");
    cr_assert_eq(p.st, E_LIMIT);
}
