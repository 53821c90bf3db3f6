#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/render/template.h"

static json_t *values(void)
{
    return json_pack("{s:s, s:s, s:s, s:n, s:s, s:i, s:b, s:f, s:s, s:{s:s}}", "first_name", "Ada", "assistant.name",
                     "Rosa <R&D> \"x\" 'y'", "empty", "", "null", "blank", " \t\n", "visits", 42, "vip", 1, "score",
                     1.5, "unsubscribe_link", "https://x.test/u?a=1&b=2", "object", "name", "inner");
}

static void renders_as(const char *text, enum template_mode mode, const char *expected)
{
    json_t *v = values();
    char *got = NULL;
    struct err e = { "" };
    enum status st = template_render(text, mode, v, &got, &e);
    cr_assert_eq(st, OK, "%s: %s", text, e.text);
    cr_assert_str_eq(got, expected);
    free(got);
    json_decref(v);
}

static void refuses(const char *text, enum status expected, const char *because)
{
    json_t *v = values();
    char *got = (char *)"untouched";
    struct err e = { "" };
    cr_assert_eq(template_render(text, TEMPLATE_TEXT, v, &got, &e), expected, "%s", text);
    cr_assert_str_eq(got, "untouched");
    cr_assert_not_null(strstr(e.text, because), "%s: '%s' does not say '%s'", text, e.text, because);
    json_decref(v);
}

Test(template, tags_become_values_and_the_rest_stays)
{
    renders_as("", TEMPLATE_TEXT, "");
    renders_as("no tags } }} {", TEMPLATE_TEXT, "no tags } }} {");
    renders_as("Hi {{first_name}},", TEMPLATE_TEXT, "Hi Ada,");
    renders_as("{{first_name}}{{first_name}}", TEMPLATE_TEXT, "AdaAda");
    renders_as("{{  first_name\t}}", TEMPLATE_TEXT, "Ada");
    renders_as("{{visits}} {{vip}} {{score}}", TEMPLATE_TEXT, "42 true 1.5");
    renders_as("Grüße {{first_name}} 日本", TEMPLATE_TEXT, "Grüße Ada 日本");
}

Test(template, fallback_is_used_when_there_is_no_value)
{
    renders_as("Hi {{nobody|there}},", TEMPLATE_TEXT, "Hi there,");
    renders_as("Hi {{ empty | dear friend }},", TEMPLATE_TEXT, "Hi dear friend,");
    renders_as("{{null|a}}{{blank|b}}", TEMPLATE_TEXT, "ab");
    renders_as("Hi {{first_name|there}},", TEMPLATE_TEXT, "Hi Ada,");
    renders_as("{{x|a|b}}", TEMPLATE_TEXT, "a|b");
}

Test(template, html_escapes_values_and_text_does_not)
{
    renders_as("<b>{{assistant.name}}</b>", TEMPLATE_HTML, "<b>Rosa &lt;R&amp;D&gt; &quot;x&quot; &#39;y&#39;</b>");
    renders_as("<b>{{assistant.name}}</b>", TEMPLATE_TEXT, "<b>Rosa <R&D> \"x\" 'y'</b>");
    renders_as("<a href=\"{{unsubscribe_link}}\">", TEMPLATE_HTML, "<a href=\"https://x.test/u?a=1&amp;b=2\">");
    renders_as("{{nobody|<i>you</i>}}", TEMPLATE_HTML, "<i>you</i>");
}

Test(template, values_are_not_templates_themselves)
{
    json_t *v = json_pack("{s:s}", "a", "{{b}}");
    char *got;
    cr_assert_eq(template_render("{{a}}", TEMPLATE_TEXT, v, &got, NULL), OK);
    cr_assert_str_eq(got, "{{b}}");
    free(got);
    json_decref(v);
}

Test(template, a_tag_without_value_and_fallback_names_itself)
{
    refuses("Hi {{last_name}},", E_INVALID, "merge tag last_name has no value and no fallback");
    refuses("Hi {{empty}},", E_INVALID, "merge tag empty has no value");
    refuses("Hi {{null}},", E_INVALID, "merge tag null has no value");
    refuses("Hi {{blank}},", E_INVALID, "merge tag blank has no value");
    refuses("Hi {{object}},", E_INVALID, "merge tag object is a list or an object");
    char *got;
    struct err e;
    cr_assert_eq(template_render("{{first_name}}", TEMPLATE_TEXT, NULL, &got, &e), E_INVALID);
}

Test(template, wrong_syntax_names_its_position)
{
    refuses("Hi {{first_name", E_INVALID, "unclosed {{ at line 1, column 4");
    refuses("a\nbc {{first_name}\n}", E_INVALID, "unclosed {{ at line 2, column 4");
    refuses("{{ a {{first_name}}", E_INVALID, "unclosed {{ at line 1, column 1");
    refuses("ok {{first_name}}\n\n {{}}", E_INVALID, "line 3, column 2");
    refuses("{{first name}}", E_INVALID, "not the name of a merge tag at line 1, column 1");
    refuses("{{1st}}", E_INVALID, "not the name");
    refuses("{{{first_name}}}", E_INVALID, "not the name of a merge tag at line 1, column 1");
    refuses("{{#if x}}", E_INVALID, "not the name");
    refuses("{{first_name|}}", E_INVALID, "empty fallback");
    refuses("{{|x}}", E_INVALID, "not the name");
    refuses("{{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}", E_INVALID, "not the name");
}

Test(template, output_is_bounded)
{
    json_t *v = json_object();
    char *big = malloc(600001), *got;
    memset(big, 'x', 600000);
    big[600000] = '\0';
    json_object_set_new(v, "big", json_string(big));
    struct err e;
    cr_assert_eq(template_render("{{big}}", TEMPLATE_TEXT, v, &got, &e), OK);
    free(got);
    cr_assert_eq(template_render("{{big}}{{big}}", TEMPLATE_TEXT, v, &got, &e), E_LIMIT);
    cr_assert_not_null(strstr(e.text, "1048576"));
    json_decref(v);
    free(big);
    big = calloc(1, TEMPLATE_BYTES_MAX + 2);
    memset(big, 'x', TEMPLATE_BYTES_MAX + 1);
    cr_assert_eq(template_check(big, NULL, NULL, &e), E_LIMIT);
    free(big);
}

Test(template, a_nul_in_a_value_is_refused)
{
    json_t *v = json_object();
    char *got;
    struct err e;
    json_object_set_new(v, "a", json_stringn("x\0y", 3));
    cr_assert_eq(template_render("{{a}}", TEMPLATE_TEXT, v, &got, &e), E_INVALID);
    cr_assert_not_null(strstr(e.text, "NUL"));
    json_decref(v);
}

static void note(void *context, const char *name, const char *fallback)
{
    char *all = context;
    snprintf(all + strlen(all), 200 - strlen(all), "%s=%s;", name, fallback != NULL ? fallback : "-");
}

Test(template, check_lists_the_tags_in_order)
{
    char all[200] = "";
    struct err e;
    cr_assert_eq(template_check("{{a}} {{ b.c | d }} {{a}}", note, all, &e), OK);
    cr_assert_str_eq(all, "a=-;b.c=d;a=-;");
    cr_assert_eq(template_check("{{a}} {{", note, all, &e), E_INVALID);
    cr_assert(template_uses("x {{ a|b }}", "a"));
    cr_assert_not(template_uses("x {{ a|b }}", "b"));
    cr_assert_not(template_uses("x {{ a", "a"));
}

/* Any bytes: either a text or an error with words in it. */
Test(template, random_text_is_rendered_or_refused_but_never_read_past_its_end)
{
    static const char alphabet[] = "{}|ab. \n{}";
    unsigned state = 12345;
    json_t *v = json_pack("{s:s}", "a", "A");
    for (int i = 0; i < 20000; i++) {
        char *text = calloc(1, 24), *got = NULL;
        for (int k = 0; k < 23; k++) {
            state = state * 1103515245 + 12345;
            text[k] = alphabet[(state >> 16) % (sizeof alphabet - 1)];
        }
        struct err e = { "" };
        enum status st = template_render(text, TEMPLATE_HTML, v, &got, &e);
        cr_assert((st == OK && got != NULL) || (st == E_INVALID && got == NULL && e.text[0] != '\0'), "%s", text);
        free(got);
        free(text);
    }
    json_decref(v);
}
