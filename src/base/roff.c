#include "followupd/base/roff.h"

#include <stdbool.h>
#include <string.h>

static const char *glyph(char c)
{
    switch (c) {
    case '\\':
        return "\\e";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '"':
        return "\\(dq"; /* a quote would end a request's argument */
    default:
        return NULL;
    }
}

static void write_escaped(FILE *out, const char *text, size_t bytes, bool code)
{
    bool line_begins = true;
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        bool hyphens = c == '-' && ((i + 1 < bytes && text[i + 1] == '-') || (i > 0 && text[i - 1] == '-'));
        if (line_begins && c == '.')
            fputs("\\&", out);
        if (c == '-' && (code || hyphens))
            fputs("\\-", out);
        else if (glyph(c) != NULL)
            fputs(glyph(c), out);
        else
            putc(c, out);
        line_begins = c == '\n';
    }
}

void roff_prose(FILE *out, const char *text)
{
    write_escaped(out, text, strlen(text), false);
}

void roff_code(FILE *out, const char *text)
{
    write_escaped(out, text, strlen(text), true);
}

void roff_help(FILE *out, const char *text)
{
    bool shown = false;
    for (const char *line = text; *line != '\0';) {
        size_t bytes = strcspn(line, "\n");
        bool as_it_stands = line[0] == ' ';
        if (as_it_stands != shown)
            fputs(as_it_stands ? ".nf\n" : ".fi\n", out);
        shown = as_it_stands;
        if (bytes == 0)
            fputs(".sp", out);
        write_escaped(out, line, bytes, as_it_stands);
        putc('\n', out);
        line += bytes + (line[bytes] == '\n');
    }
    if (shown)
        fputs(".fi\n", out);
}

void roff_title(FILE *out, const char *name, const char *section, const char *printed_by)
{
    fprintf(out, ".\\\" Printed by %s; do not edit.\n", printed_by);
    fputs(".TH ", out);
    roff_code(out, name);
    fprintf(out, " %s \"\" \"followupd %s\" \"followupd\"\n", section, FOLLOWUPD_VERSION);
}
