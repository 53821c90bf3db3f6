#include "followupd/inbound/html.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf out;

static const char *text_of(const char *html)
{
    buf_fini(&out);
    buf_init(&out, 10000);
    cr_assert_eq(html_text(html, strlen(html), &out, NULL), OK);
    return out.data != NULL ? out.data : "";
}

static void finish(void)
{
    buf_fini(&out);
}

TestSuite(html, .fini = finish);

Test(html, blocks_are_lines_and_blanks_are_one)
{
    cr_expect_str_eq(text_of("<p>One\n two</p><p>three<br>four<br/><BR />five</p><div>six</div>seven"),
                     "One two\n\nthree\nfour\n\nfive\n\nsix\nseven");
    cr_expect_str_eq(text_of("  a <b> b </b> c  "), "a b c");
    cr_expect_str_eq(text_of("<ul><li>a<li>b</ul>c"), "* a\n* b\nc");
    cr_expect_str_eq(text_of("<table><tr><th>a</th><th>b</th></tr><tr><td>1<td>2</table>"), "a\tb\n1\t2");
    cr_expect_str_eq(text_of("<pre>a\n  b\n\nc</pre>"), "a\nb\n\nc");
    cr_expect_str_eq(text_of(""), "");
}

Test(html, what_is_not_read_is_left_out)
{
    cr_expect_str_eq(
        text_of("<html><head><title>t</title><style>p > a { color: red }</style>\n"
                "<script>if (a < b && c) document.write('<p>x</p>')</SCRIPT ></head><body>"
                "<!-- a comment > <p>no</p> --><!DOCTYPE x><![if !vml]><?xml x?></ >yes<a href='x>y'>link</a>"),
        "yeslink");
    cr_expect_str_eq(text_of("yes<style>never ends"), "yes");
    cr_expect_str_eq(text_of("yes<!-- never ends"), "yes");
    cr_expect_str_eq(text_of("yes<a href=\"never ends"), "yes");
}

Test(html, references_become_characters)
{
    cr_expect_str_eq(text_of("Gr&uuml;&szlig;e&nbsp;&amp;&lt;b&gt;&quot;&apos; &ndash; &euro; &#8364;&#x20AC;&#128;"),
                     "Grüße &<b>\"' – € €€€");
    cr_expect_str_eq(text_of("AT&T &unknown; &; &#; &#x; &#xzz; & &amp"), "AT&T &unknown; &; &#; &#x; &#xzz; & &amp");
    cr_expect_str_eq(text_of("&#0;&#xd800;&#x110000;&#99999999999;&#1;"),
                     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&#99999999999;\xef\xbf\xbd");
}

Test(html, what_is_no_tag_stays)
{
    cr_expect_str_eq(text_of("3 < 4 and 5 > 4 <3 <"), "3 < 4 and 5 > 4 <3 <");
}

Test(html, a_quotation_is_marked_on_every_line)
{
    cr_expect_str_eq(
        text_of("Yes<br>On Thu Ada wrote:<blockquote>Hi<br>there<blockquote><p>old</p></blockquote></blockquote>"
                "end</blockquote></blockquote>x"),
        "Yes\nOn Thu Ada wrote:\n\n> Hi\n> there\n\n> > old\n\nend\n\nx");
}

Test(html, a_full_buffer_cuts_at_a_character)
{
    struct buf b;
    bool cut = false;
    buf_init(&b, 6);
    cr_expect_eq(html_text("<p>abcdä</p>efg", 16, &b, &cut), OK);
    cr_expect(!cut || b.used <= 6);
    buf_fini(&b);
    buf_init(&b, 5);
    cut = false;
    cr_expect_eq(html_text("<p>abcdä</p>", 12, &b, &cut), OK);
    cr_expect(cut);
    cr_expect_str_eq(b.data, "abcd");
    buf_fini(&b);
}
