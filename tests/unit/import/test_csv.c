#include "followupd/import/csv.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"

static struct err problem;

static FILE *file_of(const char *text, size_t bytes)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, bytes, "r");
    cr_assert_not_null(file);
    return file;
}

/* Everything the reader says about a text, in one line: [a|b] a record, !message a refused one, # the end. */
static char *told(const char *text, size_t bytes)
{
    char *out = NULL;
    size_t out_bytes = 0;
    FILE *log = open_memstream(&out, &out_bytes), *file = file_of(text, bytes);
    struct csv *c = NULL;
    if (csv_open(file, &c, &problem) != OK) {
        fprintf(log, "!%s", problem.text);
    } else {
        enum status st;
        while ((st = csv_next(c, &problem)) != E_NOT_FOUND) {
            if (st != OK) {
                fprintf(log, "!%s ", problem.text);
                continue;
            }
            for (size_t i = 0; i < csv_columns_count(c); i++)
                fprintf(log, "%s%s", i == 0 ? "[" : "|", csv_field(c, i));
            fprintf(log, "]%d ", csv_line(c));
        }
        fputs("#", log);
    }
    csv_close(c);
    fclose(file);
    fclose(log);
    return out;
}

static void tells(const char *text, size_t bytes, const char *expected)
{
    char *out = told(text, bytes);
    cr_assert_str_eq(out, expected);
    free(out);
}
#define TELLS(text, expected) tells(text, sizeof(text) - 1, expected)

Test(csv, records_are_read_with_their_lines)
{
    TELLS("a,b\n1,2\n3,4\n", "[1|2]2 [3|4]3 #");
    TELLS("a,b\r\n1,2\r\n3,4", "[1|2]2 [3|4]3 #");
    TELLS("\xEF\xBB\xBF"
          "a,b\n1,2\n",
          "[1|2]2 #");
    TELLS("a,b\n\n\r\n1,\n,2\n,\n", "[1|]4 [|2]5 [|]6 #");
    TELLS("a\n", "#");
    TELLS("a", "#");
    TELLS(" a , b\nx, y \n", "[x| y ]2 #");
}

Test(csv, quotes_hold_commas_quotes_and_lines)
{
    TELLS("a,b\n\"1,5\",\"say \"\"hi\"\"\"\n", "[1,5|say \"hi\"]2 #");
    TELLS("a,b\n\"x\ny\r\nz\",2\n3,4\n", "[x\ny\r\nz|2]2 [3|4]5 #");
    TELLS("a,b\n\"\",\"\"\n", "[|]2 #");
    TELLS("a,b\n\"\"\"\",\"\"\"a\"\n", "[\"|\"a]2 #");
    TELLS("\"a\",\"b\"\n1,2\n", "[1|2]2 #");
}

Test(csv, a_bad_record_is_named_and_the_next_one_is_read)
{
    TELLS("a,b\n1\n3,4\n", "!line 2: 1 fields where the header has 2 [3|4]3 #");
    TELLS("a,b\n1,2,3\n3,4\n", "!line 2: 3 fields where the header has 2 [3|4]3 #");
    TELLS("a,b\nx\"y,2\n3,4\n", "!line 2: field 1: a quote inside a field that is not in quotes [3|4]3 #");
    TELLS("a,b\nx\"\"y,2\n3,4\n", "!line 2: field 1: a quote inside a field that is not in quotes [3|4]3 #");
    TELLS("a,b\n\"x\"y,2\n3,4\n", "!line 2: field 1: something follows its closing quote [3|4]3 #");
    TELLS("a,b\n1,\xFF\n3,4\n", "!line 2: not UTF-8 [3|4]3 #");
    TELLS("a,b\n1,\xC0\xAF\n3,4\n", "!line 2: not UTF-8 [3|4]3 #");
    TELLS("a,b\n1,\xED\xA0\x80\n3,4\n", "!line 2: not UTF-8 [3|4]3 #");
    TELLS("a,b\n1,\xF4\x90\x80\x80\n3,4\n", "!line 2: not UTF-8 [3|4]3 #");
    TELLS("a,b\n\"1\n\xE2\x82\",2\n3,4\n", "!line 3: not UTF-8 [3|4]4 #");
    TELLS("a,b\n1,x\0y\n3,4\n", "!line 2: a NUL byte [3|4]3 #");
    TELLS("a,b\n1,J\xC3\xB6rg \xE2\x82\xAC \xF0\x9F\x98\x80\n", "[1|J\xC3\xB6rg \xE2\x82\xAC \xF0\x9F\x98\x80]2 #");
}

Test(csv, what_cannot_be_read_on_ends_the_reading)
{
    TELLS("a,b\n1,2\n\"x,4\n5,6\n", "[1|2]2 !line 3: a quote is never closed #");
}

Test(csv, a_header_must_name_every_column_once)
{
    TELLS("\n\n", "!line 1: the file is empty; its first line must name the columns");
    TELLS("a,,b\n1,2,3\n", "!line 1: column 2 has no name");
    TELLS("a,b, a\n1,2,3\n", "!line 1: column \"a\" is there twice");
    TELLS("\xEF\xBB"
          "a\n1\n",
          "!line 1: not UTF-8");
    TELLS("a,\"b\n", "!line 1: a quote is never closed");
}

Test(csv, limits_hold)
{
    size_t bytes = 3 * 1024 * 1024;
    char *text = malloc(bytes);
    memset(text, 'x', bytes);
    memcpy(text, "a,b\n", 4);
    memcpy(text + 4 + CSV_FIELD_BYTES_MAX + 1, ",2\n3,4\n", 7);
    tells(text, 4 + CSV_FIELD_BYTES_MAX + 1 + 7, "!line 2: field 1 is longer than 65536 bytes [3|4]3 #");
    memset(text + 4, 'x', bytes - 4);
    tells(text, bytes, "!line 2: the record is longer than 1048576 bytes #");
    text[4] = '"';
    tells(text, bytes, "!line 2: the record is longer than 1048576 bytes; is a quote never closed? #");
    memset(text, ',', bytes);
    tells(text, 300, "!line 1: more than 256 fields");
    free(text);
}

Test(csv, columns_are_found_and_the_record_is_given_as_it_stood)
{
    static const char text[] = "email, first_name\n\"a@b\",\"A\"\nonly\nx,\"y\"z\n";
    FILE *file = file_of(text, sizeof text - 1);
    struct csv *c = NULL;
    cr_assert_eq(csv_open(file, &c, &problem), OK);
    cr_assert_eq(csv_column_find(c, "first_name"), 1);
    cr_assert_eq(csv_column_find(c, "last_name"), -1);
    cr_assert_eq(csv_next(c, &problem), OK);
    cr_assert_str_eq(csv_record(c), "\"a@b\",\"A\"");
    cr_assert_eq(csv_next(c, &problem), E_INVALID);
    cr_assert_str_eq(csv_record(c), "only");
    cr_assert_eq(csv_fields_count(c), 1);
    cr_assert_str_eq(csv_field(c, 0), "only");
    cr_assert_eq(csv_next(c, &problem), E_INVALID);
    cr_assert_str_eq(csv_record(c), "x,\"y\"z");
    cr_assert_eq(csv_fields_count(c), 0, "it could not be split");
    cr_assert_eq(csv_bytes(c), sizeof text - 1);
    csv_close(c);
    fclose(file);
}
