#include <stdlib.h>
#include <string.h>

#include "followupd/provider/provider.h"

void provider_request_fini(struct provider_request *r)
{
    for (size_t i = 0; i < r->header_count; i++)
        free(r->headers[i]);
    free(r->body);
    *r = (struct provider_request){ 0 };
}

enum status provider_request_header(struct provider_request *r, const char *name, const char *value)
{
    if (r->header_count == TRANSPORT_HEADERS_MAX)
        return E_LIMIT;
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return E_INVALID;
    }
    size_t name_bytes = strlen(name), value_bytes = strlen(value);
    char *line = malloc(name_bytes + 2 + value_bytes + 1);
    if (line == NULL)
        return E_NOMEM;
    memcpy(line, name, name_bytes);
    memcpy(line + name_bytes, ": ", 2);
    memcpy(line + name_bytes + 2, value, value_bytes + 1);
    r->headers[r->header_count++] = line;
    return OK;
}
