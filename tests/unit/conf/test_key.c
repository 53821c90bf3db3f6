#include "followupd/conf/key.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/conf/file.h"

static char *example(void)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    conf_print_example(out);
    fclose(out);
    return text;
}

static char *file_text(const char *name)
{
    const char *source = getenv("FOLLOWUPD_SOURCE");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", source != NULL ? source : ".", name);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s (run from the source folder, or set FOLLOWUPD_SOURCE)", path);
    char *text = calloc(1, 100000);
    cr_assert_lt(fread(text, 1, 99999, file), 99999);
    fclose(file);
    return text;
}

Test(key, every_row_is_whole_and_its_default_is_in_range)
{
    struct err e = { "" };
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        union conf_value value;
        cr_assert(key->sentence != NULL && key->sentence[strlen(key->sentence) - 1] == '.', "%s", key->name);
        cr_assert(key->fallback != NULL || key->example != NULL, "%s has nothing to show", key->name);
        cr_assert_eq(conf_key_find(key->section, key->name), key, "%s is there twice", key->name);
        if (key->kind == CONF_DURATION || key->kind == CONF_COUNT || key->kind == CONF_RATE) {
            cr_assert(key->min != NULL && key->max != NULL, "%s has no range", key->name);
            cr_assert_eq(conf_value_read(key, key->fallback, &value, &e), OK, "%s: %s", key->name, e.text);
            cr_assert_eq(conf_value_read(key, key->min, &value, &e), OK, "%s: %s", key->name, e.text);
            cr_assert_eq(conf_value_read(key, key->max, &value, &e), OK, "%s: %s", key->name, e.text);
        }
    }
}

Test(key, the_example_in_the_repository_is_what_the_table_prints)
{
    char *printed = example(), *stored = file_text("followupd.conf.example");
    cr_assert_str_eq(stored, printed);
    free(printed);
    free(stored);
}

Test(key, the_example_is_a_file_that_can_be_read_as_it_is_and_with_every_line_on)
{
    struct conf *c = NULL;
    struct err e = { "" };
    char *text = example();
    cr_assert_eq(conf_parse("example", text, strlen(text), &c, &e), OK, "%s", e.text);
    cr_assert_str_eq(c->providers[0].name, "main");
    conf_free(c);
    for (char *line = text; line != NULL; line = strchr(line + 1, '\n'))
        if (line[0] == '\n' && line[1] == '#' && line[2] != ' ')
            line[1] = ' '; /* the commented default becomes a setting */
    cr_assert_eq(conf_parse("example", text, strlen(text), &c, &e), OK, "%s", e.text);
    cr_assert_str_eq(c->providers[0].key_file, "provider-key");
    cr_assert_str_eq(c->public_url, "https://follow.example");
    conf_free(c);
    free(text);
}
