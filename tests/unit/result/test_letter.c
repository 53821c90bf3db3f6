#include "followupd/result/letter.h"

#include <criterion/criterion.h>

#include "../fakes.h"

/* The subject that "{{v|none}}" becomes; NULL: the letter cannot be made. */
static char *subject(const char *fields)
{
    struct claim_row row = fake_row((struct message_ref){ 7, 21 });
    struct rendered r = { 0 };
    struct err e;
    row.subject = "{{v|none}}";
    row.body_text = "x";
    row.fields = fields;
    enum status st = letter_render(&row, NULL, &r, &e);
    cr_assert(st == OK || st == E_INVALID);
    char *text = st == OK ? strdup(r.subject) : NULL;
    rendered_fini(&r);
    return text;
}

Test(letter, fields_are_read_however_the_object_is_written)
{
    static const struct {
        const char *fields, *subject;
    } cases[] = {
        { "{\"v\": \"a\", \"w\": \"b\"}", "a" },
        { "{\"w\":\"b\",\"v\":\"a\"}", "a" },
        { "  { \"v\" : \"a\" }  ", "a" },
        { "{}", "none" },
        { "{\"w\": \"b\"}", "none" },
        { "{\"v\": \"\"}", "none" },
        { "{\"v\": \"say \\\"a\\\"\"}", "say \"a\"" },
        { "{\"w\": \"\\\\\", \"v\": \"a\"}", "a" },
        { "{\"v\": \"Gr\xc3\xbc\xc3\x9f\"}", "Gr\xc3\xbc\xc3\x9f" },
        { "{\"v\": \"Gr\\u00fc\\u00df\"}", "Gr\xc3\xbc\xc3\x9f" },
        { "{\"\\u0076\": \"a\"}", "a" },
        { "{\"v\": 7, \"w\": {\"v\": \"b\"}}", "7" },
        { "{\"v\": null, \"w\": [\"v\"]}", "none" },
        { "{\n\t\"v\": \"a\"\n}", "a" },
        /* not an object, or one nobody may read in two ways */
        { "{\"v\": \"a\", \"v\": \"b\"}", NULL },
        { "{\"v\": \"a\"", NULL },
        { "{\"v\": \"a\"} x", NULL },
        { "{\"v\": \"a\",}", NULL },
        { "{\"v\" \"a\"}", NULL },
        { "{\"v\": \"a}", NULL },
        { "{\"v\": \"a\nb\"}", NULL },
        { "{\"v\": \"caf\xe9\"}", NULL },
        { "{\"caf\xe9\": \"a\"}", NULL },
        { "[\"v\"]", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *got = subject(cases[i].fields);
        if (cases[i].subject == NULL)
            cr_assert_null(got, "%s: %s", cases[i].fields, got);
        else
            cr_assert_str_eq(got, cases[i].subject, "%s", cases[i].fields);
        free(got);
    }
}

Test(letter, a_tag_of_every_message_comes_before_a_field_of_its_name)
{
    struct claim_row row = fake_row((struct message_ref){ 7, 21 });
    struct rendered r;
    struct err e;
    row.subject = "{{first_name}} {{rep.phone|none}} {{company}} {{v}}";
    row.body_text = "x";
    row.fields = "{\"first_name\": \"field\", \"company\": \"Quarry\", \"v\": \"w\"}";
    row.tags[0] = "Ada \"A\"";
    cr_assert_str_eq(claim_tags[0], "first_name");
    cr_assert_eq(letter_render(&row, NULL, &r, &e), OK);
    cr_assert_str_eq(r.subject, "Ada \"A\" none Quarry w");
    rendered_fini(&r);
    row.tags[0] = "caf\xe9";
    cr_assert_eq(letter_render(&row, NULL, &r, &e), E_INVALID);
    cr_assert_str_eq(e.text, "the value of merge tag first_name is not valid UTF-8");
}
