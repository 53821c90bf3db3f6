#include <criterion/criterion.h>
#include <string.h>

#include "followupd/db/backoff.h"
#include "followupd/db/copy.h"

/* Header, the row (1, NULL), the row (2, "x"), the end. */
static const char stream[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
                             "\0\2\0\0\0\10\0\0\0\0\0\0\0\1\377\377\377\377"
                             "\0\2\0\0\0\10\0\0\0\0\0\0\0\2\0\0\0\1x"
                             "\377\377";
#define STREAM_BYTES (sizeof stream - 1)

static int rows;
static int64_t sum;
static char last;

static void on_row(void *arg, const struct db_copy_field *fields, int count)
{
    (void)arg;
    int64_t v;
    cr_assert_eq(count, 2);
    cr_assert(db_copy_i64(&fields[0], &v));
    cr_assert_not(db_copy_i64(&fields[1], &v) && fields[1].length != 8);
    rows++;
    sum += v;
    last = fields[1].length == 1 ? fields[1].data[0] : '0';
}

Test(copy, rows_are_the_same_wherever_the_bytes_are_cut)
{
    for (size_t cut = 0; cut <= STREAM_BYTES; cut++) {
        for (size_t second = cut; second <= STREAM_BYTES; second++) {
            struct db_copy_parser p;
            struct err e;
            db_copy_parser_init(&p);
            rows = 0;
            sum = 0;
            cr_assert_eq(db_copy_parse(&p, stream, cut, on_row, NULL, &e), OK);
            cr_assert_eq(db_copy_parse(&p, stream + cut, second - cut, on_row, NULL, &e), OK);
            cr_assert_eq(db_copy_parse(&p, stream + second, STREAM_BYTES - second, on_row, NULL, &e), OK);
            cr_assert(p.ended);
            cr_assert_eq(rows, 2);
            cr_assert_eq(sum, 3);
            cr_assert_eq(last, 'x');
            db_copy_parser_fini(&p);
        }
    }
}

static enum status parse(const char *bytes, size_t count)
{
    struct db_copy_parser p;
    struct err e;
    db_copy_parser_init(&p);
    enum status st = db_copy_parse(&p, bytes, count, on_row, NULL, &e);
    db_copy_parser_fini(&p);
    return st;
}

Test(copy, what_is_not_the_format_is_refused)
{
    char bad[STREAM_BYTES + 1];
    cr_assert_eq(parse("1\t\\N\n", 5), E_INVALID);
    memcpy(bad, stream, STREAM_BYTES);
    bad[19] = 0x7f; /* 32 thousand fields */
    cr_assert_eq(parse(bad, STREAM_BYTES), E_INVALID);
    memcpy(bad, stream, STREAM_BYTES);
    bad[21] = 0x7f; /* a field of 2 GB */
    cr_assert_eq(parse(bad, STREAM_BYTES), E_INVALID);
    memcpy(bad, stream, STREAM_BYTES);
    bad[STREAM_BYTES] = 0; /* a byte after the end */
    cr_assert_eq(parse(bad, STREAM_BYTES + 1), E_INVALID);
}

Test(backoff, doubles_from_50_ms_to_5_s_and_half_of_it_is_chance)
{
    struct backoff b = { .first_ms = 50, .last_ms = 5000 };
    int64_t step_ms = 50;
    for (int i = 0; i < 20; i++) {
        uint32_t chance = (uint32_t)i * 2654435761u;
        int64_t wait_ms = backoff_next_ms(&b, chance);
        cr_assert_geq(wait_ms, step_ms / 2);
        cr_assert_leq(wait_ms, step_ms);
        step_ms = step_ms * 2 > 5000 ? 5000 : step_ms * 2;
    }
    backoff_reset(&b);
    cr_assert_leq(backoff_next_ms(&b, UINT32_MAX), 50);
}
