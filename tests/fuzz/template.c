/* template: any text as a template, in both modes, with values that hold everything HTML cares for. What template_check
 * refuses is not rendered; what it takes is rendered when its tags have values, and leaves no bare value in HTML. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/render/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void give_value(void *values, const char *name, const char *fallback)
{
    assert(strlen(name) <= TEMPLATE_NAME_BYTES_MAX && (fallback == NULL || fallback[0] != '\0'));
    json_object_set_new(values, name, json_string("<\x01&'\">"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *text = strndup((const char *)data, bytes), *rendered = NULL;
    json_t *values = json_object();
    struct err e = { "" };
    enum status st = template_check(text, give_value, values, &e);
    assert(st == OK || e.text[0] != '\0');
    for (int mode = TEMPLATE_TEXT; mode <= TEMPLATE_HTML; mode++) {
        enum status got = template_render(text, (enum template_mode)mode, values, &rendered, &e);
        assert(st == OK ? got == OK || got == E_LIMIT : got != OK);
        assert(mode == TEMPLATE_TEXT || got != OK || strstr(text, "<\x01") != NULL ||
               strstr(rendered, "<\x01") == NULL);
        free(rendered);
        rendered = NULL;
    }
    json_decref(values);
    free(text);
    return 0;
}
