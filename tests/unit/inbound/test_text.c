#include "followupd/inbound/text.h"

#include <criterion/criterion.h>
#include <string.h>

#include "followupd/base/utf8.h"

static struct buf out;

static const char *convert(enum text_shape shape, const char *charset, const char *bytes, size_t count)
{
    buf_fini(&out);
    buf_init(&out, 1000);
    bool cut = false;
    cr_assert_eq(text_add(&out, shape, charset, bytes, count, &cut), OK);
    cr_assert_not(cut);
    return out.data != NULL ? out.data : "";
}

static const char *body(const char *charset, const char *bytes)
{
    return convert(TEXT_BODY, charset, bytes, strlen(bytes));
}

static void finish(void)
{
    buf_fini(&out);
}

TestSuite(text, .fini = finish);

Test(text, charsets_become_utf8)
{
    cr_expect_str_eq(body("utf-8", "Grüße, 你好"), "Grüße, 你好");
    cr_expect_str_eq(body("ISO-8859-1", "Gr\xfc\xdf"
                                        "e \x80 \x93x\x94"),
                     "Grüße € “x”");
    cr_expect_str_eq(body("iso-8859-2", "Dzi\xea"
                                        "kuj\xea"),
                     "Dziękuję");
    cr_expect_str_eq(body("windows-1251", "\xd1\xef\xe0\xf1\xe8\xe1\xee"), "Спасибо");
    cr_expect_str_eq(body("koi8-r", "\xf3\xd0\xc1\xd3\xc9\xc2\xcf"), "Спасибо");
    cr_expect_str_eq(body("iso-2022-jp", "\x1b$B$\"$j$,$H$&\x1b(B!"), "ありがとう!");
    cr_expect_str_eq(body("Shift_JIS", "\x82\xa0\x82\xe8\x82\xaa\x82\xc6\x82\xa4"), "ありがとう");
    cr_expect_str_eq(body("gb2312", "\xd0\xbb\xd0\xbb"), "谢谢");
    cr_expect_str_eq(body("big5", "\xc1\xc2\xc1\xc2"), "謝謝");
    cr_expect_str_eq(body("ks_c_5601-1987", "\xb0\xa8\xbb\xe7"), "감사");
    cr_expect_str_eq(body("iso-8859-9", "te\xfe"
                                        "ekk\xfcrler"),
                     "teşekkürler");
    cr_expect_str_eq(body("iso-8859-8-i", "\xfa\xe5\xe3\xe4"), "תודה");
    cr_expect_str_eq(convert(TEXT_BODY, "utf-16le", "J\0a\0\xac\x20", 6), "Ja€");
}

Test(text, a_charset_that_nobody_knows_is_guessed)
{
    static const char *const unknown[] = { NULL, "", "us-ascii", "x-unknown", "unknown-8bit", "utf-8//IGNORE", "a b" };
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        cr_expect_str_eq(body(unknown[i], "Grüße"), "Grüße");
        cr_expect_str_eq(body(unknown[i], "Gr\xfc\xdf"
                                          "e"),
                         "Grüße");
    }
}

Test(text, bytes_that_are_no_character_are_marked)
{
    cr_expect_str_eq(body("utf-8", "a\xff"
                                   "b\xc3"),
                     "a\xef\xbf\xbd"
                     "b\xef\xbf\xbd");
    cr_expect_str_eq(body("utf-8", "\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "a surrogate");
    cr_expect_str_eq(body("euc-jp", "a\xff"
                                    "b\xa4"),
                     "a\xef\xbf\xbd"
                     "b\xef\xbf\xbd");
    cr_expect_str_eq(body("windows-1252", "\x81x"), "\xef\xbf\xbdx");
}

Test(text, control_characters_go_and_line_ends_are_one)
{
    static const char bytes[] = "\xef\xbb\xbf"
                                "a\r\nb\rc\n\rd\0e\te\x1b[1m\x7f\xc2\x85";
    cr_expect_str_eq(convert(TEXT_BODY, "utf-8", bytes, sizeof bytes - 1), "a\nb\nc\n\nde\te[1m");
    cr_expect_str_eq(convert(TEXT_LINE, NULL, " \t a\r\nb\tc \r\n", 12), "a b c");
    cr_expect_str_eq(convert(TEXT_LINE, NULL, "\r\n \0", 4), "");
}

Test(text, a_full_buffer_ends_with_a_whole_character)
{
    static const char *const charsets[] = { "utf-8", "koi8-r" };
    static const char bytes[] = "\xd0\xb0\xd0\xb0\xd0\xb0";
    for (size_t i = 0; i < 2; i++) {
        bool cut = false;
        struct buf b;
        buf_init(&b, 5);
        cr_expect_eq(text_add(&b, TEXT_BODY, charsets[i], bytes, sizeof bytes - 1, &cut), OK);
        cr_expect(cut);
        cr_expect(utf8_valid(b.data, b.used));
        cr_expect_geq(b.used, 3);
        buf_fini(&b);
    }
    cr_expect_eq(utf8_cut("aä", 3, 2), 1);
    cr_expect_eq(utf8_cut("aä", 3, 3), 3);
    cr_expect_eq(utf8_cut("ä", 2, 0), 0);
}

Test(text, more_than_a_chunk_is_converted_whole)
{
    static char many[20001];
    memset(many, '\xe4', sizeof many - 1);
    struct buf b;
    buf_init(&b, 1 << 20);
    cr_expect_eq(text_add(&b, TEXT_BODY, "iso-8859-1", many, sizeof many - 1, NULL), OK);
    cr_expect_eq(b.used, 2 * (sizeof many - 1));
    buf_fini(&b);
}
