/* form: any content type (the first line) and body; every value lies inside what may be read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/inbound/form.h"
#include "followupd/inbound/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const uint8_t *line_end = memchr(data, '\n', bytes);
    size_t type_bytes = line_end != NULL ? (size_t)(line_end - data) : bytes;
    char *type = text_copy((const char *)data, type_bytes);
    size_t skipped = line_end != NULL ? type_bytes + 1 : bytes;
    struct form form;
    struct err e;
    static volatile unsigned sum;
    if (type != NULL && form_parse(type, data + skipped, bytes - skipped, &form, &e) == OK) {
        for (size_t i = 0; i < form.count; i++) {
            for (size_t k = 0; k < form.fields[i].bytes; k++)
                sum = sum + (unsigned char)form.fields[i].value[k];
        }
        form_fini(&form);
    }
    free(type);
    return 0;
}
