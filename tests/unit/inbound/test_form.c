#include "followupd/inbound/form.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"

#define URLENCODED "application/x-www-form-urlencoded"
#define MULTIPART  "multipart/form-data; boundary=\"a b\""

static bool value_is(const struct form *f, const char *name, const char *value)
{
    const struct form_field *field = form_find(f, name);
    return field != NULL && field->bytes == strlen(value) && memcmp(field->value, value, field->bytes) == 0;
}

static struct form parse(const char *type, const char *body)
{
    struct form f;
    struct err e = { "" };
    cr_assert_eq(form_parse(type, body, strlen(body), &f, &e), OK, "%s", e.text);
    return f;
}

/* The body in memory of just its size, so that reading past it is seen. */
static enum status refuse_bytes(const char *type, const void *body, size_t bytes, const char *why)
{
    struct form f = { 0 };
    struct err e = { "" };
    char *copy = malloc(bytes > 0 ? bytes : 1);
    if (bytes > 0)
        memcpy(copy, body, bytes);
    enum status st = form_parse(type, copy, bytes, &f, &e);
    free(copy);
    cr_expect_neq(st, OK, "should say: %s", why);
    cr_expect_null(f.fields);
    cr_expect_str_eq(e.text, why);
    return st;
}

static enum status refuse(const char *type, const char *body, const char *why)
{
    return refuse_bytes(type, body, strlen(body), why);
}

Test(form, urlencoded_fields_are_decoded)
{
    struct form f = parse(URLENCODED "; charset=utf-8", "a=1+2%2b3&b=&c&&d%20e=%c3%A4%00x&a=second");
    cr_expect_eq(f.count, 5);
    cr_expect(value_is(&f, "a", "1 2+3"));
    cr_expect(value_is(&f, "b", ""));
    cr_expect(value_is(&f, "c", ""));
    const struct form_field *d = form_find(&f, "d e");
    cr_assert_not_null(d);
    cr_expect_eq(d->bytes, 4);
    cr_expect_eq(memcmp(d->value, "\xc3\xa4\0x", 4), 0);
    cr_expect_null(form_find(&f, "e"));
    form_fini(&f);
    f = parse(URLENCODED, "");
    cr_expect_eq(f.count, 0);
    form_fini(&f);
}

Test(form, multipart_values_are_the_bytes_between_the_delimiters)
{
    struct form f =
        parse(MULTIPART, "a preamble\r\n--a b\r\nContent-Disposition: form-data; name=\"one\"\r\n\r\n"
                         "line\r\n\r\n--a\r\n--a bc\r\n--a b--x\r\n--a b \t\r\n"
                         "content-disposition: form-data; filename=\"x \\\"y\\\".eml\"; name=two\r\n"
                         "Content-Type: message/rfc822\r\n\r\n\r\n--a b\r\n"
                         "Content-Disposition: form-data; name=\"three\"\r\n\r\n\r\n--a b--\r\nan epilogue");
    cr_assert_eq(f.count, 3);
    cr_expect(value_is(&f, "one", "line\r\n\r\n--a\r\n--a bc\r\n--a b--x"));
    cr_expect(value_is(&f, "three", ""));
    cr_expect_null(form_find(&f, "two"), "a file is no field");
    cr_expect(f.fields[1].is_file);
    cr_expect_str_eq(f.fields[1].name, "two");
    cr_expect_str_eq(f.fields[1].content_type, "message/rfc822");
    form_fini(&f);
}

Test(form, a_body_without_its_last_line_break_is_whole)
{
    struct form f = parse(MULTIPART, "--a b\r\nContent-Disposition: form-data; name=\"one\"\r\n\r\nv\r\n--a b--");
    cr_expect(value_is(&f, "one", "v"));
    form_fini(&f);
}

Test(form, bad_input_is_refused_with_the_place)
{
    refuse(NULL, "a=1", "form: no content type");
    refuse("text/plain", "a=1", "form: the content type is neither urlencoded nor form-data");
    refuse(URLENCODED, "a=1&b=%4", "form: field 2: % without two hex digits");
    refuse(URLENCODED, "a=%", "form: field 1: % without two hex digits");
    refuse(URLENCODED, "%zz=1", "form: the name of field 1: % without two hex digits");
    refuse(URLENCODED, "x=&a%00b=1", "form: the name of field 2 holds a NUL");
    refuse("multipart/form-data", "--a b\r\n", "form: no boundary of 1 to 70 bytes");
    refuse("multipart/form-data; boundary=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "",
           "form: no boundary of 1 to 70 bytes");
    refuse(MULTIPART, "", "form: its boundary is not in the body");
    refuse(MULTIPART, "--a", "form: its boundary is not in the body");
    refuse(MULTIPART, "--other\r\nContent-Disposition: form-data; name=\"one\"\r\n\r\nv\r\n--other--\r\n",
           "form: its boundary is not in the body");
    refuse(MULTIPART, "--a b\r\n", "form: the body ends inside field 1");
    refuse(MULTIPART, "--a b\r\nContent-Disposition: form-data; name=\"one\"\r\n\r\nv\r\n--a b\r\nContent-Disp",
           "form: the body ends inside field 2");
    refuse(MULTIPART, "--a b\r\n--a b--\r\n", "form: field 1 is empty");
    refuse(MULTIPART, "--a b\r\nContent-Disposition: form-data; name=\"one\"\r\n--a b--\r\n",
           "form: the headers of field 1 do not end within 8192 bytes");
    refuse(MULTIPART, "--a b\r\nContent-Type: text/plain\r\n\r\nv\r\n--a b--\r\n", "form: field 1 has no name");
    refuse(MULTIPART, "--a b\r\nContent-Disposition: form-data; filename=\"x\"\r\n\r\nv\r\n--a b--\r\n",
           "form: field 1 has no name");
}

Test(form, every_bound_is_held)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < FORM_FIELDS_MAX; i++)
        cr_assert_eq(buf_text(&b, "a=1&"), OK);
    struct form f = parse(URLENCODED, b.data);
    cr_expect_eq(f.count, FORM_FIELDS_MAX);
    form_fini(&f);
    cr_assert_eq(buf_text(&b, "a=1"), OK);
    cr_expect_eq(refuse(URLENCODED, b.data, "form: more than 500 fields"), E_LIMIT);
    buf_clear(&b);
    for (int i = 0; i <= FORM_NAME_BYTES_MAX; i++)
        cr_assert_eq(buf_text(&b, "n"), OK);
    cr_expect_eq(refuse(URLENCODED, b.data, "form: the name of field 1 is longer than 200 bytes"), E_LIMIT);
    buf_clear(&b);
    cr_assert_eq(buf_text(&b, "--a b\r\nContent-Disposition: form-data; name=\"one\"\r\nX: "), OK);
    for (int i = 0; i < FORM_PART_HEADER_BYTES_MAX; i++)
        cr_assert_eq(buf_text(&b, "x"), OK);
    cr_assert_eq(buf_text(&b, "\r\n\r\nv\r\n--a b--\r\n"), OK);
    refuse(MULTIPART, b.data, "form: the headers of field 1 do not end within 8192 bytes");
    buf_fini(&b);
}

/* Whatever is cut off, what is left is refused and not read past. */
Test(form, every_shorter_body_is_refused)
{
    static const char whole[] = "--a b\r\nContent-Disposition: form-data; name=\"one\"\r\n\r\nv\r\n--a b\r\n"
                                "Content-Disposition: form-data; name=\"two\"\r\n\r\nw\r\n--a b--";
    struct form f = { 0 };
    struct err e;
    for (size_t bytes = 0; bytes < sizeof whole - 1; bytes++) {
        char *copy = malloc(bytes + 1);
        memcpy(copy, whole, bytes);
        copy[bytes] = '-'; /* would make the last delimiter whole if it were read */
        char *exact = realloc(copy, bytes > 0 ? bytes : 1);
        cr_expect_eq(form_parse(MULTIPART, exact, bytes, &f, &e), E_INVALID, "%zu bytes", bytes);
        free(exact);
    }
}
