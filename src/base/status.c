#include "followupd/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *status_text(enum status st)
{
    switch (st) {
#define X(name, number, text)                                                                                          \
    case name:                                                                                                         \
        return text;
        STATUS_MAP(X)
#undef X
    }
    return "unknown status";
}

enum status err_set(struct err *e, enum status st, const char *format, ...)
{
    if (e == NULL)
        return st;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(e->text, sizeof e->text, format, arguments);
    va_end(arguments);
    return st;
}

enum status err_prefix(struct err *e, enum status st, const char *format, ...)
{
    if (e == NULL)
        return st;
    char before[ERR_BYTES_MAX], joined[2 * ERR_BYTES_MAX + 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(before, sizeof before, format, arguments);
    va_end(arguments);
    snprintf(joined, sizeof joined, "%s: %s", before, e->text);
    memcpy(e->text, joined, sizeof e->text);
    e->text[sizeof e->text - 1] = '\0';
    return st;
}
