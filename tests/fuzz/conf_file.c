/* conf_file: any text as followupd.conf. What is refused says why; what is taken may be reloaded in place of itself. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "followupd/conf/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct conf *c = NULL;
    struct err e = { "" };
    if (conf_parse("fuzz.conf", (const char *)data, bytes, &c, &e) == OK) {
        assert(conf_provider_find(c, c->provider) != NULL);
        assert(conf_may_reload(c, c, &e) == OK);
    } else {
        assert(c == NULL && e.text[0] != '\0');
    }
    conf_free(c);
    return 0;
}
