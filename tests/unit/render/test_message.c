#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/render/message.h"
#include "followupd/render/template.h"

#define TEXT "Hi {{first_name|there}},\n\nStill looking?\n\n{{assistant.name}}"

static json_t *values(void)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "first_name", "Ada", "assistant.name", "Rosa", "unsubscribe_link",
                     "https://x.test/u/1?a=b&c=d", "postal_address", "1 Main St <A>\n12345 Town");
}

static struct render_input input(const json_t *v)
{
    return (struct render_input){ .from_name = "Rosa Diaz",
                                  .from_address = "rosa@dealer.test",
                                  .reply_to = "r+1@reply.dealer.test",
                                  .to = "ada@lead.test",
                                  .subject = "Your visit, {{first_name}}",
                                  .text = TEXT,
                                  .values = v,
                                  .rfc_message_id = "<m-1@dealer.test>",
                                  .unsubscribe_url = "https://x.test/u/1" };
}

static struct rendered renders(const struct render_input *in)
{
    struct rendered r;
    struct err e = { "" };
    cr_assert_eq(message_render(in, &r, &e), OK, "%s", e.text);
    return r;
}

static void refuses(const struct render_input *in, enum status expected, const char *because)
{
    struct rendered r = { .subject = (char *)"untouched" };
    struct err e = { "" };
    cr_assert_eq(message_render(in, &r, &e), expected, "%s", e.text);
    cr_assert_str_eq(r.subject, "untouched");
    cr_assert_not_null(strstr(e.text, because), "'%s' does not say '%s'", e.text, because);
}

static const char *header(const struct rendered *r, const char *name)
{
    return json_string_value(json_object_get(r->headers, name));
}

Test(message, all_parts_are_rendered)
{
    json_t *v = values();
    struct render_input in = input(v);
    struct rendered r = renders(&in);
    cr_assert_str_eq(r.from, "\"Rosa Diaz\" <rosa@dealer.test>");
    cr_assert_str_eq(r.to, "ada@lead.test");
    cr_assert_str_eq(r.reply_to, "r+1@reply.dealer.test");
    cr_assert_str_eq(r.subject, "Your visit, Ada");
    cr_assert_eq(strncmp(r.text, "Hi Ada,\n\nStill looking?\n\nRosa", 29), 0);
    cr_assert_null(r.html);
    cr_assert_eq(json_object_size(r.headers), 3);
    cr_assert_str_eq(header(&r, "Message-ID"), "<m-1@dealer.test>");
    cr_assert_str_eq(header(&r, "List-Unsubscribe"), "<https://x.test/u/1>");
    cr_assert_str_eq(header(&r, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    rendered_fini(&r);
    json_decref(v);
}

Test(message, an_alert_needs_neither_reply_to_nor_unsubscribe)
{
    struct render_input in = input(NULL);
    in.reply_to = in.unsubscribe_url = in.from_name = NULL;
    in.subject = "A lead is hot";
    in.text = "Call now.";
    struct rendered r = renders(&in);
    cr_assert_str_eq(r.from, "rosa@dealer.test");
    cr_assert_null(r.reply_to);
    cr_assert_str_eq(r.text, "Call now.");
    cr_assert_eq(json_object_size(r.headers), 1);
    rendered_fini(&r);
    rendered_fini(&r);
}

Test(message, an_answer_names_its_thread)
{
    json_t *v = values();
    struct render_input in = input(v);
    in.in_reply_to = "<r@lead.test>";
    in.references = "<m-0@dealer.test>";
    struct rendered r = renders(&in);
    cr_assert_str_eq(header(&r, "In-Reply-To"), "<r@lead.test>");
    cr_assert_str_eq(header(&r, "References"), "<m-0@dealer.test> <r@lead.test>");
    rendered_fini(&r);
    in.references = "<m-0@dealer.test>\nBcc: x@y.test";
    refuses(&in, E_INVALID, "references");
    json_decref(v);
}

Test(message, a_text_without_a_way_out_gets_a_footer)
{
    json_t *v = values();
    struct render_input in = input(v);
    struct rendered r = renders(&in);
    const char *footer = "\n\n-- \nUnsubscribe: https://x.test/u/1?a=b&c=d\n1 Main St <A>\n12345 Town\n";
    cr_assert_gt(strlen(r.text), strlen(footer));
    cr_assert_str_eq(r.text + strlen(r.text) - strlen(footer), footer);
    rendered_fini(&r);

    in.text = "Out: {{unsubscribe_link}}";
    r = renders(&in);
    cr_assert_str_eq(r.text, "Out: https://x.test/u/1?a=b&c=d\n\n-- \n1 Main St <A>\n12345 Town\n");
    rendered_fini(&r);

    in.text = "Out: {{unsubscribe_link}} {{postal_address}}";
    r = renders(&in);
    cr_assert_str_eq(r.text, "Out: https://x.test/u/1?a=b&c=d 1 Main St <A>\n12345 Town");
    rendered_fini(&r);
    json_decref(v);
}

Test(message, html_gets_its_footer_inside_the_body)
{
    json_t *v = values();
    struct render_input in = input(v);
    in.html = "<html><body>Hi {{first_name}}</BODY></html>";
    struct rendered r = renders(&in);
    cr_assert_str_eq(r.html, "<html><body>Hi Ada\n<p><a href=\"https://x.test/u/1?a=b&amp;c=d\">Unsubscribe</a><br>\n"
                             "<span style=\"white-space:pre-line\">1 Main St &lt;A&gt;\n12345 Town</span>\n</p>\n"
                             "</BODY></html>");
    rendered_fini(&r);
    in.html = "<p>Hi";
    r = renders(&in);
    cr_assert_eq(strncmp(r.html, "<p>Hi\n<p><a href=", 17), 0);
    rendered_fini(&r);
    json_decref(v);
}

Test(message, a_missing_value_names_tag_and_field)
{
    json_t *v = json_object();
    struct render_input in = input(v);
    refuses(&in, E_INVALID, "merge tag first_name has no value and no fallback (subject)");
    in.subject = "Hello";
    refuses(&in, E_INVALID, "merge tag assistant.name has no value and no fallback (text)");
    in.text = "Hello";
    in.html = "a\n{{";
    refuses(&in, E_INVALID, "unclosed {{ at line 2, column 1 (html)");
    in.html = NULL;
    in.to = NULL;
    refuses(&in, E_INVALID, "to is missing");
    json_decref(v);
}

Test(message, nothing_breaks_out_of_a_header)
{
    static const char *const evil[] = { "a\nBcc: x@y.test", "a\rb", "a\x01z", "a\tb", "a\x7f" };
    for (size_t i = 0; i < sizeof evil / sizeof *evil; i++) {
        json_t *v = values();
        struct render_input in = input(v);
        json_object_set_new(v, "first_name", json_string(evil[i]));
        refuses(&in, E_INVALID, "subject holds");
        json_object_set_new(v, "first_name", json_string("Ada"));
        const char **fields[] = { &in.from_name,      &in.from_address, &in.reply_to,   &in.to,
                                  &in.rfc_message_id, &in.in_reply_to,  &in.references, &in.unsubscribe_url };
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
            const char *good = *fields[k];
            *fields[k] = evil[i];
            refuses(&in, E_INVALID, "");
            *fields[k] = good;
        }
        struct rendered r = renders(&in); /* it was only those */
        rendered_fini(&r);
        json_decref(v);
    }
    json_t *v = json_object();
    json_object_set_new(v, "first_name", json_stringn("a\0b", 3));
    struct render_input in = input(v);
    refuses(&in, E_INVALID, "NUL");
    json_decref(v);
}

Test(message, a_blank_subject_is_refused)
{
    struct render_input in = input(NULL);
    in.subject = "  ";
    refuses(&in, E_INVALID, "blank (subject)");
}

Test(message, a_body_over_its_limit_is_refused)
{
    json_t *v = values();
    struct render_input in = input(v);
    char *big = calloc(1, TEMPLATE_BYTES_MAX + 1);
    memset(big, 'x', TEMPLATE_BYTES_MAX);
    in.text = big;
    refuses(&in, E_LIMIT, "(text)");
    json_decref(v);
    free(big);
}

Test(message, the_same_input_gives_the_same_bytes)
{
    json_t *v = values();
    struct render_input in = input(v);
    in.html = "<p>{{first_name}}</p>";
    in.in_reply_to = "<r@lead.test>";
    struct rendered a = renders(&in), b = renders(&in);
    char *ja = json_dumps(a.headers, JSON_COMPACT), *jb = json_dumps(b.headers, JSON_COMPACT);
    cr_assert_str_eq(ja, jb);
    cr_assert_str_eq(a.text, b.text);
    cr_assert_str_eq(a.html, b.html);
    free(ja);
    free(jb);
    rendered_fini(&a);
    rendered_fini(&b);
    json_decref(v);
}
