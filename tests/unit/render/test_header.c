#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/render/header.h"

static enum status check(const char *text)
{
    struct err e = { "" };
    enum status st = header_check("name", text, &e);
    cr_assert(st == OK || strncmp(e.text, "name ", 5) == 0, "%s", e.text);
    return st;
}

Test(header, control_characters_never_pass)
{
    cr_assert_eq(check("Ada"), OK);
    cr_assert_eq(check(""), OK);
    for (int c = 1; c < 256; c++) {
        char text[] = { 'a', (char)c, 'b', '\0' };
        cr_assert_eq(check(text), c >= ' ' && c < 0x7f ? OK : E_INVALID, "byte %d", c);
    }
    cr_assert_eq(check("a\r\nBcc: x@y.test"), E_INVALID);
    cr_assert_eq(check("a\xc2\x85z"), E_INVALID, "NEL");
    cr_assert_eq(check("Zoë 日本 \xc2\xa0"), OK);
    cr_assert_eq(check("\xc3"), E_INVALID, "cut UTF-8");
    cr_assert_eq(check("\xc2"), E_INVALID, "cut UTF-8 that could begin a C1");
    cr_assert_eq(check("\xc0\x8d"), E_INVALID, "overlong CR");
}

Test(header, over_long_text_is_refused)
{
    char text[HEADER_BYTES_MAX + 2];
    memset(text, 'x', sizeof text);
    text[HEADER_BYTES_MAX] = '\0';
    cr_assert_eq(check(text), OK);
    text[HEADER_BYTES_MAX] = 'x';
    text[HEADER_BYTES_MAX + 1] = '\0';
    cr_assert_eq(check(text), E_INVALID);
}

static enum status address(const char *text)
{
    struct err e = { "" };
    enum status st = header_address_check("to", text, &e);
    cr_assert(st == OK || strncmp(e.text, "to ", 3) == 0, "%s", e.text);
    return st;
}

Test(header, exactly_one_mailbox_is_an_address)
{
    const char *good[] = { "a@b.co", "ada.lovelace+x@mail.example.com", "o'brien@x-y.test", "_a=b@1.test", "A@B.C" };
    const char *bad[] = { "",
                          "a",
                          "@b.test",
                          "a@",
                          "a@b",
                          "a@@b.test",
                          "a@b.test,",
                          "a b@c.test",
                          " a@b.test",
                          "a@b.test ",
                          "a@b.test\n",
                          "a@b.test\r\nBcc: c@d.test",
                          "<a@b.test>",
                          "A <a@b.test>",
                          ".a@b.test",
                          "a.@b.test",
                          "a..b@c.test",
                          "a@.test",
                          "a@b..test",
                          "a@b.test.",
                          "a@-b.test",
                          "a@b-.test",
                          "a@b_c.test",
                          "a@[127.0.0.1]",
                          "\"a\"@b.test",
                          "a@b.test;c@d.test",
                          "(x)a@b.test",
                          "zoë@b.test",
                          "a@zoë.test",
                          "a@b@c.test" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert_eq(address(good[i]), OK, "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(address(bad[i]), E_INVALID, "%s", bad[i]);
}

Test(header, address_lengths_are_those_of_rfc_5321)
{
    char text[400], local[66], label[64];
    memset(local, 'l', sizeof local);
    memset(label, 'd', sizeof label);
    snprintf(text, sizeof text, "%.64s@b.test", local);
    cr_assert_eq(address(text), OK);
    snprintf(text, sizeof text, "%.65s@b.test", local);
    cr_assert_eq(address(text), E_INVALID);
    snprintf(text, sizeof text, "a@%.63s.%.63s.%.63s.%.63s", label, label, label, label); /* 255 */
    cr_assert_eq(address(text), OK);
    snprintf(text, sizeof text, "a@%.63s.%.63s.%.63s.%.61s.d", label, label, label, label); /* 255 */
    cr_assert_eq(address(text), OK);
    snprintf(text, sizeof text, "a@%.63s.%.63s.%.63s.%.62s.d", label, label, label, label); /* 256 */
    cr_assert_eq(address(text), E_INVALID);
    snprintf(text, sizeof text, "a@%.64s.test", label);
    cr_assert_eq(address(text), E_INVALID);
}

static void mailbox_is(const char *name, const char *expected)
{
    char *got = NULL;
    struct err e = { "" };
    cr_assert_eq(header_mailbox("from", name, "a@b.test", &got, &e), OK, "%s", e.text);
    cr_assert_str_eq(got, expected);
    free(got);
}

Test(header, names_are_quoted)
{
    mailbox_is(NULL, "a@b.test");
    mailbox_is("", "a@b.test");
    mailbox_is("Rosa Parks", "\"Rosa Parks\" <a@b.test>");
    mailbox_is("R. \"X\" \\ <x@y.test>, Zoë", "\"R. \\\"X\\\" \\\\ <x@y.test>, Zoë\" <a@b.test>");
    char *got = (char *)"untouched";
    struct err e;
    cr_assert_eq(header_mailbox("from", "a\nb", "a@b.test", &got, &e), E_INVALID);
    cr_assert_eq(header_mailbox("from", "a", "a@b.test\r", &got, &e), E_INVALID);
    char name[HEADER_BYTES_MAX + 1];
    memset(name, '"', sizeof name);
    name[HEADER_BYTES_MAX] = '\0';
    cr_assert_eq(header_mailbox("from", name, "a@b.test", &got, &e), E_INVALID);
    cr_assert_str_eq(got, "untouched");
}

Test(header, message_ids_have_two_sides)
{
    const char *bad[] = { "",       "a@b",         "<a@b",    "a@b>",    "<ab>",    "<@b>", "<a@>",   "<a@b@c>",
                          "<a @b>", "<a@b> <c@d>", "<<a@b>>", "<a@b>\n", "<a@b\r>", "<>",   "<zoë@b>" };
    struct err e;
    cr_assert_eq(header_message_id_check("id", "<a@b>", &e), OK);
    cr_assert_eq(header_message_id_check("id", "<1.2$x=y/z@mail.example.com>", &e), OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(header_message_id_check("id", bad[i], &e), E_INVALID, "%s", bad[i]);
}

static void references_are(const char *references, const char *in_reply_to, const char *expected)
{
    char *got = (char *)"unset";
    struct err e = { "" };
    cr_assert_eq(header_references(references, in_reply_to, &got, &e), OK, "%s", e.text);
    if (expected == NULL)
        cr_assert_null(got);
    else
        cr_assert_str_eq(got, expected);
    free(got);
}

Test(header, references_end_with_what_is_answered_once)
{
    references_are(NULL, NULL, NULL);
    references_are(" ", NULL, NULL);
    references_are(NULL, "<a@b>", "<a@b>");
    references_are("<a@b>", NULL, "<a@b>");
    references_are("<a@b>", "<a@b>", "<a@b>");
    references_are(" <a@b>\t<c@d> ", "<e@f>", "<a@b> <c@d> <e@f>");
    references_are("<a@b> <c@d> <e@f>", "<c@d>", "<a@b> <e@f> <c@d>");
    char *got;
    struct err e;
    cr_assert_eq(header_references("<a@b> x", NULL, &got, &e), E_INVALID);
    cr_assert_eq(header_references("<a@b>\r\n\t<c@d>", NULL, &got, &e), E_INVALID);
    cr_assert_eq(header_references(NULL, "<a@b", &got, &e), E_INVALID);
}

Test(header, long_threads_keep_their_first_and_newest_ids)
{
    char all[8192] = "", *got;
    for (int i = 0; i < 200; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "<id-%03d@mail.example.com> ", i);
    struct err e = { "" };
    cr_assert_eq(header_references(all, "<last@b>", &got, &e), OK, "%s", e.text);
    cr_assert_leq(strlen(got), HEADER_BYTES_MAX);
    cr_assert_gt(strlen(got), HEADER_BYTES_MAX - 60);
    cr_assert_eq(strncmp(got, "<id-000@mail.example.com> <id-1", 31), 0);
    cr_assert_not_null(strstr(got, "<id-198@mail.example.com> <id-199@mail.example.com> <last@b>"));
    free(got);
    char *huge = calloc(1, REFERENCES_BYTES_MAX + 2);
    memset(huge, ' ', REFERENCES_BYTES_MAX + 1);
    cr_assert_eq(header_references(huge, NULL, &got, &e), E_INVALID);
    free(huge);
}

Test(header, only_http_urls_stand_in_headers)
{
    struct err e;
    cr_assert_eq(header_url_check("url", "https://x.test/u/abc?d=1", &e), OK);
    cr_assert_eq(header_url_check("url", "http://127.0.0.1:8025/u/x", &e), OK);
    cr_assert_eq(header_url_check("url", "HTTPS://x.test/u/abc", &e), OK); /* as followupd.conf takes it */
    const char *bad[] = {
        "", "x", "https://", "ftp://x", "javascript:alert(1)", "https://x/ y", "https://x/>", "https://x/\n"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(header_url_check("url", bad[i], &e), E_INVALID, "%s", bad[i]);
}
